"""Razorpay as one tenant sees it: an order, found by its receipt, and a payment of it from a saved method.

It keeps no keys: what is asked for twice would be taken twice. So an order is looked for before it is made, and one
that has been tried is not tried again.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tallygate.billing.ports import (
    Card,
    ChargeRequest,
    RefundRequest,
    Setup,
    SetupRequest,
)
from tallygate.billing.settlements import Settlement, SettlementKind
from tallygate.domain.billing.gateway_events import GatewayEvent
from tallygate.domain.billing.payments import Outcome
from tallygate.domain.errors import InvalidFieldError
from tallygate.gateways.blocking import Desk
from tallygate.gateways.currencies import NOT_EXPRESSED
from tallygate.gateways.razorpay import events, reports
from tallygate.gateways.razorpay.answers import (
    UNITS,
    not_given_back,
    notes,
    notes_of,
    order_outcome,
    payment_outcome,
    receipt,
    refund_outcome,
    refused,
)
from tallygate.gateways.refusals import RefusedError

if TYPE_CHECKING:
    from tallygate.gateways.razorpay.client import Client

_TEXT = 255
Record = dict[str, Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RazorpayGateway:
    """Takes money through Razorpay. A token is CUSTOMER/TOKEN: what is saved there belongs to a customer."""

    desk: Desk["Client"]
    webhook_secret: str = field(repr=False)
    keeps_keys: bool = False
    settles: Collection[SettlementKind] = frozenset(SettlementKind)

    async def charge(self, request: ChargeRequest) -> Outcome:
        """Take money without the payer being there."""
        amount = UNITS.of(request.currency, request.amount)
        if amount is None:
            return NOT_EXPRESSED
        return await self.desk.ask(lambda to: _charged(to, request, amount))

    async def refund(self, request: RefundRequest) -> Outcome:
        """Give back of a payment, unless that has been done."""
        amount = UNITS.of(request.currency, request.amount)
        if amount is None:
            return not_given_back(NOT_EXPRESSED.reason)
        return await self.desk.ask(lambda to: _given_back(to, request, amount))

    async def find(self, request: ChargeRequest | RefundRequest, *, now: int) -> Outcome | None:
        """What became of a request, by its receipt."""
        del now  # a receipt is found for ever
        if UNITS.of(request.currency, request.amount) is None:
            return NOT_EXPRESSED
        if isinstance(request, RefundRequest):
            return await self.desk.read(lambda to: _found_refund(to, request))
        return await self.desk.read(lambda to: _found(to, request)[1])

    async def read_event(self, raw: bytes, headers: Mapping[str, str], *, tenant_id: str, now: int) -> GatewayEvent:
        """An event that Razorpay has signed."""
        del now  # what it signs has no age: it tells an event again for a day
        return events.read(raw, headers.get(events.HEADER, ""), self.webhook_secret, tenant_id=tenant_id)

    async def check(self) -> None:
        """Ask for an order that there is not."""
        await self.desk.read(lambda to: to.orders("none"))

    async def begin_setup(self, request: SetupRequest) -> Setup:
        """Not from here: its checkout wants to know the payer's name, address and telephone.

        Raises:
            InvalidFieldError: always.
        """
        del request
        expected = "a gateway that methods are left at from here; of Razorpay's own checkout attach CUSTOMER/TOKEN"
        raise InvalidFieldError(field="gateway", expected=expected)

    async def describe(self, token: str) -> Card:
        """What may be shown of a saved method."""
        try:
            found = await self.desk.ask(lambda to: to.token(*_token(token)))
        except RefusedError as error:
            raise InvalidFieldError(field="token", expected="a token that Razorpay knows of this customer") from error
        card = found.get("card") or {}
        return Card(
            brand=str(card.get("network") or found.get("method") or "").lower(),
            last4=str(card.get("last4") or ""),
            expiry_year=int(card.get("expiry_year") or 0),
            expiry_month=int(card.get("expiry_month") or 0),
        )

    async def detach(self, token: str) -> None:
        """Forget a saved method."""
        try:
            await self.desk.ask(lambda to: to.delete_token(*_token(token)))
        except RefusedError:
            _log.info("razorpay has no method to forget")

    async def settled(self, tenant_id: str, *, start: int, end: int, now: int) -> Sequence[Settlement]:
        """Payments that were begun for a tenant in a time, and captured; refunds and disputes since."""
        return await self.desk.read(lambda to: reports.settled(to, tenant_id, start=start, end=end, now=now))


def _charged(to: "Client", request: ChargeRequest, amount: int) -> Outcome:
    customer_id, token_id = _token(request.token)
    order_id, known = _found(to, request)
    if known is not None:
        return known
    try:
        owner = to.customer(customer_id)
    except RefusedError as error:
        return refused(error.body, missing="token_not_found")
    common = {"amount": amount, "currency": request.currency, "notes": notes(request)}
    try:
        if not order_id:
            order_id = to.create_order(common | {"receipt": receipt(request), "payment_capture": True})["id"]
        who = {"email": owner.get("email") or "", "contact": owner.get("contact") or "", "customer_id": customer_id}
        what = {"order_id": order_id, "token": token_id, "recurring": True, "description": request.text[:_TEXT]}
        made = to.charge(common | who | what)
    except RefusedError as error:
        return refused(error.body)
    return payment_outcome(to.payment(made["razorpay_payment_id"]))


def _found(to: "Client", request: ChargeRequest) -> tuple[str, Outcome | None]:
    """A request's order, if there is one, and what became of it."""
    orders = [one for one in to.orders(receipt(request)) if one.get("receipt") == receipt(request)]
    outcomes = [(order["id"], order_outcome(to.payments_of(order["id"]))) for order in orders]
    tried = [(order_id, outcome) for order_id, outcome in outcomes if outcome is not None]
    return next(iter(tried or outcomes), ("", None))


def _given_back(to: "Client", request: RefundRequest, amount: int) -> Outcome:
    try:
        known = _found_refund(to, request)
        if known is not None:
            return known
        body = {"amount": amount, "speed": "normal", "receipt": receipt(request), "notes": notes(request)}
        return refund_outcome(to.refund(request.charge_id, body))
    except RefusedError as error:
        return not_given_back(refused(error.body).reason)


def _found_refund(to: "Client", request: RefundRequest) -> Outcome | None:
    wanted = notes(request)
    for refund in to.refunds_of(request.charge_id):
        if refund.get("receipt") == receipt(request) or notes_of(refund) == wanted:
            return refund_outcome(refund)
    return None


def _token(token: str) -> tuple[str, str]:
    customer, _, saved = token.partition("/")
    if not (customer.startswith("cust_") and saved.startswith("token_") and "/" not in saved):
        raise InvalidFieldError(field="token", expected="CUSTOMER/TOKEN of Razorpay, as cust_.../token_...")
    return customer, saved
