"""What is called as accounts name it (orders, methods, attempts): each account's apart from all others'."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from tallygate.domain.order_errors import OrderNotFoundError
from tallygate.domain.payment_errors import MethodNotFoundError
from tallygate.records.ports import BillingWork
from tallygate.server.calls.method import Call
from tallygate.server.calls.self_service import name_of


class _Held(Protocol):
    @property
    def account_id(self) -> str: ...


async def order_named(work: BillingWork, call: Call, order_id: str) -> str:
    """What the caller's order of this id is called, or will be."""
    return await name_of(call.key, order_id, _holder(work.orders.get))


async def own_order(work: BillingWork, call: Call, order_id: str) -> str:
    """What the caller's order of this id is called.

    Raises:
        OrderNotFoundError: the caller's key is bound to an account that has none.
    """
    named = await order_named(work, call, order_id)
    if call.key.account_id and await work.orders.get(named) is None:
        raise OrderNotFoundError(order_id=order_id)
    return named


async def method_named(work: BillingWork, call: Call, method_id: str) -> str:
    """What the caller's payment method of this id is called, or will be; empty where none is named."""
    return await name_of(call.key, method_id, _holder(work.payments.method))


async def own_method(work: BillingWork, call: Call, method_id: str) -> str:
    """What the caller's payment method of this id is called; empty where none is named.

    Raises:
        MethodNotFoundError: the caller's key is bound to an account that has none.
    """
    named = await method_named(work, call, method_id)
    if call.key.account_id and method_id and await work.payments.method(named) is None:
        raise MethodNotFoundError(method_id=method_id)
    return named


async def attempt_named(work: BillingWork, call: Call, attempt_id: str) -> str:
    """What the caller's attempt of this id is called, or will be; empty where none is named."""
    return await name_of(call.key, attempt_id, _holder(work.payments.attempt))


def _holder(get: Callable[[str], Awaitable[_Held | None]]) -> Callable[[str], Awaitable[str | None]]:
    async def holder(name: str) -> str | None:
        found = await get(name)
        return found.account_id if found is not None else None

    return holder
