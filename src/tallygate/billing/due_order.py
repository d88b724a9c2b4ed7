"""What falls due of a tenant, in the order in which it does: invoices, their collection, what became of attempts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from weakref import WeakValueDictionary

from tallygate.billing.activation import ORDER_JOB
from tallygate.billing.asking_apps import ChargeRunner
from tallygate.billing.forgetting import MethodForgetter
from tallygate.billing.giving import expire_credit
from tallygate.billing.notices import NoticeRunner
from tallygate.billing.partners.recurring import submit_due
from tallygate.billing.paying import PaymentRunner
from tallygate.billing.ports import NoAnswerError
from tallygate.billing.refunding import RefundRunner
from tallygate.billing.running import BillingRunner
from tallygate.billing.unpaid_orders import expire_order
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.errors import TallygateError, UnavailableError
from tallygate.records.app_charges import CHARGES
from tallygate.records.jobs import CLOSE, EXPIRE, Job
from tallygate.records.messages import NOTICE
from tallygate.records.partners import RECURRING_BILL
from tallygate.records.payments import COLLECT, FORGET, RESOLVE, RESOLVE_REFUND
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import Transactions

_KINDS = (NOTICE, EXPIRE, RECURRING_BILL, CHARGES, CLOSE, RESOLVE, RESOLVE_REFUND, COLLECT, FORGET)
_OF_ALL = (EXPIRE, RECURRING_BILL, RESOLVE, RESOLVE_REFUND, FORGET)
"""What falls due at the same instant is done in this order."""
_MOST_INVOICES = 1_000
_PATIENCE = 3_000_000
"""How long (real time) a call's run goes on: callers' deadlines are longer, and are told how far it came."""
_AT_ONCE = 8
"""So many accounts of a tenant ask their gateway at the same time; each has a transaction before and after it."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A job that could not be done, and why; what is due of others was done all the same."""

    job: Job
    error: Exception

    @property
    def problem(self) -> str:
        """Why, in words for callers; a defect's own are in the log alone."""
        return str(self.error) if isinstance(self.error, TallygateError) else "A defect of the server: see its log."


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run issued, whether there may be more, and what failed."""

    invoices: tuple[Invoice, ...]
    more: bool
    failed: tuple[Failed, ...] = ()


class _Left(Enum):
    """What is left when a turn ends: nothing that is due, what cannot be done yet, or perhaps more."""

    NOTHING = auto()
    WAITS = auto()
    MORE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRunner:
    """Runs what is due; `clock` is real time.

    `patience` is how long a caller's run goes on before it answers, in microseconds.

    Of a test tenant, whose clock leaps, everything is done in due order, each at its own instant: the books of a leap
    are those of many steps.
    """

    transactions: Transactions
    billing: BillingRunner
    payments: PaymentRunner
    refunds: RefundRunner
    methods: MethodForgetter
    notices: NoticeRunner
    charges: ChargeRunner
    clock: Callable[[], int]
    patience: int = _PATIENCE
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def close(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: issue what is due of accounts."""
        if not await self._in_order(jobs):
            await self.billing.handle(jobs)

    async def collect(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: collect what accounts owe."""
        if not await self._in_order(jobs):
            await _all(self.payments.collect_account(job.tenant_id, job.subject) for job in jobs)

    async def resolve(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: find out what became of attempts."""
        if not await self._in_order(jobs):
            await _all(self.payments.resolve_attempt(job.tenant_id, job.subject) for job in jobs)

    async def resolve_refunds(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: find out what became of refunds."""
        if not await self._in_order(jobs):
            await _all(self.refunds.resolve(job.tenant_id, job.subject) for job in jobs)

    async def forget(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: have gateways forget methods that are used no more."""
        if not await self._in_order(jobs):
            await _all(self.methods.forget(job.tenant_id, job.subject) for job in jobs)

    async def expire(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: what was given and not spent, or ordered and not paid, in time."""
        if not await self._in_order(jobs):
            await _all(self._expire(job) for job in jobs)

    async def notice(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: tell accounts what is ahead of them."""
        if not await self._in_order(jobs):
            await self.notices.handle(jobs)

    async def charge(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: ask apps what they charge accounts."""
        if not await self._in_order(jobs):
            await _all(self.charges.look(job.tenant_id, job.subject) for job in jobs)

    async def run(self, tenant_id: str, account_id: str = "") -> Run:
        """Do all that is due of a tenant, or of one account of it, oldest first, as far as gateways answer.

        It answers when its patience ends, though more is due; so it does where somebody else is at it all the while.
        What fails holds up its own subject alone, and is told beside it. Of one account it is raised.

        Raises:
            AccountNotFoundError: there is no such account.
        """
        found: list[Invoice] = []
        failed: list[Failed] = []
        if account_id:
            found += await self.billing.look(tenant_id, account_id)
        test, until = await self._is_test(tenant_id), self.clock() + self.patience
        try:
            left = await self._drain(tenant_id, account_id, found, failed, test=test, until=until)
            more = left is not _Left.NOTHING
        except NoAnswerError:
            more = True
        for one in failed:
            if account_id:
                raise one.error
            if not isinstance(one.error, TallygateError):
                _log.error("job %s of %s failed", one.job.kind, one.job.subject, exc_info=one.error)
        return Run(invoices=tuple(found), more=more, failed=tuple(failed))

    async def _in_order(self, jobs: Sequence[Job]) -> bool:
        """Do all that is due of a test tenant; False of others, whose jobs need no order.

        Raises what one of these jobs failed by: others' failures are theirs.
        """
        tenant_id = jobs[0].tenant_id
        if not await self._is_test(tenant_id):
            return False
        failed: list[Failed] = []
        while await self._drain(tenant_id, "", [], failed, test=True) is _Left.MORE:
            pass  # in turns: who asks for a run meanwhile waits for none of the rest
        mine = {(job.kind, job.subject) for job in jobs}
        for one in failed:
            if (one.job.kind, one.job.subject) in mine:
                raise one.error
        return True

    async def _drain(
        self,
        tenant_id: str,
        account_id: str,
        found: list[Invoice],
        failed: list[Failed],
        *,
        test: bool,
        until: int | None = None,
    ) -> _Left:
        """Do what is due, one after the other, but for what `failed`; what is left.

        No job begins after `until`, but for the first; a worker's turn is a third of what a caller has patience for.
        """
        turn = self._turns.setdefault(tenant_id, asyncio.Lock())
        try:
            await asyncio.wait_for(turn.acquire(), None if until is None else (until - self.clock()) / 1_000_000)
        except TimeoutError:
            return _Left.MORE
        until = self.clock() + self.patience // 3 if until is None else until
        try:
            while len(found) < _MOST_INVOICES:
                job = await self.transactions.read(
                    tenant_id, lambda work, now: _next_due(work, account_id, failed, now), now=self.clock()
                )
                if job is None:
                    return _Left.NOTHING
                if not await self._tried(tenant_id, job, found, failed, at=job.due_time if test else None):
                    return _Left.WAITS
                if self.clock() >= until:
                    break
        finally:
            turn.release()
        return _Left.MORE

    async def _tried(
        self, tenant_id: str, job: Job, found: list[Invoice], failed: list[Failed], *, at: int | None
    ) -> bool:
        """Do what a job is about, or note that it failed; False where it cannot be done yet."""
        try:
            if job.kind != CLOSE:
                return await self._do(tenant_id, job, at=at)
            found += await self.billing.look(tenant_id, job.subject, due_time=job.due_time)
        except (NoAnswerError, UnavailableError):
            raise
        except Exception as error:  # noqa: BLE001 - a boundary: told and logged, and holds up no other account
            failed.append(Failed(job=job, error=error))
        return True

    async def _do(self, tenant_id: str, job: Job, *, at: int | None) -> bool:
        """Do what a job is about; False where it cannot be done yet."""
        match job.kind:
            case "collect":
                await self.payments.collect_account(tenant_id, job.subject, at=at)
            case "expire" | "recurring_bill":
                await self._expire(job, at=at)
            case "charges":
                await self.charges.look(tenant_id, job.subject, at=at)
            case "notice":
                await self.notices.look(tenant_id, job.subject, at=at)
            case "forget_method":
                await self.methods.forget(tenant_id, job.subject, at=at)
            case "resolve_refund":
                return await self.refunds.resolve(tenant_id, job.subject, at=at)
            case _:
                return await self.payments.resolve_attempt(tenant_id, job.subject, at=at)
        return True

    async def _expire(self, job: Job, *, at: int | None = None) -> None:
        """What was given and not spent, or ordered and not paid, in time, or comes again; as of now, or an instant."""
        await self.transactions.write(
            job.tenant_id, lambda work, now: _expired(work, job, now=now if at is None else at), now=self.clock()
        )

    async def _is_test(self, tenant_id: str) -> bool:
        async def test(work: BillingWork, _now: int) -> bool:
            return (await work.tenants.get()).test

        return await self.transactions.read(tenant_id, test, now=self.clock())


async def _expired(work: BillingWork, job: Job, *, now: int) -> None:
    subject = job.subject
    if job.kind == RECURRING_BILL:
        await submit_due(work, subject, now=now, new_id=str)
    elif subject.startswith(ORDER_JOB):
        await expire_order(work, subject.removeprefix(ORDER_JOB), now=now)
    else:
        await expire_credit(work, subject, now=now)


async def _next_due(work: BillingWork, account_id: str, failed: Sequence[Failed], now: int) -> Job | None:
    """What is due first and has not failed; jobs whose subject is no account are looked at whosever they are."""
    beyond = {(one.job.kind, one.job.subject) for one in failed}
    found: list[Job] = []
    for kind in _KINDS:
        subject, limit = "" if kind in _OF_ALL else account_id, 1 + sum(kind == other for other, _ in beyond)
        due = await work.jobs.due(kind, now=now, limit=limit, subject=subject)
        found += [job for job in due if (job.kind, job.subject) not in beyond][:1]
    return min(found, key=lambda job: (job.due_time, _KINDS.index(job.kind)), default=None)


async def _all(steps: Iterable[Awaitable[object]]) -> None:
    """Every one of them, some at once; a failure is raised when all have ended."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def in_place(step: Awaitable[object]) -> object:
        async with places:
            return await step

    for ended in await asyncio.gather(*map(in_place, steps), return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended
