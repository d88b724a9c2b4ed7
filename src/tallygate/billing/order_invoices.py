"""The invoice of an order: what it sold and nothing else, issued in the transaction that completes it."""

from dataclasses import replace

from tallygate.billing.billed_lanes import billed_lanes
from tallygate.billing.books import Books
from tallygate.billing.due_lines import due_fees, due_fixed_lines
from tallygate.billing.ports import Sources
from tallygate.billing.taxing import credited_lines
from tallygate.domain.billing.documents import Invoice, InvoiceKind, documents
from tallygate.domain.billing.orders import Sold
from tallygate.domain.period import UsagePeriod


async def order_documents(work: Sources, books: Books, sold: Sold, now: int) -> list[Invoice]:
    """The documents of what an order sold that is due by now, without numbers."""
    lines = [line for line in await due_fixed_lines(work, books, now) if line.subscription_id in sold.subscription_ids]
    own = tuple(fee for fee in books.fees if fee.order_id == sold.order_id)
    lines += due_fees(replace(books, fees=own), now + 1)
    if not lines:
        return []
    period = UsagePeriod(min(line.period.start for line in lines), max(line.period.end for line in lines))
    return list(
        documents(
            lines,
            tenant_id=work.tenant_id,
            account_id=books.account_id,
            kind=InvoiceKind.ORDER,
            period=period,
            cause=f"order/{sold.order_id}",
            tax=books.tax,
            credited=await credited_lines(work, lines),
            billed=await billed_lanes(work, books, lines),
            redemptions=books.redemptions,
            rounding=books.amounts.rounding,
        )
    )
