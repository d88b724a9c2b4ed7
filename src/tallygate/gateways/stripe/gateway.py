"""Stripe as one tenant sees it: payment intents, confirmed as they are made, without the payer being there."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from tallygate.billing.ports import (
    Card,
    ChargeRequest,
    NoAnswerError,
    RefundRequest,
    Setup,
    SetupRequest,
)
from tallygate.billing.settlements import Settlement, SettlementKind
from tallygate.domain.billing.gateway_events import GatewayEvent
from tallygate.domain.billing.payments import Outcome
from tallygate.domain.errors import InvalidFieldError
from tallygate.gateways.asking import Late, Line
from tallygate.gateways.currencies import NOT_EXPRESSED
from tallygate.gateways.references import reference
from tallygate.gateways.stripe import events, reports
from tallygate.gateways.stripe.answers import (
    ATTEMPT,
    AUTHENTICATION,
    REFUND,
    TENANT,
    TIME,
    UNITS,
    RefusedError,
    failed,
    not_given_back,
    outcome,
    refund_outcome,
)

if TYPE_CHECKING:
    from tallygate.gateways.stripe.client import Client

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_SKEW = 300
"""Seconds by which Stripe's clock and ours may differ."""
_PAGE = 100
Record = dict[str, Any]
T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeGateway:
    """Takes money through Stripe. A token is CUSTOMER/METHOD: what is saved there belongs to a customer."""

    client: Late["Client"] = field(repr=False)
    line: Line
    return_url: str
    webhook_secret: str = field(repr=False)
    keeps_keys: bool = True
    settles: Collection[SettlementKind] = frozenset(SettlementKind)

    async def charge(self, request: ChargeRequest) -> Outcome:
        """Take money, without the payer; whose bank wants to see them is asked to come."""
        amount = UNITS.of(request.currency, request.amount)
        if amount is None:
            return NOT_EXPRESSED
        customer, method = _token(request.token)
        wanted = {
            "amount": amount,
            "currency": request.currency.lower(),
            "customer": customer,
            "payment_method": method,
            "confirm": True,
            "off_session": True,
            "description": request.text,
            "metadata": {ATTEMPT: request.attempt_id, TENANT: request.tenant_id, TIME: str(request.time)},
        }
        key = reference(request.tenant_id, request.key)

        async def taken(to: "Client") -> Outcome:
            try:
                return outcome(await to.did(to.v1.payment_intents.create_async(wanted, _keyed(key))))
            except RefusedError as error:
                if error.code == AUTHENTICATION and error.intent_id and self.return_url:
                    return await self._with_payer(to, error.intent_id, method, key)
                return failed(error.code, advice_code=error.advice_code, gateway_id=error.intent_id)

        return await self._ask(taken)

    async def refund(self, request: RefundRequest) -> Outcome:
        """Give back of an intent."""
        amount = UNITS.of(request.currency, request.amount)
        if amount is None:
            return not_given_back(NOT_EXPRESSED.reason)
        wanted = {
            "payment_intent": request.charge_id,
            "amount": amount,
            "metadata": {REFUND: request.refund_id, TENANT: request.tenant_id, TIME: str(request.time)},
        }
        options = _keyed(reference(request.tenant_id, request.key))
        try:
            return refund_outcome(await self._ask(lambda to: to.did(to.v1.refunds.create_async(wanted, options))))
        except RefusedError as error:
            return not_given_back(error.code)

    async def find(self, request: ChargeRequest | RefundRequest, *, now: int) -> Outcome | None:
        """What became of a request, from lists, which are never behind as a search may be."""
        if UNITS.of(request.currency, request.amount) is None:
            return NOT_EXPRESSED
        if isinstance(request, RefundRequest):
            return await self._read(lambda to: _found_refund(to, request))
        customer, _ = _token(request.token)
        return await self._read(lambda to: _found(to, request, customer, now=now))

    async def read_event(self, raw: bytes, headers: Mapping[str, str], *, tenant_id: str, now: int) -> GatewayEvent:
        """An event that Stripe has signed."""
        header, with_payer = headers.get(events.HEADER, ""), bool(self.return_url)
        return events.read(raw, header, self.webhook_secret, tenant_id=tenant_id, now=now, with_payer=with_payer)

    async def check(self) -> None:
        """Ask for the account's balance."""
        await self._read(lambda to: to.did(to.v1.balance.retrieve_async()))

    async def begin_setup(self, request: SetupRequest) -> Setup:
        """A page of Stripe's where a card is left, or, without a place to come back to, a secret for its form."""
        customer = {"metadata": {TENANT: request.tenant_id, "tallygate_account": request.account_id}}

        def keyed(step: str) -> Record:
            return _keyed(reference(request.tenant_id, request.key, step))

        async def begun(to: "Client") -> Setup:
            owner = await to.did(to.v1.customers.create_async(customer, keyed("customer")))
            if not request.return_url:
                wanted = {"customer": owner["id"], "usage": "off_session"}
                made = await to.did(to.v1.setup_intents.create_async(wanted, keyed("setup")))
                return Setup(gateway_id=made["id"], client_secret=made["client_secret"])
            page = {"mode": "setup", "customer": owner["id"], "payment_method_types": ["card"]}
            page |= {"success_url": request.return_url, "cancel_url": request.return_url}
            made = await to.did(to.v1.checkout.sessions.create_async(page, keyed("page")))
            return Setup(gateway_id=made["id"], url=made["url"])

        return await self._read(begun)

    async def describe(self, token: str) -> Card:
        """What may be shown of a saved method."""
        customer, method = _token(token)
        try:
            found = await self._ask(lambda to: to.did(to.v1.payment_methods.retrieve_async(method)))
        except RefusedError as error:
            raise InvalidFieldError(field="token", expected="a payment method that Stripe knows") from error
        if found.get("customer") != customer:
            raise InvalidFieldError(field="token", expected="a payment method of this customer's at Stripe")
        shown = found.get(found["type"]) or {}
        return Card(
            brand=str(shown.get("brand") or found["type"]),
            last4=str(shown.get("last4") or ""),
            expiry_year=int(shown.get("exp_year") or 0),
            expiry_month=int(shown.get("exp_month") or 0),
        )

    async def detach(self, token: str) -> None:
        """Forget a saved method; Stripe refuses where it has."""
        _, method = _token(token)
        try:
            await self._ask(lambda to: to.did(to.v1.payment_methods.detach_async(method)))
        except RefusedError:
            _log.info("stripe has no method to forget")

    async def settled(self, tenant_id: str, *, start: int, end: int, now: int) -> Sequence[Settlement]:
        """What Stripe has of them on the account's balance, and in its lists of refunds and disputes."""
        del now  # its lists end by themselves
        return await self._read(lambda to: reports.settled(to, tenant_id, start=start, end=end))

    async def _with_payer(self, to: "Client", intent_id: str, method: str, key: str) -> Outcome:
        """The same intent once more, for its payer to confirm on a page of their bank's."""
        wanted = {"payment_method": method, "return_url": self.return_url}
        asked = to.v1.payment_intents.confirm_async(intent_id, wanted, _keyed(reference(key, "payer")))
        try:
            return outcome(await to.did(asked))
        except RefusedError as error:
            return failed(error.code, advice_code=error.advice_code, gateway_id=intent_id)

    async def _ask(self, asked: Callable[["Client"], Awaitable[T]]) -> T:
        to = await self.client.get()
        return await self.line.ask(lambda: asked(to))

    async def _read(self, asked: Callable[["Client"], Awaitable[T]]) -> T:
        """What is only read, and cannot be refused in earnest."""
        try:
            return await self._ask(asked)
        except RefusedError as error:
            _log.warning("stripe refused to answer: %s", error.code or "no code")
            raise NoAnswerError from error


async def _found(to: "Client", request: ChargeRequest, customer: str, *, now: int) -> Outcome | None:
    """An intent of the customer's; a payer who was asked to come and did not for a day is waited for no longer."""
    wanted = {"customer": customer, "created": {"gte": request.time // _SECOND - _SKEW}, "limit": _PAGE}
    async for intent in to.all(to.v1.payment_intents.list_async(wanted)):
        of = intent.get("metadata") or {}
        if (of.get(TENANT), of.get(ATTEMPT)) != (request.tenant_id, request.attempt_id):
            continue
        if intent["status"] == "requires_action" and now - intent["created"] * _SECOND > _DAY:
            why = {"cancellation_reason": "abandoned"}
            return outcome(await to.did(to.v1.payment_intents.cancel_async(intent["id"], why)))
        return outcome(intent)
    return None


async def _found_refund(to: "Client", request: RefundRequest) -> Outcome | None:
    wanted = {"payment_intent": request.charge_id, "limit": _PAGE}
    async for refund in to.all(to.v1.refunds.list_async(wanted)):
        of = refund.get("metadata") or {}
        if (of.get(TENANT), of.get(REFUND)) == (request.tenant_id, request.refund_id):
            return refund_outcome(refund)
    return None


def _keyed(key: str) -> Record:
    return {"idempotency_key": key}


def _token(token: str) -> tuple[str, str]:
    customer, _, method = token.partition("/")
    if not (customer.startswith("cus_") and method.startswith(("pm_", "card_", "src_")) and "/" not in method):
        raise InvalidFieldError(field="token", expected="CUSTOMER/METHOD of Stripe, as cus_.../pm_...")
    return customer, method
