"""What is told of attempts, and messages as they were told: each in the transaction of what it is about."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tallygate.billing.owing import Owing
from tallygate.billing.situations import with_situation
from tallygate.domain.account import Standing
from tallygate.domain.billing.disputes import Dispute
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.messages import (
    NEVER_ARRIVED,
    Delivery,
    Message,
    MessageKind,
    major,
    of_attempt,
    of_dispute,
    of_failure,
    of_refund,
)
from tallygate.domain.billing.payments import Attempt, AttemptState
from tallygate.domain.billing.refunds import Refund
from tallygate.domain.instants import rfc3339
from tallygate.records.messages import MessageQuery
from tallygate.records.ports import BillingWork

_MOST_LINES = 2_000
"""A page of messages holds no more lines of documents, but for those of its first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message with its document as that stood then, and how it was delivered."""

    message: Message
    invoice: Invoice | None
    deliveries: Sequence[Delivery]


async def tell_attempt(work: BillingWork, attempt: Attempt, *, now: int) -> None:
    """Tell what became of an attempt, and of the invoices that it should have paid."""
    for message in of_attempt(attempt):
        work.messages.add(replace(message, create_time=now))
    if attempt.state is AttemptState.FAILED and attempt.reason != NEVER_ARRIVED:
        owed = {one.invoice_id: one.balance for one in await work.payments.owed(attempt.account_id)}
        for share in attempt.shares:
            if share.invoice_id in owed:
                message = of_failure(attempt, share.invoice_id, owed[share.invoice_id])
                work.messages.add(replace(message, create_time=now))


def tell_refund(work: BillingWork, refund: Refund, *, now: int) -> None:
    """Tell that money went back, or did not."""
    for message in of_refund(refund):
        work.messages.add(replace(message, create_time=now))


def tell_dispute(work: BillingWork, dispute: Dispute, *, now: int) -> None:
    """Tell where a dispute stands now."""
    work.messages.add(replace(of_dispute(dispute), create_time=now))


def tell_due(work: BillingWork, owing: Owing) -> None:
    """Tell of invoices that are due and that nothing is charged for, each once, with what else is due."""
    if owing.method is not None:
        return
    for currency in owing.currencies:
        due = owing.overdue(currency)
        for one in due:
            facts = {
                "due_invoices": " ".join(each.invoice_id for each in due),
                "amount": major(sum(each.balance.due for each in due), currency),
                "currency": currency,
                **({"due_at_issue": "true"} if one.balance.due_time <= one.issue_time else {}),
            }
            work.messages.add(
                Message(
                    kind=MessageKind.INVOICE_DUE,
                    about=one.invoice_id,
                    account_id=owing.account_id,
                    create_time=owing.now,
                    invoice_id=one.invoice_id,
                    balance=one.balance,
                    facts=facts,
                )
            )


_OF_STANDING = {
    Standing.PAST_DUE: MessageKind.DUNNING_PAST_DUE,
    Standing.SUSPENDED: MessageKind.DUNNING_SUSPENDED,
    Standing.GOOD: MessageKind.DUNNING_ENDED,
}


def tell_standing(work: BillingWork, account_id: str, standing: Standing, *, now: int) -> None:
    """Tell what an account has become for what it did not pay, or that it has paid."""
    kind = _OF_STANDING[standing]
    about = f"{account_id}/{rfc3339(now)}"
    work.messages.add(Message(kind=kind, about=about, account_id=account_id, create_time=now, again=True))


def tell_canceled(work: BillingWork, account_id: str, *, currency: str, since: int, now: int) -> None:
    """Tell that a subscription ends for what was not paid since: the last that is told of it."""
    work.messages.add(
        Message(
            kind=MessageKind.DUNNING_CANCELED,
            about=f"{account_id}/{currency}/{rfc3339(since)}",
            account_id=account_id,
            create_time=now,
            facts={"currency": currency, "start_time": rfc3339(since)},
        )
    )


async def list_messages(work: BillingWork, wanted: MessageQuery) -> tuple[Sequence[Told], int]:
    """Messages in the order in which they were told, and behind which number to go on.

    A page ends early where its documents have many lines.
    """
    head = await work.messages.head()
    found = await work.messages.list(wanted)
    delivered = await work.messages.deliveries([message.message_id for message in found])
    documents: dict[str, Invoice | None] = {}
    told: list[Told] = []
    lines = 0
    for message in found:
        if message.invoice_id and message.invoice_id not in documents:
            documents[message.invoice_id] = await _document(work, message)
        invoice = documents.get(message.invoice_id)
        lines += len(invoice.lines) if invoice is not None else 0
        if told and lines > _MOST_LINES:
            return told, told[-1].message.sequence
        told.append(Told(message=message, invoice=_then(invoice, message), deliveries=delivered[message.message_id]))
    last = told[-1].message.sequence if told else wanted.after
    return told, last if len(found) == wanted.limit else max(last, head)


async def told_of(work: BillingWork, message_id: str) -> Told | None:
    """One message with its document."""
    message = await work.messages.get(message_id)
    if message is None:
        return None
    invoice = await _document(work, message) if message.invoice_id else None
    delivered = await work.messages.deliveries([message_id])
    return Told(message=message, invoice=_then(invoice, message), deliveries=delivered[message_id])


async def _document(work: BillingWork, message: Message) -> Invoice | None:
    """A document as it is answered, with how its account stood at its issue."""
    invoice = await work.invoices.get(message.invoice_id)
    return await with_situation(work, invoice) if invoice is not None else None


def _then(invoice: Invoice | None, message: Message) -> Invoice | None:
    """A document as it stood when it was told of."""
    if invoice is None or message.balance is None:
        return invoice
    return replace(invoice, balance=message.balance)
