"""Disputes of payments: the gateway takes the money when one is opened, and whoever wins has it in the end.

What was lost is to be paid again: its invoices are open as before. A card whose charge was disputed is not charged
again by itself, for its holder has said that it must not be.
"""

from dataclasses import dataclass, replace

from tallygate.billing.dunning_runs import note_failure, review
from tallygate.billing.invoices import get_invoice
from tallygate.billing.owing import billing_policy
from tallygate.billing.telling import tell_dispute
from tallygate.billing.wallets import spend
from tallygate.domain.billing.amounts import check_amount
from tallygate.domain.billing.dispute_posting import dispute_entry, lost_entry, won_entry
from tallygate.domain.billing.disputes import Dispute, taken_back
from tallygate.domain.billing.gateway_events import DisputeNews, DisputeState
from tallygate.domain.billing.messages import priced
from tallygate.domain.billing.payments import Advice, AttemptState, Payment, PaymentKind
from tallygate.domain.billing.wallet import WalletEntry, WalletEntryKind
from tallygate.domain.currency import decimals_of
from tallygate.domain.errors import ConflictError, InvalidFieldError
from tallygate.domain.fields import checked_id
from tallygate.domain.money import Rounding, rounded
from tallygate.domain.payment_errors import PaymentNotFoundError
from tallygate.domain.prices import exact
from tallygate.records.paging import Page, PageRequest, key_of, newest_of
from tallygate.records.payments import MoneyQuery
from tallygate.records.ports import BillingWork

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDispute:
    """A dispute of a payment as a person tells it, in minor units; without an `amount` of all that did not go back."""

    payment_id: str
    dispute_id: str
    state: DisputeState
    amount: int | None = None
    fee: int | None = None
    reason: str = ""


async def note_dispute(work: BillingWork, gateway: str, news: DisputeNews, *, now: int) -> Dispute | None:
    """Note what a gateway tells of a dispute, once, in whatever order; None where no such charge is in the books."""
    payment = await work.payments.charged(gateway, news.charge_id)
    if payment is None or payment.currency != news.currency or news.amount <= 0:
        return None
    fee = await _fee(work, payment, news.fee)
    said = _dispute(payment, news.dispute_id, amount=news.amount, fee=fee, reason=news.reason, now=now)
    return await _note(work, payment, said, news.state, now=now)


async def record_dispute(work: BillingWork, wanted: RecordDispute, *, now: int) -> Dispute:
    """Note a dispute that a person tells of; the same again changes nothing.

    Raises:
        PaymentNotFoundError: no gateway took such a payment.
        InvalidFieldError: it is of no amount above 0, or of more than was paid.
        ConflictError: another payment's dispute has this id, or it ended otherwise.
    """
    payment = await work.payments.payment(wanted.payment_id)
    if payment is None or payment.kind is not PaymentKind.GATEWAY:
        raise PaymentNotFoundError(payment_id=wanted.payment_id)
    dispute_id = checked_id("dispute_id", wanted.dispute_id)
    known = await work.disputes.get(payment.gateway, dispute_id)
    if known is not None and known.payment_id != payment.payment_id:
        raise ConflictError(dispute_id=dispute_id)
    amount = wanted.amount
    if amount is None:
        amount = known.amount if known is not None else await _left(work, payment)
    if not 0 < amount <= payment.amount:
        expected = f"more than 0, and at most the {priced(payment.amount, payment.currency)} that were paid"
        raise InvalidFieldError(field="amount", expected=expected, got=priced(amount, payment.currency))
    if len(wanted.reason) > _LONGEST_REASON or not wanted.reason.isprintable():
        raise InvalidFieldError(field="reason", expected=f"up to {_LONGEST_REASON} printable characters")
    fee = await _fee(work, payment, wanted.fee)
    said = _dispute(payment, dispute_id, amount=amount, fee=fee, reason=wanted.reason, now=now)
    noted = await _note(work, payment, said, wanted.state, now=now)
    if wanted.state.rank and noted.state is not wanted.state:
        raise ConflictError(dispute_id=dispute_id, state=noted.state.value)
    return noted


async def _left(work: BillingWork, payment: Payment) -> int:
    """What of a payment was not given back."""
    refunds = {
        one.refund_id: one.amount
        for share in payment.shares
        for one in await work.refunds.of_invoice(share.invoice_id)
        if share.invoice_id and one.payment_id == payment.payment_id and one.state is not AttemptState.FAILED
    }
    return payment.amount - sum(refunds.values())


async def list_disputes(work: BillingWork, wanted: MoneyQuery, page: PageRequest) -> Page[Dispute]:
    """Disputes, newest first."""
    return await newest_of(
        page,
        lambda before, limit: work.disputes.list(replace(wanted, limit=limit, before=before)),
        lambda dispute: (dispute.create_time, key_of(dispute.gateway, dispute.dispute_id)),
    )


async def _note(work: BillingWork, payment: Payment, said: Dispute, state: DisputeState, *, now: int) -> Dispute:
    known = await work.disputes.get(payment.gateway, said.dispute_id)
    if known is not None and known.payment_id != payment.payment_id:
        return known  # a gateway's ids are its own: what it says of another charge is not believed
    if known is None:
        known = said
        await work.disputes.put(known)
        tell_dispute(work, known, now=now)
        await work.ledger.post(dispute_entry(known, time=now))
    if state.rank <= known.state.rank:
        return known
    if state is DisputeState.WON:
        ended = replace(known, state=state, end_time=now)
        await work.disputes.put(ended)
        tell_dispute(work, ended, now=now)
        await work.ledger.post(won_entry(ended, time=now))
        return ended
    return await _lose(work, payment, known, now=now)


async def _lose(work: BillingWork, payment: Payment, known: Dispute, *, now: int) -> Dispute:
    wallet = (await work.wallet.sums(known.account_id)).get(known.currency, 0)
    gone = [share for other in await work.disputes.of(payment.payment_id) for share in other.shares]
    shares = taken_back(known.amount, payment.shares, gone, wallet=wallet)
    lost = replace(known, state=DisputeState.LOST, shares=shares, end_time=now)
    await work.disputes.put(lost)
    tell_dispute(work, lost, now=now)
    await work.ledger.post(lost_entry(lost, time=now))
    for share in shares:
        if share.invoice_id:
            balance = (await get_invoice(work, share.invoice_id)).balance
            await work.balances.put(share.invoice_id, balance.reopened(share.amount))
        else:
            await work.wallet.add(_taken(lost, share.amount, now=now))
    cause = f"dispute/{lost.gateway}/{lost.dispute_id}"
    await spend(work, lost.account_id, lost.currency, cause_id=cause, now=now)
    attempt = await work.payments.attempt(payment.payment_id)
    if attempt is not None and any(one.currency == lost.currency for one in await work.payments.owed(lost.account_id)):
        await note_failure(work, replace(attempt, advice=Advice.NEVER), now=now)
    await review(work, lost.account_id, now=now)
    return lost


def _dispute(payment: Payment, dispute_id: str, *, amount: int, fee: int, reason: str, now: int) -> Dispute:
    return Dispute(
        dispute_id=dispute_id,
        gateway=payment.gateway,
        payment_id=payment.payment_id,
        account_id=payment.account_id,
        currency=payment.currency,
        amount=amount,
        fee=fee,
        state=DisputeState.OPENED,
        reason=reason,
        create_time=now,
    )


def _taken(lost: Dispute, amount: int, *, now: int) -> WalletEntry:
    kind = WalletEntryKind.DISPUTED
    return WalletEntry(
        entry_id=f"{kind.value}/{lost.gateway}/{lost.dispute_id}",
        account_id=lost.account_id,
        create_time=now,
        currency=lost.currency,
        amount=-amount,
        kind=kind,
        invoice_id="",
    )


async def _fee(work: BillingWork, payment: Payment, told: int | None) -> int:
    """What a gateway keeps for a dispute: as it says, else as the catalogue does for its own currency."""
    if told is not None:
        check_amount(told, payment.currency, field="fee", least=0)
        return told
    usual = exact((await billing_policy(work)).dispute_fee)
    if payment.currency != (await work.tenants.get()).currency:
        return 0
    return rounded(usual * 10 ** decimals_of(payment.currency), Rounding.HALF_UP)
