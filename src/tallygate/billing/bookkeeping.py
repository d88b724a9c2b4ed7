"""What is posted of documents, in the transaction that issues them, and of their lines as they become income."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.posting import (
    Transfer,
    credit_entry,
    invoice_entry,
    is_money,
    recognition_entry,
    reversed_entry,
)
from tallygate.domain.billing.recognition import credited, recognised
from tallygate.records.ledger import RECOGNISE, PlannedPart, TransferQuery
from tallygate.records.lookup import billing_calendar
from tallygate.records.ports import BillingWork

_TRANSFERS = 1_000
_DOCUMENTS = 100
"""Documents from before there was a ledger that one transaction posts of an account."""


async def post_document(work: BillingWork, document: Invoice, *, zone: str) -> None:
    """Post an issued document, and plan what of it becomes income later, by calendar months of a zone."""
    parts = [part for line in document.lines for part in recognised(line, issued=document.issue_time, zone=zone)]
    await work.ledger.post(invoice_entry(document, parts))
    later = [part for part in parts if part.time > document.issue_time]
    if later:
        await work.recognitions.plan(
            [
                PlannedPart(
                    part=part,
                    account_id=document.account_id,
                    document_id=document.invoice_id,
                    source=part.line_key,
                )
                for part in later
            ]
        )
        await work.jobs.hasten(RECOGNISE, document.account_id, due_time=min(part.time for part in later))


async def post_note(
    work: BillingWork, note: Invoice, sources: Mapping[str, str], *, off: int, kept: int, owed_back: int
) -> None:
    """Post a note that credits lines, named by `sources`: what of them is no income yet never will be."""
    income: list[int] = []
    for line in note.lines:
        source = sources[line.source_line]
        left = await work.recognitions.left(source, after=note.issue_time)
        taken, recognised = credited(-line.amount, left, line_key=line.line_key)
        income.append(recognised)
        account = {"account_id": note.account_id, "document_id": note.invoice_id, "source": source}
        await work.recognitions.plan([PlannedPart(part=part, **account) for part in taken])
    await work.ledger.post(credit_entry(note, income, off=off, kept=kept, owed_back=owed_back))


async def reverse_document(work: BillingWork, document: Invoice, *, now: int) -> None:
    """Take back all that was posted of a document that is void: lines, income, and what a wallet gave for it.

    What was paid for it and taken back by a bank came and went: that stays.
    """
    query = TransferQuery(limit=_TRANSFERS, document_id=document.invoice_id, oldest_first=True)
    posted: list[Transfer] = []
    while found := await work.ledger.list(query):
        posted += [one for one in found if not is_money(one)]
        query = replace(query, beyond=(found[-1].time, found[-1].entry_id, found[-1].line))
    await work.ledger.post(reversed_entry(posted, f"void/{document.invoice_id}", time=now))


async def recognise(work: BillingWork, account_ids: Sequence[str], *, now: int) -> None:
    """Post what has become income of accounts, with the instants at which it did, and plan the next looks."""
    ordered = sorted(account_ids)
    more = {each for each in await work.ledger.with_unposted(ordered) if await _post_unposted(work, each)}
    due = await work.recognitions.due(ordered, now=now)
    await work.ledger.post(
        [recognition_entry(one.part, account_id=one.account_id, document_id=one.document_id) for one in due]
    )
    following = await work.recognitions.next_times(ordered, after=now)
    for account_id in ordered:
        at = now if account_id in more else following.get(account_id)
        if at is None:
            await work.jobs.done(RECOGNISE, account_id)
        else:
            await work.jobs.schedule(RECOGNISE, account_id, due_time=at)


async def _post_unposted(work: BillingWork, account_id: str) -> bool:
    """Post documents that were issued before there was a ledger, as of their issue; whether there may be more."""
    found = await work.ledger.unposted(account_id, limit=_DOCUMENTS)
    account = await work.accounts.get(account_id)
    calendar = await billing_calendar(work, account, await work.catalog.load()) if account is not None else None
    for document_id in found:
        document = await work.invoices.get(document_id)
        if document is not None:
            await post_document(work, document, zone=calendar.zone_at(document.issue_time) if calendar else "UTC")
    return len(found) == _DOCUMENTS
