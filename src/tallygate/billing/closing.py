"""An account's invoices, made when their time has come: cut by cut, oldest first, each in one transaction.

Running it again changes nothing: what was issued is not due any more, and a line's key exists once.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallygate.billing.books import Books, read_books
from tallygate.billing.drafts import check_seller, keep_drafts
from tallygate.billing.due_lines import change_documents, left_documents, made_at
from tallygate.billing.finalising import finalise
from tallygate.billing.reductions import reductions_of
from tallygate.domain.billing.documents import Basis, Invoice
from tallygate.domain.billing.orders import Sold
from tallygate.domain.billing.zones import known_until
from tallygate.domain.document_errors import DocumentIncompleteError
from tallygate.domain.errors import InvoiceNotFoundError
from tallygate.records.billing import BillingAccount
from tallygate.records.drafts import Draft
from tallygate.records.jobs import AUDIT, CLOSE, COMPLETENESS
from tallygate.records.ports import BillingWork

if TYPE_CHECKING:
    from tallygate.records.late_usage import Uncharged

_A_DAY = 86_400_000_000
_MOST_CUTS = 25
"""Cuts of one transaction: the rest of a long outage is another's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What came of a look at an account: documents that were issued, and when to look again (None: never)."""

    invoices: tuple[Invoice, ...] = ()
    next_time: int | None = None


async def close_account(work: BillingWork, account_id: str, *, now: int, due_time: int | None = None) -> Closed:
    """Issue every invoice of an account whose time has come, and plan the next look.

    Of a test tenant only the one that the look at `due_time` is about: those of others may lie before the next.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    books = await read_books(work, account_id, now=now)
    if books is None:
        await work.jobs.done(CLOSE, account_id)
        return Closed()
    issued: list[Invoice] = []
    stalled: DocumentIncompleteError | None = None
    seen = due_time if books.test and due_time is not None else now
    for _ in range(1 if books.test else _MOST_CUTS):  # a test's clock leaps over cuts of others in between
        cut = books.next_cut()
        if cut is None or books.ready(cut) > seen:
            break
        try:
            made, books = await _close_cut(work, books, cut, at=books.ready(cut) if books.test else now, now=now)
        except DocumentIncompleteError as error:  # nothing of the cut was written
            stalled = error
            break
        issued += made
    issued += await _issue_openings(work, books, seen=seen if stalled is None else now, now=now)
    if stalled is not None and not issued:  # what else there was is kept, and the next look fails
        raise stalled
    then = books.made(seen)
    left = await left_documents(work, then, seen)
    issued += await issue(work, then, left, until=then.closed_until, at_once=True, now=seen)
    return Closed(invoices=tuple(issued), next_time=await _closed(work, books, issued, seen=seen, now=now))


async def finalize_draft(work: BillingWork, draft: Draft, *, now: int) -> tuple[Invoice, ...]:
    """Issue what a draft charges, and all else that its cut makes, though its review is not over.

    Raises:
        InvoiceNotFoundError: it is no draft any more.
        DocumentIncompleteError: nobody is known to sell.
    """
    books = await read_books(work, draft.account_id, now=now)
    if books is None or books.next_cut() != draft.cut_time:
        raise InvoiceNotFoundError(invoice_id=draft.invoice_id)
    issued, books = await _close_cut(work, books, draft.cut_time, at=now, now=now)
    await _closed(work, books, issued, seen=now, now=now)
    return tuple(issued)


async def close_accounts(work: BillingWork, account_ids: Sequence[str], *, now: int) -> tuple[Closed, ...]:
    """Close accounts in one transaction, in order of id, with what they are derived from read for all at once."""
    ordered = sorted(account_ids)
    await work.late_usage.catch_up()
    await work.gather(ordered)
    return tuple([await close_account(work, account_id, now=now) for account_id in ordered])


async def _close_cut(work: BillingWork, books: Books, cut: int, *, at: int, now: int) -> tuple[list[Invoice], Books]:
    """Issue what a cut makes as of an instant; the books after it."""
    issued = await _issue(work, books, cut, now=at)
    if books.late:
        await work.late_usage.settle(books.account_id, books.reopened.unrated(), now=now)
    fees = tuple(fee for fee in books.fees if fee.create_time >= cut)
    redemptions = await reductions_of(work, books.account_id) if books.redemptions else ()
    return issued, replace(books, closed_until=cut, fees=fees, late=(), redemptions=redemptions)


async def _closed(work: BillingWork, books: Books, issued: Sequence[Invoice], *, seen: int, now: int) -> int | None:
    """Note how far an account is billed and what is under review, and plan the next look; when that is."""
    former, zone = known_until(books.calendar, books.closed_until)
    await work.billing_accounts.put(
        BillingAccount(account_id=books.account_id, closed_until=books.closed_until, zone=zone, former_zones=former)
    )
    if issued and not books.test:
        await _plan_checks(work, books.account_id, now=now)
    if books.policy.review:
        await keep_drafts(work, books, now=seen)
    return await _plan(work, books, now=seen)


async def _issue(work: BillingWork, books: Books, cut: int, *, now: int) -> list[Invoice]:
    books = books.made(now)
    noted: list[Uncharged] = []
    made = await made_at(work, books, cut, noted=noted)
    if made and books.reviewed(cut):
        await check_seller(work)
    await work.late_usage.note(books.account_id, noted, now=now)
    return await issue(work, books, made, until=cut, now=now)


async def _issue_openings(work: BillingWork, books: Books, *, seen: int, now: int) -> list[Invoice]:
    """Issue what subscriptions begin with that began behind a cut that waits: they wait for no grace and no review."""
    cut, issued = books.next_cut(), list[Invoice]()
    for at, begun in books.openings(seen if cut is None else cut).items():
        if at > seen:
            break
        when = at if books.test else now
        books = books.made(when)
        made = await change_documents(work, books, at, begun=begun)
        issued += await issue(work, books, made, until=at, at_once=True, begun=begun, now=when)
        if made and books.redemptions:
            books = replace(books, redemptions=await reductions_of(work, books.account_id))
    return issued


async def issue(
    work: BillingWork,
    books: Books,
    made: Sequence[Invoice],
    *,
    until: int,
    at_once: bool = False,
    reissues: str = "",
    begun: Collection[str] = (),
    sold: Sold | None = None,
    now: int,
) -> list[Invoice]:
    """Issue documents that were made of these books, of what was due by an instant, with what was known of them."""
    if not made:
        return []
    basis = replace(
        await basis_of(work, books, until=until, at_once=at_once),
        reissues=reissues,
        subscriptions=tuple(sorted(begun)),
    )
    if sold is not None:
        basis = replace(basis, order=sold.order_id, subscriptions=tuple(sorted(sold.subscription_ids)))
    return [await finalise(work, replace(each, basis=basis), books.issue_terms(until), now=now) for each in made]


async def basis_of(work: BillingWork, books: Books, *, until: int, at_once: bool) -> Basis:
    """What is known of an account as a document of it is made."""
    mark = await work.marks.of(books.account_id)
    held = books.timelines[0] if books.timelines else None  # all of an account have the same quantities and overrides
    return Basis(
        since=books.closed_until,
        until=until,
        documents=mark.documents,
        changes=mark.changes,
        through=await work.usage_log.head(),
        quantities=Counter(change.source for change in held.quantities) if held else {},
        overrides={override.override_id: override.end_time for override in held.overrides} if held else {},
        late=tuple(sorted({fact.feature_key for fact in books.late})),
        late_periods=books.policy.late_periods,
        at_once=at_once,
        forgiven=tuple(sorted(books.void)),
        tax=books.tax,
        redemptions={each.redemption_id: each.uses for each in books.redemptions},
    )


async def _plan_checks(work: BillingWork, account_id: str, *, now: int) -> None:
    """An account's books were written: they are looked at within a day, and its tenant's ledger."""
    await work.jobs.hasten(COMPLETENESS, account_id, due_time=now + _A_DAY)
    await work.jobs.hasten(AUDIT, "", due_time=now + _A_DAY)


async def _plan(work: BillingWork, books: Books, *, now: int) -> int | None:
    cut = books.next_cut()
    if cut is None:
        await work.jobs.done(CLOSE, books.account_id)
        return None
    due = cut if books.reviewed(cut) and cut > now else books.ready(cut)
    due = min([due, *books.openings(max(cut, now))])  # what begins waits for no draft
    await work.jobs.schedule(CLOSE, books.account_id, due_time=due)
    return due
