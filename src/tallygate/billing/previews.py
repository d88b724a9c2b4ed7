"""What is charged but not invoiced yet, and the invoice that comes next: the same lines that its cut will have."""

from dataclasses import dataclass

from tallygate.billing.books import Books, read_books
from tallygate.billing.due_lines import due_lines, left_documents, made_at, net_lines
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.lines import Line
from tallygate.records.paging import Page, PageRequest, part_of
from tallygate.records.ports import BillingWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The documents that an account's next cut makes, as things stand, and when that is (None: never)."""

    invoices: tuple[Invoice, ...] = ()
    cut_time: int | None = None


async def uninvoiced_items(work: BillingWork, account_id: str, page: PageRequest, *, now: int) -> Page[Line]:
    """What an account owes by now and was not invoiced for, page by page; usage of a running period is not owed yet.

    Raises:
        AccountNotFoundError: there is no such account.
        InvalidFieldError: no such list handed out this token.
    """
    books = await read_books(work, account_id, now=now)
    lines: list[Line] = []
    if books is not None:
        due = await due_lines(work, books, now + 1)
        net = await net_lines(work, books, due)
        lines = [net[line.line_key] for line in due]
    return part_of(page, lines, lambda line: line.line_key)


async def preview_invoice(work: BillingWork, account_id: str, *, now: int) -> Preview:
    """The next invoice of an account, with what was used so far.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    books = await read_books(work, account_id, now=now)
    return await preview_of(work, books, now=now) if books is not None else Preview()


async def preview_of(work: BillingWork, books: Books, *, now: int) -> Preview:
    """The next invoice that books make: what is left of the last cut at once, else at the next."""
    left = await left_documents(work, books.made(now), now)
    if left:
        return Preview(invoices=tuple(left), cut_time=now)
    cut = books.next_cut()
    return (
        Preview()
        if cut is None
        else Preview(invoices=await made_at(work, books.made(books.ready(cut)), cut), cut_time=cut)
    )
