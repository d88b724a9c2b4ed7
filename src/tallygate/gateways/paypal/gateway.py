"""PayPal as one tenant sees it: an order is made first, which moves nothing, and then its money is taken.

So what became of a request can be found out: to make its order again under its key answers the order that there is.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tallygate.billing.ports import (
    Card,
    ChargeRequest,
    NoAnswerError,
    RefundRequest,
    Setup,
    SetupRequest,
    UnverifiedEventError,
)
from tallygate.billing.settlements import Settlement, SettlementKind
from tallygate.domain.billing.gateway_events import GatewayEvent
from tallygate.domain.billing.payments import Outcome
from tallygate.domain.errors import InvalidFieldError
from tallygate.gateways.blocking import Desk
from tallygate.gateways.currencies import NOT_EXPRESSED
from tallygate.gateways.paypal import events, reports
from tallygate.gateways.paypal.answers import (
    UNITS,
    failed,
    issue,
    link,
    marked,
    not_given_back,
    order_outcome,
    payments_of,
    refund_outcome,
)
from tallygate.gateways.references import reference
from tallygate.gateways.refusals import RefusedError

if TYPE_CHECKING:
    from tallygate.gateways.paypal.client import Client

_HOUR = 3_600_000_000
_KEYS_LAST = 5 * _HOUR
"""PayPal keeps keys for 6 hours; its reports are complete after 3."""
_TEXT = 127
Record = dict[str, Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayPalGateway:
    """Takes money through PayPal. A token is the id of a payment token: a saved card or wallet."""

    desk: Desk["Client"]
    return_url: str
    webhook_id: str = field(repr=False)
    keeps_keys: bool = True
    settles: Collection[SettlementKind] = frozenset(SettlementKind)

    async def charge(self, request: ChargeRequest) -> Outcome:
        """Take money without the payer being there; whose bank wants to see them is asked to come."""
        if UNITS.of(request.currency, request.amount) is None:
            return NOT_EXPRESSED
        return await self.desk.ask(lambda to: self._charged(to, request))

    async def refund(self, request: RefundRequest) -> Outcome:
        """Give back of a capture."""
        amount = UNITS.text(request.currency, request.amount)
        if amount is None:
            return not_given_back(NOT_EXPRESSED.reason)
        body = {"amount": _money(request.currency, amount), "custom_id": marked(request)}
        key = reference(request.tenant_id, request.key)
        try:
            return refund_outcome(await self.desk.ask(lambda to: to.refund(request.charge_id, body, key)))
        except RefusedError as error:
            return not_given_back(issue(error.body))

    async def find(self, request: ChargeRequest | RefundRequest, *, now: int) -> Outcome | None:
        """What became of a request: by its order while the key lasts, then by PayPal's reports."""
        if UNITS.of(request.currency, request.amount) is None:
            return NOT_EXPRESSED
        if isinstance(request, RefundRequest):
            return await self.desk.read(lambda to: _found_refund(to, request))
        if now - request.time < _KEYS_LAST:
            return await self.desk.read(lambda to: self._found(to, request))
        return await self.desk.read(lambda to: reports.found(to, request, now=now))

    async def read_event(self, raw: bytes, headers: Mapping[str, str], *, tenant_id: str, now: int) -> GatewayEvent:
        """An event that PayPal says it has signed: it is asked, for the certificates are its own."""
        del now  # what PayPal signs has no age: it tells an event again for three days
        question = events.question(raw, headers, self.webhook_id)
        try:
            answer = await self.desk.ask(lambda to: to.verify(question))
        except RefusedError as error:
            raise UnverifiedEventError from error
        if answer.get("verification_status") != "SUCCESS":
            raise UnverifiedEventError
        return events.read(raw, tenant_id)

    async def check(self) -> None:
        """Ask for a token."""
        await self.desk.read(lambda to: to.check())

    async def begin_setup(self, request: SetupRequest) -> Setup:
        """A page of PayPal's where a wallet is left."""
        back = request.return_url or self.return_url
        if not back:
            raise InvalidFieldError(field="return_url", expected="where the payer comes back to from PayPal")
        wallet = {"usage_type": "MERCHANT", "experience_context": {"return_url": back, "cancel_url": back}}
        body = {"payment_source": {"paypal": wallet}}
        key = reference(request.tenant_id, request.key)
        made = await self.desk.read(lambda to: to.create_setup(body, key))
        return Setup(gateway_id=made["id"], url=link(made, "approve"))

    async def describe(self, token: str) -> Card:
        """What may be shown of a saved method."""
        try:
            found = await self.desk.ask(lambda to: to.get_token(_token(token)))
        except RefusedError as error:
            raise InvalidFieldError(field="token", expected="a payment token that PayPal knows") from error
        card = found["payment_source"].get("card")
        if card is None:
            return Card(brand=next(iter(found["payment_source"]), "paypal"))
        year, _, month = str(card.get("expiry") or "0-0").partition("-")
        return Card(
            brand=str(card.get("brand") or "card").lower(),
            last4=str(card.get("last_digits") or ""),
            expiry_year=int(year),
            expiry_month=int(month),
        )

    async def detach(self, token: str) -> None:
        """Forget a saved method."""
        try:
            await self.desk.ask(lambda to: to.delete_token(_token(token)))
        except RefusedError:
            _log.info("paypal has no method to forget")

    async def settled(self, tenant_id: str, *, start: int, end: int, now: int) -> Sequence[Settlement]:
        """What PayPal's reports have of them, three hours behind, and what is disputed."""
        return await self.desk.read(lambda to: reports.settled(to, tenant_id, start=start, end=end, now=now))

    def _charged(self, to: "Client", request: ChargeRequest) -> Outcome:
        try:
            source = _source(to.get_token(_token(request.token)), self.return_url)
            order = to.create_order(_order(request), reference(request.tenant_id, request.key, "order"))
        except RefusedError as error:
            return failed(issue(error.body))
        return order_outcome(order) or self._captured(to, order["id"], source, request)

    def _captured(self, to: "Client", order_id: str, source: Record, request: ChargeRequest) -> Outcome:
        key = reference(request.tenant_id, request.key, "capture", *(("approved",) if not source else ()))
        try:
            order = to.capture_order(order_id, source, key)
        except RefusedError as error:
            if issue(error.body) in {"ORDER_ALREADY_CAPTURED", "PAYER_ACTION_REQUIRED"}:
                known = order_outcome(to.get_order(order_id))
                if known is not None:
                    return known
            return failed(issue(error.body), gateway_id=order_id)
        found = order_outcome(order)
        if found is None:
            raise NoAnswerError
        return found

    def _found(self, to: "Client", request: ChargeRequest) -> Outcome | None:
        """By its order; what its payer has approved meanwhile is taken."""
        made = to.create_order(_order(request), reference(request.tenant_id, request.key, "order"))
        order = to.get_order(made["id"])
        if order.get("status") == "APPROVED":
            return order_outcome(order) or self._captured(to, order["id"], {}, request)
        return order_outcome(order)


def _found_refund(to: "Client", request: RefundRequest) -> Outcome | None:
    try:
        capture = to.get_capture(request.charge_id)
    except RefusedError:
        return None
    order_id = ((capture.get("supplementary_data") or {}).get("related_ids") or {}).get("order_id")
    if not order_id:
        raise NoAnswerError
    for refund in payments_of(to.get_order(order_id)).get("refunds") or []:
        if refund.get("custom_id") == marked(request):
            return refund_outcome(refund)
    return None


def _order(request: ChargeRequest) -> Record:
    amount = UNITS.text(request.currency, request.amount)
    unit = {
        "custom_id": marked(request),
        "description": request.text[:_TEXT],
        "amount": _money(request.currency, amount or ""),
    }
    return {"intent": "CAPTURE", "purchase_units": [unit]}


def _source(token: Record, return_url: str) -> Record:
    """How money is taken from a saved method when its owner is not there."""
    kind = "card" if "card" in token["payment_source"] else "paypal"
    stored = {"payment_initiator": "MERCHANT", "usage": "SUBSEQUENT"}
    if kind == "card":
        stored |= {"payment_type": "UNSCHEDULED"}
    source: Record = {"vault_id": token["id"], "stored_credential": stored}
    if return_url:
        source |= {"experience_context": {"return_url": return_url, "cancel_url": return_url}}
    return {kind: source}


def _money(currency: str, amount: str) -> Record:
    return {"currency_code": currency, "value": amount}


def _token(token: str) -> str:
    if not (token.isascii() and token.replace("-", "").replace("_", "").isalnum()):
        raise InvalidFieldError(field="token", expected="the id of a payment token of PayPal's")
    return token
