"""Orders that were not paid in time: nothing of them is held, and their coupons may be redeemed again."""

from dataclasses import replace

from tallygate.billing.activation import ORDER_JOB, end_incomplete
from tallygate.billing.voiding import void_invoice
from tallygate.domain.billing.orders import HOUR, OrderState
from tallygate.domain.errors import InvoiceFinalError
from tallygate.domain.payment_errors import PaymentInFlightError
from tallygate.records.jobs import EXPIRE
from tallygate.records.ports import BillingWork


async def expire_order(work: BillingWork, order_id: str, *, now: int) -> None:
    """Give up an order whose time to pay is over, once; while an attempt may still take money it is looked at again."""
    order, job = await work.orders.get(order_id), f"{ORDER_JOB}{order_id}"
    if order is None or order.state is not OrderState.UNPAID or order.pay_until is None:
        await work.jobs.done(EXPIRE, job)
        return
    if now < order.pay_until:
        await work.jobs.schedule(EXPIRE, job, due_time=order.pay_until)
        return
    try:
        async with work.part():
            for invoice_id in order.invoice_ids:
                await void_invoice(work, invoice_id, now=now)
    except (PaymentInFlightError, InvoiceFinalError):
        await work.jobs.schedule(EXPIRE, job, due_time=now + HOUR)
        return
    await end_incomplete(work, order, now=now)
    redeemed = [each for each in await work.coupons.redeemed_by(order.account_id) if each.order_id == order_id]
    await work.coupons.give_back([each.redemption_id for each in redeemed], now=now)
    await work.orders.put(replace(order, state=OrderState.EXPIRED, pay_until=None))
    await work.jobs.done(EXPIRE, job)
