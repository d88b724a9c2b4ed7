"""Attempts to be paid: which one comes next, and what follows from its outcome. Each step is one transaction.

An attempt, with its key and all that is asked for, is committed before a gateway hears of it; what is not known of it
is found out before anything else is sent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tallygate.billing.methods import default_method
from tallygate.billing.receiving import receive
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.dunning import Case
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
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.payment_errors import NothingDueError, PaymentInFlightError
from tallygate.records.payments import COLLECT, RESOLVE
from tallygate.records.ports import BillingWork, NewId

_SECOND = 1_000_000
_TAKES = 60 * _SECOND
"""How long (real time) who sends an attempt may take, until others ask what became of it."""
_ENDED = (AttemptState.SUCCEEDED, AttemptState.FAILED)
_LOOK_AT_PENDING = 3_600 * _SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When something is done: by the tenant's clock, and in real time."""

    now: int
    real: int


async def next_attempt(work: BillingWork, account_id: str, moment: Moment, *, new_id: NewId) -> Attempt | None:
    """Begin the next attempt that an account's invoices are due for; None where there is none now, and when is planned.

    A retry that cannot help is not sent: without a method, or with one that was refused for good.
    """
    books = await _read(work, account_id, moment.now)
    for currency in books.currencies:
        case, target = books.cases.get(currency), books.target(currency)
        if target is None or (case is not None and not case.is_due(now=moment.now)):
            continue
        method = books.method
        if method is not None and (case is None or method.method_id != case.refused):
            attempt = _attempt(books.owed, target, method, attempt_id=f"pay_{new_id()}", now=moment.now)
            return await _begin(work, attempt, moment)
        await _climb(work, books, currency, moment.now)
    await plan_collecting(work, account_id, now=moment.now)
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
        if same or invoice.invoice_id in _ids(other):
            raise PaymentInFlightError(attempt_id=other.attempt_id)
    owed = await work.payments.owed(invoice.account_id)
    target = next(one for one in owed if one.invoice_id == invoice.invoice_id)
    attempt = _attempt([], target, method, attempt_id=attempt_id, now=moment.now)
    return await _begin(work, replace(attempt, cause=Cause.MANUAL), moment)


async def settle(work: BillingWork, attempt_id: str, outcome: Outcome, moment: Moment) -> Attempt:
    """Note what became of an attempt, once; what it said before and says again changes nothing."""
    known = await work.payments.attempt(attempt_id)
    assert known is not None, attempt_id  # noqa: S101 - attempts are never deleted
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
    match outcome.state:
        case AttemptState.SUCCEEDED:
            await receive(work, _payment(attempt, now=moment.now), first=[share.invoice_id for share in attempt.shares])
        case AttemptState.FAILED if attempt.cause is Cause.AUTOMATIC:
            await _dun(work, attempt, now=moment.now)
        case _:
            pass
    if ended:
        await work.jobs.done(RESOLVE, attempt_id)
    else:
        wait = _LOOK_AT_PENDING if outcome.state is AttemptState.PENDING else 0
        await work.jobs.schedule(RESOLVE, attempt_id, due_time=moment.now + wait)
    await work.jobs.hasten(COLLECT, attempt.account_id, due_time=moment.now)
    return attempt


async def look_again(work: BillingWork, attempt_id: str, *, due_time: int) -> None:
    """Nobody knows yet what became of an attempt: ask again then."""
    known = await work.payments.attempt(attempt_id)
    if known is not None and known.state in IN_FLIGHT:
        await work.payments.put_attempt(replace(known, state=AttemptState.UNKNOWN))
        await work.jobs.schedule(RESOLVE, attempt_id, due_time=due_time)


async def plan_collecting(work: BillingWork, account_id: str, *, now: int) -> None:
    """Plan when to look at an account again: as the next invoice falls due, or what failed is tried once more."""
    books = await _read(work, account_id, now)
    times = [one.balance.due_time for one in books.owed if one.balance.due_time > now]
    for currency in books.currencies:
        case = books.cases.get(currency)
        if case is not None and not books.overdue(currency):
            await work.payments.end_case(account_id, currency)
        elif case is not None and (retry := case.next_time(now=now)) is not None and retry > now:
            times.append(retry)
    if times:
        await work.jobs.schedule(COLLECT, account_id, due_time=min(times))
    else:
        await work.jobs.done(COLLECT, account_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Books:
    """What an account owes that is collected by itself, and what was tried."""

    account_id: str
    now: int
    owed: Sequence[Owed]
    unresolved: Sequence[Attempt]
    cases: dict[str, Case]
    method: Method | None
    policy: BillingPolicy

    @property
    def currencies(self) -> list[str]:
        """What is owed, or was not paid, in order."""
        return sorted({*self.cases, *(one.currency for one in self.owed)})

    def overdue(self, currency: str) -> list[Owed]:
        """What is due by now, oldest first."""
        return [one for one in self.owed if one.currency == currency and one.balance.due_time <= self.now]

    def target(self, currency: str) -> Owed | None:
        """What is to be asked for next; nothing while an attempt may still take money for it."""
        if any(one.currency == currency and one.state in IN_FLIGHT for one in self.unresolved):
            return None
        waiting = {invoice_id for attempt in self.unresolved for invoice_id in _ids(attempt)}
        return next((one for one in self.overdue(currency) if one.invoice_id not in waiting), None)


async def _read(work: BillingWork, account_id: str, now: int) -> _Books:
    gateways = await work.payments.gateways()
    since = min((gateway.create_time for gateway in gateways), default=None)
    owed = await work.payments.owed(account_id) if since is not None else []
    return _Books(
        account_id=account_id,
        now=now,
        owed=[one for one in owed if since is not None and one.issue_time >= since],
        unresolved=await work.payments.unresolved(account_id),
        cases={case.currency: case for case in await work.payments.cases(account_id)},
        method=await default_method(work, account_id),
        policy=(await work.catalog.load()).billing or BillingPolicy(),
    )


def _attempt(owed: Sequence[Owed], target: Owed, method: Method, *, attempt_id: str, now: int) -> Attempt:
    shares = tuple(Share(invoice_id=one.invoice_id, amount=one.balance.due) for one in (target, *_riders(owed, target)))
    return Attempt(
        attempt_id=attempt_id,
        account_id=method.account_id,
        invoice_id=target.invoice_id,
        currency=target.currency,
        amount=sum(share.amount for share in shares),
        shares=shares,
        gateway=method.gateway,
        method_id=method.method_id,
        token=method.token,
        text=f"INV {target.number}",
        cause=Cause.AUTOMATIC,
        create_time=now,
    )


def _riders(_owed: Sequence[Owed], _target: Owed) -> Iterator[Owed]:
    """Balances too small for an attempt of their own."""
    yield from ()


async def _begin(work: BillingWork, attempt: Attempt, moment: Moment) -> Attempt:
    begun = replace(attempt, sent_until=moment.real + _TAKES)
    await work.payments.put_attempt(begun)
    await work.jobs.schedule(RESOLVE, begun.attempt_id, due_time=moment.now, retry_time=begun.sent_until)
    return begun


async def _climb(work: BillingWork, books: _Books, currency: str, now: int) -> None:
    """A rung further without an attempt, which could not help."""
    known = books.cases.get(currency)
    case = known or Case(account_id=books.account_id, currency=currency, start_time=now)
    if case.at_once:
        moved = replace(case, at_once=False)
    else:
        moved = case.climbed(books.policy.dunning.retry_after_days, now=now, refused=case.refused)
    books.cases[currency] = moved
    await work.payments.put_case(moved)


async def _dun(work: BillingWork, attempt: Attempt, *, now: int) -> None:
    policy = (await work.catalog.load()).billing or BillingPolicy()
    known = {case.currency: case for case in await work.payments.cases(attempt.account_id)}
    first = Case(account_id=attempt.account_id, currency=attempt.currency, start_time=now)
    case = known.get(attempt.currency, first)
    ladder = policy.dunning.retry_after_days
    moved = case.failed(ladder, now=now, advice=attempt.advice, method_id=attempt.method_id)
    await work.payments.put_case(moved)


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


def _ids(attempt: Attempt) -> set[str]:
    return {share.invoice_id for share in attempt.shares}
