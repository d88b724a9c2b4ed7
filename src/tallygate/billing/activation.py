"""Orders whose subscriptions wait for a first payment: begun when it comes, and given up where it does not."""

from dataclasses import replace

from tallygate.domain.account import Subscription, SubscriptionState
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.orders import Order, OrderState
from tallygate.records.history import SubscriptionChange
from tallygate.records.jobs import EXPIRE
from tallygate.records.orders import OrderQuery
from tallygate.records.ports import BillingWork
from tallygate.records.values import StoredSubscription

_MOST = 100
_METHOD = "CompleteOrder"
ORDER_JOB = "order/"
"""How the subject of the job begins that gives an order up; its id follows."""


async def activate_paid(work: BillingWork, account_id: str, *, now: int) -> None:
    """Begin what an account's unpaid orders sell, where their invoices are paid by now."""
    query = OrderQuery(limit=_MOST, account_id=account_id, state=OrderState.UNPAID)
    for order in await work.orders.list(query):
        if await is_paid(work, order):
            await begin(work, order, now=now)


async def is_paid(work: BillingWork, order: Order) -> bool:
    """Whether nothing of an order's invoices is to be paid."""
    for invoice_id in order.invoice_ids:
        invoice = await work.invoices.get(invoice_id)
        if invoice is None or invoice.state is not InvoiceState.PAID:
            return False
    return True


async def begin(work: BillingWork, order: Order, *, now: int) -> Order:
    """Let the subscriptions of an order serve."""
    for held in await incomplete(work, order):
        trial = held.subscription.trial_end_time
        state = SubscriptionState.ACTIVE if trial is None or trial <= now else SubscriptionState.TRIALING
        await _changed(work, held, replace(held.subscription, state=state), now=now)
    done = replace(order, state=OrderState.COMPLETED, pay_until=None)
    await work.orders.put(done)
    await work.jobs.done(EXPIRE, f"{ORDER_JOB}{order.order_id}")
    return done


async def end_incomplete(work: BillingWork, order: Order, *, now: int) -> None:
    """End the subscriptions of an order that served nobody."""
    for held in await incomplete(work, order):
        await _changed(work, held, replace(held.subscription, end_time=now), cancel_time=now, now=now)


async def incomplete(work: BillingWork, order: Order) -> list[StoredSubscription]:
    """The subscriptions of an order that wait."""
    sold = order.sold.subscription_ids
    return [
        held
        for held in await work.subscriptions.of(order.account_id)
        if held.subscription.subscription_id in sold and held.subscription.state is SubscriptionState.INCOMPLETE
    ]


async def _changed(
    work: BillingWork, held: StoredSubscription, after: Subscription, *, cancel_time: int | None = None, now: int
) -> None:
    changed = replace(held, subscription=after, cancel_time=cancel_time or held.cancel_time)
    await work.subscriptions.put(held.account_id, after, cancel_time=changed.cancel_time)
    work.subscription_history.note(
        SubscriptionChange(
            account_id=held.account_id,
            subscription_id=after.subscription_id,
            method=_METHOD,
            before=held,
            after=changed,
            change_time=now,
        )
    )
