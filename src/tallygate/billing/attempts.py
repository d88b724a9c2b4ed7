"""Attempts to be paid: which one comes next, and what follows from its outcome. Each step is one transaction.

An attempt, with its key and all that is asked for, is committed before a gateway hears of it; what is not known of it
is found out before anything else is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tallygate.billing.dunning_runs import EndSubscription, climb, end_canceled, note_failure, review
from tallygate.billing.owing import read_owing
from tallygate.billing.ports import ChargeRequest
from tallygate.billing.receiving import receive
from tallygate.billing.telling import tell_attempt, tell_due
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.payments import (
    IN_FLIGHT,
    Attempt,
    AttemptState,
    Cause,
    Method,
    Outcome,
    Owed,
    Payment,
    PaymentKind,
    Share,
)
from tallygate.domain.payment_errors import NothingDueError, PaymentInFlightError
from tallygate.records.payments import COLLECT, RESOLVE
from tallygate.records.ports import BillingWork

_SECOND = 1_000_000
_TAKES = 60 * _SECOND
"""How long (real time) who sends an attempt may take, until others ask what became of it."""
_ENDED = (AttemptState.SUCCEEDED, AttemptState.FAILED)
_LOOK_AT_PENDING = 3_600 * _SECOND
_TOP_UP = "wallet/"
"""How begins what stands in the place of an invoice where money is for a wallet: an account has one such at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When something is done: by the tenant's clock, and in real time."""

    now: int
    real: int


async def next_attempt(
    work: BillingWork, account_id: str, moment: Moment, *, attempt_id: str, end: EndSubscription
) -> Attempt | None:
    """Begin the next attempt that an account's invoices are due for; None where there is none now, and when is planned.

    A retry that cannot help is not sent: without a method, or with one that was refused for good.
    """
    owing = await read_owing(work, account_id, now=moment.now)
    tell_due(work, owing)
    for currency in owing.currencies:
        case, target = owing.cases.get(currency), owing.target(currency)
        if not target or (case is not None and not case.is_due(now=moment.now)):
            continue
        method = owing.method
        if method is not None and (case is None or method.method_id != case.refused):
            attempt = _attempt(target, method, attempt_id=attempt_id, now=moment.now)
            return await _begin(work, attempt, moment)
        if case is not None or owing.begins(currency):
            await climb(work, owing, currency)
    await end_canceled(work, account_id, end, now=moment.now)
    await review(work, account_id, now=moment.now)
    return None


async def manual_attempt(
    work: BillingWork, invoice: Invoice, method: Method, moment: Moment, *, attempt_id: str
) -> Attempt:
    """Begin an attempt that somebody asked for.

    Raises:
        NothingDueError: nothing of the invoice is due.
        PaymentInFlightError: another attempt may still take money for it.
    """
    if invoice.state is not InvoiceState.OPEN or not invoice.balance.due:
        raise NothingDueError(invoice_id=invoice.invoice_id, state=invoice.state.value)
    for other in await work.payments.unresolved(invoice.account_id):
        same = other.state in IN_FLIGHT and other.currency == invoice.currency
        if same or any(share.invoice_id == invoice.invoice_id for share in other.shares):
            raise PaymentInFlightError(attempt_id=other.attempt_id)
    owed = await work.payments.owed(invoice.account_id)
    target = next(one for one in owed if one.invoice_id == invoice.invoice_id)
    attempt = _attempt([target], method, attempt_id=attempt_id, now=moment.now)
    return await _begin(work, replace(attempt, cause=Cause.MANUAL), moment)


async def top_up_attempt(
    work: BillingWork, method: Method, currency: str, amount: int, moment: Moment, *, attempt_id: str
) -> Attempt:
    """Begin to take money for an account's wallet; what is open is paid by it first, as by any wallet.

    Raises:
        PaymentInFlightError: another attempt may still take money of the account in this currency.
    """
    for other in await work.payments.unresolved(method.account_id):
        if other.currency == currency and (other.state in IN_FLIGHT or is_top_up(other)):
            raise PaymentInFlightError(attempt_id=other.attempt_id)
    attempt = Attempt(
        attempt_id=attempt_id,
        account_id=method.account_id,
        invoice_id=f"{_TOP_UP}{method.account_id}",
        currency=currency,
        amount=amount,
        shares=(Share(invoice_id="", amount=amount),),
        gateway=method.gateway,
        method_id=method.method_id,
        token=method.token,
        text="Prepayment",
        cause=Cause.MANUAL,
        create_time=moment.now,
    )
    return await _begin(work, attempt, moment)


def is_top_up(attempt: Attempt) -> bool:
    """Whether an attempt is for a wallet, not for an invoice."""
    return attempt.invoice_id.startswith(_TOP_UP)


async def settle(work: BillingWork, attempt_id: str, outcome: Outcome, moment: Moment) -> Attempt:
    """Note what became of an attempt, once; what it said before and says again changes nothing."""
    known = await work.payments.attempt(attempt_id)
    assert known is not None, attempt_id  # noqa: S101 - attempts are never deleted
    return await settle_known(work, known, outcome, moment)


async def settle_known(work: BillingWork, known: Attempt, outcome: Outcome, moment: Moment) -> Attempt:
    """Note what became of an attempt that this transaction has read."""
    if outcome.state.rank < known.state.rank or (known.state is outcome.state and known.end_time is not None):
        return known
    ended = outcome.state in _ENDED
    attempt = replace(
        known,
        state=outcome.state,
        advice=outcome.advice,
        reason=outcome.reason,
        gateway_id=outcome.gateway_id or known.gateway_id,
        next_action_url=outcome.next_action_url,
        end_time=moment.now if ended else None,
    )
    await work.payments.put_attempt(attempt)
    await tell_attempt(work, attempt, now=moment.now)
    if ended:
        await work.jobs.done(RESOLVE, attempt.attempt_id)
    else:
        wait = _LOOK_AT_PENDING if outcome.state is AttemptState.PENDING else 0
        await work.jobs.schedule(RESOLVE, attempt.attempt_id, due_time=moment.now + wait)
    if outcome.state is AttemptState.SUCCEEDED:
        await receive(work, _payment(attempt, now=moment.now), first=[share.invoice_id for share in attempt.shares])
    elif outcome.state is AttemptState.FAILED and outcome.arrived and attempt.cause is Cause.AUTOMATIC:
        await note_failure(work, attempt, now=moment.now)
    await review(work, attempt.account_id, now=moment.now)
    return attempt


async def settle_and_look(work: BillingWork, attempt: Attempt, outcome: Outcome, moment: Moment) -> bool:
    """Note an outcome; whether there is more to do for its account now, as where a failure was the last one."""
    await settle(work, attempt.attempt_id, outcome, moment)
    if outcome.state is AttemptState.FAILED:
        return True
    return bool(await work.jobs.due(COLLECT, now=moment.now, limit=1, subject=attempt.account_id))


async def look_again(work: BillingWork, attempt_id: str, *, due_time: int) -> None:
    """Nobody knows yet what became of an attempt: ask again then."""
    known = await work.payments.attempt(attempt_id)
    if known is not None and known.state in IN_FLIGHT:
        await work.payments.put_attempt(replace(known, state=AttemptState.UNKNOWN))
        await work.jobs.schedule(RESOLVE, attempt_id, due_time=due_time)


def request_of(tenant_id: str, attempt: Attempt) -> ChargeRequest:
    """What a gateway is asked for: of the same attempt always the same. Its token is still as it is kept."""
    return ChargeRequest(
        tenant_id=tenant_id,
        key=attempt.key,
        attempt_id=attempt.attempt_id,
        account_id=attempt.account_id,
        currency=attempt.currency,
        amount=attempt.amount,
        token=attempt.token,
        text=attempt.text,
        time=attempt.create_time,
    )


def _attempt(target: Sequence[Owed], method: Method, *, attempt_id: str, now: int) -> Attempt:
    shares = tuple(Share(invoice_id=one.invoice_id, amount=one.balance.due) for one in target)
    return Attempt(
        attempt_id=attempt_id,
        account_id=method.account_id,
        invoice_id=target[0].invoice_id,
        currency=target[0].currency,
        amount=sum(share.amount for share in shares),
        shares=shares,
        gateway=method.gateway,
        method_id=method.method_id,
        token=method.token,
        text=f"INV {target[0].number}",
        cause=Cause.AUTOMATIC,
        create_time=now,
    )


async def _begin(work: BillingWork, attempt: Attempt, moment: Moment) -> Attempt:
    begun = replace(attempt, sent_until=moment.real + _TAKES)
    await work.payments.put_attempt(begun)
    await work.jobs.schedule(RESOLVE, begun.attempt_id, due_time=moment.now, retry_time=begun.sent_until)
    return begun


def _payment(attempt: Attempt, *, now: int) -> Payment:
    return Payment(
        payment_id=attempt.attempt_id,
        account_id=attempt.account_id,
        currency=attempt.currency,
        amount=attempt.amount,
        kind=PaymentKind.GATEWAY,
        shares=(),
        gateway=attempt.gateway,
        gateway_id=attempt.gateway_id,
        create_time=now,
    )
