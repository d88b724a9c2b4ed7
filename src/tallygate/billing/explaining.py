"""Why a line says what it says: its price, the lines that it goes back to, and the events behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tallygate.billing.invoices import get_invoice
from tallygate.domain.billing.counting import BillableFact, asks_for
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.references import price_of
from tallygate.domain.billing.windows import UsageWindow
from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.prices import Price
from tallygate.records.ports import BillingWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A line, its document, and the price that it was made by (None: of a fee)."""

    invoice: Invoice
    line: Line
    price: Price | None


async def explain_line(work: BillingWork, name: str, number: int) -> Explained:
    """The line of a document that has this number, from 1 on.

    Raises:
        InvoiceNotFoundError: there is no such document.
        InvalidFieldError: it has no such line.
    """
    invoice = await get_invoice(work, name)
    if not 1 <= number <= len(invoice.lines):
        raise InvalidFieldError(field="line", expected=f"1 to {len(invoice.lines)}", got=number)
    line = invoice.lines[number - 1]
    return Explained(invoice=invoice, line=line, price=price_of(await work.catalog.load(), line.price))


async def line_events(
    work: BillingWork, name: str, number: int, *, after: tuple[int, str] | None, limit: int
) -> Sequence[BillableFact]:
    """The events that a line counted, by (occurred_time, request_id), those behind `after`; none of what counts none.

    Raises:
        InvoiceNotFoundError: there is no such document.
        InvalidFieldError: it has no such line.
    """
    explained = await explain_line(work, name, number)
    window = window_of(explained.line, await work.catalog.load())
    if window is None or explained.line.inputs is None:
        return ()
    found: list[BillableFact] = []
    through = explained.line.inputs.through_sequence
    async for fact in work.usage_log.facts(explained.invoice.account_id, window, through=through, after=after):
        if asks_for(window, fact):
            found.append(fact)
            if len(found) == limit:
                break
    return found


def window_of(line: Line, catalog: Catalog) -> UsageWindow | None:
    """What a line of usage counted."""
    price = price_of(catalog, line.price)
    if line.inputs is None or price is None or price.usage is None:
        return None
    plan_key, _, version = line.inputs.plan.rpartition("/")
    return UsageWindow(
        line=line.line_key.rpartition("/")[0],
        subscription_id=line.subscription_id,
        price=price,
        usage=price.usage,
        reference=line.price,
        label=line.text,
        start=line.inputs.start,
        end=line.inputs.end,
        begins=line.inputs.start,
        due=line.due,
        whole=line.period,
        part=Fraction(1),
        plan_key=plan_key,
        plan_version=int(version) if version else 0,
    )
