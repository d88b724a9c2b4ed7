"""Refunds: a line is credited, and what was paid for it goes back as it came. Each step is one transaction.

What goes through a gateway is an attempt: it is committed, with its key, before a gateway hears of it. What a gateway
does not give back is kept in the account's wallet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tallygate.billing.attempts import Moment
from tallygate.billing.crediting import (
    CreateCreditNote,
    CreditNote,
    Settled,
    checked_credit,
    issue_credit,
    known_credit,
    made_note,
)
from tallygate.billing.dunning_runs import review
from tallygate.billing.invoices import get_invoice
from tallygate.billing.telling import tell_refund
from tallygate.billing.wallets import spend
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.gateway_events import DisputeState
from tallygate.domain.billing.messages import priced
from tallygate.domain.billing.payments import IN_FLIGHT, Advice, AttemptState, Outcome, Payment, PaymentKind
from tallygate.domain.billing.posting import FUNDS, refund_entry, refund_failed_entry
from tallygate.domain.billing.refunds import Refund, RefundKind, Source, parted, rank_of
from tallygate.domain.billing.wallet import WalletEntry, WalletEntryKind
from tallygate.domain.payment_errors import CreditExceedsLineError, FundsShortError
from tallygate.records.paging import Page, PageRequest, newest_of
from tallygate.records.payments import RESOLVE_REFUND, MoneyQuery
from tallygate.records.ports import BillingWork, NewId

_SECOND = 1_000_000
_TAKES = 60 * _SECOND
"""How long (real time) who sends a refund may take, until others ask what became of it."""
_DAY = 86_400 * _SECOND
_TRIES = 5
"""How often what a gateway refuses for now is asked for again, a day later each time, until the wallet keeps it."""
_LOOK_AT_PENDING = 3_600 * _SECOND
_ENDED = (AttemptState.SUCCEEDED, AttemptState.FAILED)
_MOST_PAYMENTS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """A note that was issued, the invoice after it, and the parts in which its sum goes back."""

    note: Invoice
    invoice: Invoice
    parts: tuple[Refund, ...]


async def begin_refund(work: BillingWork, wanted: CreateCreditNote, moment: Moment, *, new_id: NewId) -> Refunded:
    """Credit lines of an invoice that was paid, and begin to give back what they came to; the same again is answered.

    Raises:
        FundsShortError: the gateways hold less than is to be given back.
        CreditExceedsLineError: less is left of a line, or of what was paid and is not disputed.
        and whatever `create_credit_note` raises.
    """
    invoice = await get_invoice(work, wanted.invoice)
    credit_id = checked_credit(wanted, new_id)
    known = await known_credit(work, invoice, wanted, credit_id)
    if known is not None:
        return Refunded(note=known, invoice=invoice, parts=tuple(await work.refunds.of_credit(credit_id)))
    note = await made_note(work, invoice, wanted, credit_id, now=moment.now)
    sources = await sources_of(work, invoice)
    available = min(invoice.balance.returnable, sum(source.left for source in sources))
    if -note.total > available:
        raise CreditExceedsLineError(invoice_id=invoice.invoice_id, available=priced(available, invoice.currency))
    parts = parted(-note.total, sources)
    await check_funds(work, parts, invoice.currency, now=moment.now)
    kept = sum(amount for source, amount in parts if source.kind is RefundKind.WALLET)
    settled = Settled(kept=kept, owed_back=-note.total - kept)
    issued = await issue_credit(work, invoice, note, settled, now=moment.now)
    begun = [
        await begin_part(work, issued, source, amount, f"{credit_id}/{number}", credit_id, moment)
        for number, (source, amount) in enumerate(parts, start=1)
    ]
    await review(work, invoice.account_id, now=moment.now)
    return Refunded(note=issued.note, invoice=await get_invoice(work, invoice.invoice_id), parts=tuple(begun))


async def settle_refund(work: BillingWork, refund_id: str, outcome: Outcome, moment: Moment) -> Refund | None:
    """Note what became of a refund, once; what it said before and says again changes nothing. None: no such refund."""
    known = await work.refunds.get(refund_id)
    if known is None or rank_of(outcome.state) < rank_of(known.state):
        return known
    if known.state is outcome.state and known.end_time is not None:
        return known
    if outcome.state is AttemptState.FAILED and outcome.advice is Advice.RETRY_LATER and known.tries < _TRIES:
        return await _planned(work, known, outcome, moment)
    ended = outcome.state in _ENDED
    refund = replace(
        known,
        state=outcome.state,
        advice=outcome.advice,
        reason=outcome.reason,
        gateway_id=outcome.gateway_id or known.gateway_id,
        end_time=moment.now if ended else None,
    )
    await work.refunds.put(refund)
    tell_refund(work, refund, now=moment.now)
    if ended:
        await work.jobs.done(RESOLVE_REFUND, refund_id)
    else:
        wait = _LOOK_AT_PENDING if outcome.state is AttemptState.PENDING else 0
        await work.jobs.schedule(RESOLVE_REFUND, refund_id, due_time=moment.now + wait)
    if outcome.state is AttemptState.SUCCEEDED:
        await work.ledger.post([refund_entry(refund, time=moment.now)])
    elif outcome.state is AttemptState.FAILED:
        await _keep(work, refund, paid_out=known.state is AttemptState.SUCCEEDED, now=moment.now)
    return refund


async def retry_refund(work: BillingWork, refund_id: str, moment: Moment) -> Refund | None:
    """Begin to ask again for what was refused for now; None where it does not wait for that any more."""
    known = await work.refunds.get(refund_id)
    if known is None or not known.waits:
        return None
    begun = replace(
        known, state=AttemptState.SENDING, advice=None, try_time=moment.now, sent_until=moment.real + _TAKES
    )
    await work.refunds.put(begun)
    await work.jobs.schedule(RESOLVE_REFUND, refund_id, due_time=moment.now, retry_time=begun.sent_until)
    return begun


async def _planned(work: BillingWork, known: Refund, outcome: Outcome, moment: Moment) -> Refund:
    """Refused for now, as where funds are short: owed back as before, and asked for again a day later."""
    waiting = replace(
        known, state=AttemptState.PENDING, advice=outcome.advice, reason=outcome.reason, tries=known.tries + 1
    )
    await work.refunds.put(waiting)
    await work.jobs.schedule(RESOLVE_REFUND, known.refund_id, due_time=moment.now + _DAY)
    return waiting


async def look_again_at_refund(work: BillingWork, refund_id: str, *, due_time: int) -> None:
    """Nobody knows yet what became of a refund: ask again then."""
    known = await work.refunds.get(refund_id)
    if known is not None and known.state in IN_FLIGHT:
        await work.refunds.put(replace(known, state=AttemptState.UNKNOWN))
        await work.jobs.schedule(RESOLVE_REFUND, refund_id, due_time=due_time)


async def list_refunds(work: BillingWork, wanted: MoneyQuery, page: PageRequest) -> Page[Refund]:
    """Money that went back, newest first."""
    return await newest_of(
        page,
        lambda before, limit: work.refunds.list(replace(wanted, limit=limit, before=before)),
        lambda refund: (refund.create_time, refund.refund_id),
    )


async def sources_of(work: BillingWork, invoice: Invoice) -> list[Source]:
    """By which ways an invoice was paid, in the order in which it was, and what is left of each; the wallet is last."""
    query = MoneyQuery(limit=_MOST_PAYMENTS, invoice_id=invoice.invoice_id)
    before = await work.refunds.of_invoice(invoice.invoice_id)
    found = [await _source(work, invoice, payment, before) for payment in reversed(await work.payments.payments(query))]
    gone = sum(one.amount for one in before if one.kind is RefundKind.WALLET)
    found.append(Source(kind=RefundKind.WALLET, left=max(invoice.balance.wallet - gone, 0)))
    return [source for source in found if source.left]


async def _source(work: BillingWork, invoice: Invoice, payment: Payment, before: Sequence[Refund]) -> Source:
    paid = sum(share.amount for share in payment.shares if share.invoice_id == invoice.invoice_id)
    gone = sum(one.amount for one in before if one.payment_id == payment.payment_id)
    disputes = await work.disputes.of(payment.payment_id)
    gone += sum(share.amount for one in disputes for share in one.shares if share.invoice_id == invoice.invoice_id)
    is_disputed = any(one.state is DisputeState.OPENED for one in disputes)
    return Source(
        kind=RefundKind.OFFLINE if payment.kind is PaymentKind.OFFLINE else RefundKind.GATEWAY,
        left=0 if is_disputed else max(paid - gone, 0),
        payment_id=payment.payment_id,
        gateway=payment.gateway,
        charge_id=payment.gateway_id,
    )


async def check_funds(work: BillingWork, parts: Sequence[tuple[Source, int]], currency: str, *, now: int) -> None:
    """Whether the gateways hold what is to be given back.

    Raises:
        FundsShortError: they do not.
    """
    asked = sum(amount for source, amount in parts if source.kind is RefundKind.GATEWAY)
    if asked:
        on_their_way = await work.refunds.on_their_way(currency)
        available = await work.ledger.stands(FUNDS, currency, at=now) - on_their_way
        if asked > available:
            there = priced(max(available, 0), currency)
            raise FundsShortError(currency=currency, asked=priced(asked, currency), available=there)


async def begin_part(
    work: BillingWork,
    issued: CreditNote,
    source: Source,
    amount: int,
    refund_id: str,
    credit_id: str,
    moment: Moment,
) -> Refund:
    """Begin to give back an amount by one way."""
    through = source.kind is RefundKind.GATEWAY
    refund = Refund(
        refund_id=refund_id,
        credit_id=credit_id,
        account_id=issued.invoice.account_id,
        invoice_id=issued.invoice.invoice_id,
        note_id=issued.note.invoice_id,
        payment_id=source.payment_id,
        kind=source.kind,
        currency=issued.invoice.currency,
        amount=amount,
        text=issued.note.number,
        gateway=source.gateway,
        charge_id=source.charge_id,
        state=AttemptState.SENDING if through else AttemptState.SUCCEEDED,
        create_time=moment.now,
        end_time=None if through else moment.now,
        sent_until=moment.real + _TAKES if through else 0,
    )
    await work.refunds.put(refund)
    tell_refund(work, refund, now=moment.now)
    if through:
        await work.jobs.schedule(RESOLVE_REFUND, refund_id, due_time=moment.now, retry_time=refund.sent_until)
    elif source.kind is RefundKind.OFFLINE:
        await work.ledger.post([refund_entry(refund, time=moment.now)])
    return refund


async def _keep(work: BillingWork, refund: Refund, *, paid_out: bool, now: int) -> None:
    """What a gateway did not give back is kept for the account, and pays what is open."""
    entry = WalletEntry(
        entry_id=f"{WalletEntryKind.REFUND_FAILED.value}/{refund.refund_id}",
        account_id=refund.account_id,
        create_time=now,
        currency=refund.currency,
        amount=refund.amount,
        kind=WalletEntryKind.REFUND_FAILED,
        invoice_id=refund.note_id,
    )
    await work.wallet.add(entry)
    await work.ledger.post([refund_failed_entry(refund, paid_out=paid_out, time=now)])
    note = await get_invoice(work, refund.note_id)
    balance = replace(note.balance, paid=note.balance.paid + refund.amount, wallet=note.balance.wallet - refund.amount)
    await work.balances.put(note.invoice_id, balance)
    await spend(work, refund.account_id, refund.currency, cause_id=entry.entry_id, now=now)
    await review(work, refund.account_id, now=now)
