"""Razorpay's library: what is asked of it. It prints what goes wrong, so nothing that goes wrong reaches it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import razorpay

from tallygate.gateways.asking import NO_TRAIL, Trail
from tallygate.gateways.blocking_http import BoundSession

_PAGE = 100
Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Razorpay with one key."""

    api: Any = field(repr=False)
    session: BoundSession = field(repr=False)

    def orders(self, receipt: str) -> list[Record]:
        """Orders with a receipt."""
        return _items(self.api.order.all({"receipt": receipt}))

    def create_order(self, body: Record) -> Record:
        """An order: nothing is taken yet."""
        return _record(self.api.order.create(body))

    def payments_of(self, order_id: str) -> list[Record]:
        """How an order was tried to be paid."""
        return _items(self.api.order.payments(order_id))

    def charge(self, body: Record) -> Record:
        """Take an order's money from a saved method."""
        return _record(self.api.payment.createRecurring(body))

    def payment(self, payment_id: str) -> Record:
        """A payment."""
        return _record(self.api.payment.fetch(payment_id))

    def payments(self, *, start: int, end: int) -> Iterator[Record]:
        """Payments made from a second on, until another."""
        return _all(self.api.payment, {"from": start, "to": end})

    def refunds(self, *, start: int, end: int) -> Iterator[Record]:
        """Refunds made from a second on, until another."""
        return _all(self.api.refund, {"from": start, "to": end})

    def disputes(self) -> Iterator[Record]:
        """All that was ever disputed."""
        return _all(self.api.dispute, {})

    def refund(self, payment_id: str, body: Record) -> Record:
        """Give back of a payment."""
        return _record(self.api.payment.refund(payment_id, body))

    def refunds_of(self, payment_id: str) -> list[Record]:
        """What was given back of a payment."""
        return _items(self.api.payment.fetch_multiple_refund(payment_id, {"count": _PAGE}))

    def customer(self, customer_id: str) -> Record:
        """Who owns saved methods."""
        return _record(self.api.customer.fetch(customer_id))

    def token(self, customer_id: str, token_id: str) -> Record:
        """A saved method."""
        return _record(self.api.token.fetch(customer_id, token_id))

    def delete_token(self, customer_id: str, token_id: str) -> None:
        """Forget a saved method."""
        self.api.token.delete(customer_id, token_id)


def connect(url: str, key_id: str, key_secret: str, trail: Trail = NO_TRAIL) -> Client:
    """The way to Razorpay with a key; nothing is sent yet."""
    session = BoundSession("razorpay", trail)
    return Client(api=razorpay.Client(session=session, auth=(key_id, key_secret), base_url=url), session=session)


def _all(resource: Any, wanted: Record) -> Iterator[Record]:  # noqa: ANN401 - it has no types
    skip = 0
    while True:
        page = _items(resource.all(wanted | {"count": _PAGE, "skip": skip}))
        yield from page
        if len(page) < _PAGE:
            return
        skip += _PAGE


def _record(answer: Any) -> Record:  # noqa: ANN401 - as above
    record: Record = answer
    return record


def _items(answer: Any) -> list[Record]:  # noqa: ANN401 - as above
    items: list[Record] = answer["items"]
    return items
