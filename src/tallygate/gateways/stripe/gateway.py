"""Stripe as one tenant sees it: payment intents, confirmed as they are made, without the payer being there."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import stripe

from tallygate.billing.ports import (
    Card,
    ChargeRequest,
    NoAnswerError,
    RefundRequest,
    Settlement,
    Setup,
    SetupRequest,
)
from tallygate.domain.billing.gateway_events import GatewayEvent
from tallygate.domain.billing.payments import Outcome
from tallygate.domain.errors import InvalidFieldError
from tallygate.gateways.asking import Line, Way
from tallygate.gateways.currencies import NOT_EXPRESSED
from tallygate.gateways.stripe import events
from tallygate.gateways.stripe.answers import (
    ATTEMPT,
    AUTHENTICATION,
    REFUND,
    TENANT,
    TIME,
    UNITS,
    failed,
    not_given_back,
    outcome,
    refund_outcome,
)

VERSION = "2026-10-28.endive"
"""The API's version that answers are read in, whatever the account's own is."""
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_SKEW = 300
"""Seconds by which Stripe's clock and ours may differ."""
_LATE = 14 * 86_400
"""Seconds after which a charge that was begun may still be taken: bank debits need days."""
_PAGE = 100
Record = dict[str, Any]
T = TypeVar("T")
_log = logging.getLogger(__name__)


class RefusedError(Exception):
    """Stripe understood and refused; what it was asked for has not been done."""

    def __init__(self, error: Record) -> None:
        super().__init__()
        self.code = str(error.get("decline_code") or error.get("code") or "")
        self.advice_code = str(error.get("advice_code") or "")
        self.intent_id = str((error.get("payment_intent") or {}).get("id") or "")


def connect(way: Way, line: Line, *, key: str, webhook_secret: str) -> "StripeGateway":
    """The way to Stripe with a tenant's key; nothing is sent before it is asked."""
    client = stripe.StripeClient(
        key,
        stripe_version=VERSION,
        base_addresses={"api": way.url},
        http_client=stripe.HTTPXClient(timeout=way.seconds),
        max_network_retries=0,
    )
    return StripeGateway(client=client.v1, line=line, return_url=way.return_url, webhook_secret=webhook_secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeGateway:
    """Takes money through Stripe. A token is CUSTOMER/METHOD: what is saved there belongs to a customer."""

    client: Any = field(repr=False)
    line: Line
    return_url: str
    webhook_secret: str = field(repr=False)
    keeps_keys: bool = True

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
        key = f"{request.tenant_id}:{request.key}"

        async def taken() -> Outcome:
            try:
                return outcome(await self._did(self.client.payment_intents.create_async(wanted, _keyed(key))))
            except RefusedError as error:
                if error.code == AUTHENTICATION and error.intent_id and self.return_url:
                    return await self._with_payer(error.intent_id, method, key)
                return failed(error.code, advice_code=error.advice_code, gateway_id=error.intent_id)

        return await self.line.ask(taken)

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
        options = _keyed(f"{request.tenant_id}:{request.key}")
        try:
            made = await self.line.ask(lambda: self._did(self.client.refunds.create_async(wanted, options)))
        except RefusedError as error:
            return not_given_back(error.code)
        return refund_outcome(made)

    async def find(self, request: ChargeRequest | RefundRequest, *, now: int) -> Outcome | None:
        """What became of a request, from lists, which are never behind as a search may be."""
        if UNITS.of(request.currency, request.amount) is None:
            return NOT_EXPRESSED
        if isinstance(request, RefundRequest):
            return await self._or_silence(lambda: self._found_refund(request))
        return await self._or_silence(lambda: self._found(request, now=now))

    async def read_event(self, raw: bytes, headers: Mapping[str, str], *, now: int) -> GatewayEvent:
        """An event that Stripe has signed."""
        header, with_payer = headers.get(events.HEADER, ""), bool(self.return_url)
        return events.read(raw, header, self.webhook_secret, now=now, with_payer=with_payer)

    async def _found(self, request: ChargeRequest, *, now: int) -> Outcome | None:
        """An intent of the customer's; a payer who was asked to come and did not for a day is waited for no longer."""
        customer, _ = _token(request.token)
        since = request.time // _SECOND - _SKEW
        wanted = {"customer": customer, "created": {"gte": since}, "limit": _PAGE}
        async for intent in self._all(self.client.payment_intents.list_async(wanted)):
            of = intent.get("metadata") or {}
            if (of.get(TENANT), of.get(ATTEMPT)) != (request.tenant_id, request.attempt_id):
                continue
            if intent["status"] == "requires_action" and now - intent["created"] * _SECOND > _DAY:
                why = {"cancellation_reason": "abandoned"}
                return outcome(await self._did(self.client.payment_intents.cancel_async(intent["id"], why)))
            return outcome(intent)
        return None

    async def _found_refund(self, request: RefundRequest) -> Outcome | None:
        wanted = {"payment_intent": request.charge_id, "limit": _PAGE}
        async for refund in self._all(self.client.refunds.list_async(wanted)):
            of = refund.get("metadata") or {}
            if (of.get(TENANT), of.get(REFUND)) == (request.tenant_id, request.refund_id):
                return refund_outcome(refund)
        return None

    async def begin_setup(self, request: SetupRequest) -> Setup:
        """A page of Stripe's where a card is left, or, without a place to come back to, a secret for its form."""
        key = f"{request.tenant_id}:{request.key}"
        customer = {"metadata": {TENANT: request.tenant_id, "tallygate_account": request.account_id}}

        async def begun() -> Setup:
            owner = await self._did(self.client.customers.create_async(customer, _keyed(f"{key}:customer")))
            if not request.return_url:
                wanted = {"customer": owner["id"], "usage": "off_session"}
                made = await self._did(self.client.setup_intents.create_async(wanted, _keyed(f"{key}:setup")))
                return Setup(gateway_id=made["id"], client_secret=made["client_secret"])
            page = {
                "mode": "setup",
                "customer": owner["id"],
                "payment_method_types": ["card"],
                "success_url": request.return_url,
            }
            made = await self._did(self.client.checkout.sessions.create_async(page, _keyed(f"{key}:page")))
            return Setup(gateway_id=made["id"], url=made["url"])

        return await self._or_silence(begun)

    async def describe(self, token: str) -> Card:
        """What may be shown of a saved method."""
        customer, method = _token(token)
        try:
            found = await self.line.ask(lambda: self._did(self.client.payment_methods.retrieve_async(method)))
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
            await self.line.ask(lambda: self._did(self.client.payment_methods.detach_async(method)))
        except RefusedError:
            _log.info("stripe has no method to forget")

    async def settled(self, tenant_id: str, *, start: int, end: int) -> Sequence[Settlement]:
        """Charges on the account's balance that were begun for this tenant in a time; others' are none of its."""
        since, until = start // _SECOND - _SKEW, end // _SECOND + _LATE
        wanted = {"created": {"gte": since, "lt": until}, "limit": _PAGE, "expand": ["data.source"]}
        found: list[Settlement] = []

        async def listed() -> list[Settlement]:
            async for entry in self._all(self.client.balance_transactions.list_async(wanted)):
                charge = entry.get("source")
                if entry["type"] in {"charge", "payment"} and isinstance(charge, dict):
                    found.extend(_settled(charge, tenant_id, start=start, end=end))
            return found

        return await self._or_silence(listed)

    async def _with_payer(self, intent_id: str, method: str, key: str) -> Outcome:
        """The same intent once more, for its payer to confirm on a page of their bank's."""
        wanted = {"payment_method": method, "return_url": self.return_url}
        asked = self.client.payment_intents.confirm_async(intent_id, wanted, _keyed(f"{key}:payer"))
        try:
            return outcome(await self._did(asked))
        except RefusedError as error:
            return failed(error.code, advice_code=error.advice_code, gateway_id=intent_id)

    async def _all(self, first: Awaitable[Any]) -> AsyncIterator[Record]:
        page = await _answered(first)
        while True:
            for record in page.data:
                yield record.to_dict()
            if not page.has_more:
                return
            page = await _answered(page.next_page_async())

    @staticmethod
    async def _did(asked: Awaitable[Any]) -> Record:
        answer: Record = (await _answered(asked)).to_dict()
        return answer

    async def _or_silence(self, asked: Callable[[], Awaitable[T]]) -> T:
        """What is only read, and must not be refused."""
        try:
            return await self.line.ask(asked)
        except RefusedError as error:
            _log.warning("stripe refused to answer: %s", error.code or "no code")
            raise NoAnswerError from error


async def _answered(asked: Awaitable[Any]) -> Any:  # noqa: ANN401 - the library's objects
    """An answer; its own error texts, which may quote what was sent, go no further.

    Raises:
        RefusedError: it was refused, and not done.
        NoAnswerError: anything else: not even whether it was done is known.
    """
    try:
        return await asked
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        body = error.json_body
        told = body.get("error") if isinstance(body, dict) else None
        raise RefusedError(told if isinstance(told, dict) else {}) from None
    except stripe.StripeError as error:
        _log.warning("stripe: %s, HTTP %s", type(error).__name__, error.http_status or "none")
        raise NoAnswerError from None


def _keyed(key: str) -> Record:
    return {"idempotency_key": key}


def _token(token: str) -> tuple[str, str]:
    customer, _, method = token.partition("/")
    if not (customer.startswith("cus_") and method.startswith(("pm_", "card_", "src_")) and "/" not in method):
        raise InvalidFieldError(field="token", expected="CUSTOMER/METHOD of Stripe, as cus_.../pm_...")
    return customer, method


def _settled(charge: Record, tenant_id: str, *, start: int, end: int) -> list[Settlement]:
    of = charge.get("metadata") or {}
    if of.get(TENANT) != tenant_id or charge.get("status") != "succeeded":
        return []
    if not start <= int(of.get(TIME) or 0) < end:
        return []
    currency = str(charge["currency"]).upper()
    amount = UNITS.back(currency, int(charge["amount_captured"]))
    return [Settlement(gateway_id=str(charge["payment_intent"]), currency=currency, amount=amount)]
