"""Drafts: what a period that has ended is going to be charged, under review. Made from nothing at every look.

What is kept of one is that there is one, and under which id its document will be issued.
"""

from dataclasses import replace

from tallygate.billing.books import Books, read_books
from tallygate.billing.due_lines import made_at
from tallygate.billing.profiles import SELLER, parties_of
from tallygate.domain.billing.documents import Invoice, InvoiceKind, cause_of, document_id
from tallygate.domain.document_errors import DocumentIncompleteError
from tallygate.domain.errors import InvalidFieldError, InvoiceNotFoundError
from tallygate.records.billing import InvoiceQuery
from tallygate.records.drafts import Draft, DraftQuery
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, newest_of
from tallygate.records.ports import BillingWork


async def keep_drafts(work: BillingWork, books: Books, *, now: int) -> None:
    """Note what of an account is under review now: the documents of its next cut, if that was and they are not issued.

    A cut that comes to nothing so far has one, too: events that come late may be charged.
    """
    cut = books.next_cut()
    if cut is None or not books.reviewed(cut) or cut > now:
        await work.drafts.replace(books.account_id, ())
        return
    made = await made_at(work, books.made(books.ready(cut)), cut)
    named = [(each.invoice_id, each.kind, each.cause) for each in made]
    if not named:
        cause = cause_of(cut, books.catalog.currency)
        named = [(document_id(work.tenant_id, books.account_id, InvoiceKind.PERIOD, cause), InvoiceKind.PERIOD, cause)]
    drafts = [
        Draft(invoice_id=invoice_id, account_id=books.account_id, kind=kind, cause=cause, cut_time=cut)
        for invoice_id, kind, cause in named
    ]
    await work.drafts.replace(books.account_id, drafts)


async def find_draft(work: BillingWork, invoice_id: str) -> Draft:
    """A draft by its id.

    Raises:
        InvoiceNotFoundError: there is none.
    """
    draft = await work.drafts.get(invoice_id)
    if draft is None:
        raise InvoiceNotFoundError(invoice_id=invoice_id)
    return draft


async def get_draft(work: BillingWork, invoice_id: str, *, now: int) -> Invoice:
    """What a draft charges as things stand, with the parties that it would be issued to and by.

    Raises:
        InvoiceNotFoundError: there is no such draft, or nothing is left to charge.
    """
    made = await _made(work, await find_draft(work, invoice_id), now=now)
    if made is None:
        raise InvoiceNotFoundError(invoice_id=invoice_id)
    return made


async def list_drafts(
    work: BillingWork, wanted: InvoiceQuery, page: PageRequest = FIRST_PAGE, *, now: int
) -> Page[Invoice]:
    """Drafts by the end of their periods, the last first, without their lines; none of what comes to nothing so far.

    Raises:
        InvalidFieldError: they were asked for by what only issued documents have.
    """
    for name, value in (("start_time", wanted.since), ("end_time", wanted.until), ("text", wanted.text or None)):
        if value is not None:
            raise InvalidFieldError(field=name, expected="nothing beside state DRAFT: drafts are not issued yet")
    found = await newest_of(
        page,
        lambda before, limit: work.drafts.list(
            DraftQuery(limit=limit, account_id=wanted.account_id, kind=wanted.kind, before=before)
        ),
        lambda draft: (draft.cut_time, draft.invoice_id),
    )
    made = [await _made(work, draft, now=now) for draft in found.items]
    items = [replace(each, lines=(), taxes=()) for each in made if each is not None]
    return Page(items=items, next_page_token=found.next_page_token)


async def check_seller(work: BillingWork) -> None:
    """Check that it is known who sells, as documents that somebody reviews must say.

    Raises:
        DocumentIncompleteError: it is not.
    """
    if await work.profiles.get(SELLER) is None:
        expected = "a billing profile of the seller: SetBillingProfile without account_id"
        raise DocumentIncompleteError(field="seller", expected=expected)


async def _made(work: BillingWork, draft: Draft, *, now: int) -> Invoice | None:
    """The document that a draft stands for; None where its cut was made, or makes none in its currency."""
    books = await read_books(work, draft.account_id, now=now)
    if books is None or books.next_cut() != draft.cut_time:
        return None
    made = await made_at(work, books.made(books.ready(draft.cut_time)), draft.cut_time)
    seller, buyer = await parties_of(work, draft.account_id)
    return next((replace(each, seller=seller, buyer=buyer) for each in made if each.cause == draft.cause), None)
