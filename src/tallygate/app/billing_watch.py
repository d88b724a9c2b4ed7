"""How billing stands, kept for whoever scrapes the metrics, and told by `doctor`. Loads SQL."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

from tallygate.app import clock
from tallygate.app.finding import Finding
from tallygate.app.installation import opened
from tallygate.domain.billing.late import Unrated
from tallygate.domain.errors import StoreUnavailableError, UnavailableError
from tallygate.records.jobs import AUDIT, CLOSE, COMPLETENESS, BillingHealth, JobHealth
from tallygate.server.operations.metrics import Metrics
from tallygate.settings import Settings
from tallygate.storage.sql.billing.health import SqlBillingHealth

_PAUSE_SECONDS = 15.0
_LATE_SECONDS = 3_600
_MICROSECONDS = 1_000_000
_BUT_TEST = "; test tenants are not counted (`tallygate billing run` names what fails of one)"
_log = logging.getLogger(__name__)


_WATCHED: Mapping[str, tuple[str, Callable[[BillingHealth], float]]] = {
    "tallygate_late_usage": ("Late events that wait for their adjustment.", lambda health: health.late),
    "tallygate_uncharged_lines": (
        "Lines that usage of closed periods asks for and no invoice has.",
        lambda health: health.found.get(COMPLETENESS, 0),
    ),
    "tallygate_ledger_differences": (
        "Accounts of the ledger that do not agree with what they mirror.",
        lambda health: health.found.get(AUDIT, 0),
    ),
    "tallygate_deliveries_waiting": ("Messages that wait to go out.", lambda health: health.undelivered),
    "tallygate_delivery_age_seconds": (
        "How long the oldest of them has been waiting.",
        lambda health: health.undelivered_age / _MICROSECONDS,
    ),
    "tallygate_deliveries_failed": ("Messages that were given up.", lambda health: health.undeliverable),
    "tallygate_invoices_issued": ("Invoices and credit notes issued so far.", lambda health: health.invoices),
}
"""Gauges over all tenants but test ones, each with what it says."""

_BY_KIND: Mapping[str, tuple[str, Callable[[JobHealth], float]]] = {
    "tallygate_billing_jobs_due": (
        "What is to be looked at, by kind of job, but for test tenants': `close` are accounts to be invoiced.",
        lambda jobs: jobs.due,
    ),
    "tallygate_billing_job_age_seconds": (
        "How long the oldest of them has been due.",
        lambda jobs: jobs.oldest_age / _MICROSECONDS,
    ),
    "tallygate_billing_jobs_failing": (
        "What failed when it was looked at last, by kind of job, but for test tenants'.",
        lambda jobs: jobs.failing,
    ),
}
"""The same of each kind of job."""

_UNRATED = "Events charged nowhere, by reason; `tallygate billing unrated` lists them."


@dataclass(slots=True, kw_only=True)
class BillingWatch:
    """Looks every quarter of a minute; between looks, and while the database is away, it shows the last one.

    Of the job `kinds` that a worker runs each is shown, 0 where there is none.
    """

    source: SqlBillingHealth
    kinds: Collection[str]
    health: BillingHealth = field(default_factory=BillingHealth)

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Look for ever."""
        while True:
            try:
                self.health = await self.source.read(now=clock.now())
            except UnavailableError as error:
                _log.warning("how billing stands cannot be read: %s", error)
            await sleep(_PAUSE_SECONDS)

    def show(self, metrics: Metrics) -> None:
        """As gauges, over all tenants: every worker shows the same."""
        for name, (text, read) in _WATCHED.items():
            metrics.watch(name, text, partial(self._shown, read))
        for name, (text, of_kind) in _BY_KIND.items():
            metrics.watch_each(name, text, "kind", partial(self._by_kind, of_kind))
        metrics.watch_each("tallygate_unrated_events", _UNRATED, "reason", self._by_reason)

    def _shown(self, read: Callable[[BillingHealth], float]) -> float:
        return read(self.health)

    def _by_kind(self, read: Callable[[JobHealth], float]) -> Mapping[str, float]:
        found = self.health.jobs
        return {kind: read(found.get(kind, JobHealth())) for kind in {*self.kinds, *found}}

    def _by_reason(self) -> Mapping[str, float]:
        return {reason.value: self.health.unrated.get(reason, 0) for reason in Unrated}


async def look_at_billing(settings: Settings) -> list[Finding]:
    """What `doctor` says of it."""
    async with opened(settings) as engine:
        try:
            health = await SqlBillingHealth(engine=engine).read(now=clock.now())
        except StoreUnavailableError:
            return [Finding(name="billing", ok=False, detail="the database cannot say", fix="see `database` above")]
    return findings(health)


def findings(health: BillingHealth) -> list[Finding]:
    """Whether accounts are invoiced in time, and what is charged nowhere."""
    return [
        _closes(health),
        _other_jobs(health),
        _failing(health),
        _deliveries(health),
        _unrated(health),
        Finding(
            name="charged usage",
            ok=not health.found.get(COMPLETENESS),
            detail=_told(health, COMPLETENESS, "usage of closed periods is charged"),
            fix="the line's events are in the log and no invoice counts them: keep the log, and tell whoever makes "
            "Tallygate",
        ),
        Finding(
            name="ledger",
            ok=not health.found.get(AUDIT),
            detail=_told(health, AUDIT, "it agrees with invoices and wallets"),
            fix="`tallygate ledger audit` lists every difference; documents are right, what was posted of them is not",
        ),
    ]


def _closes(health: BillingHealth) -> Finding:
    closes = health.jobs.get(CLOSE, JobHealth())
    age = closes.oldest_age // _MICROSECONDS
    return Finding(
        name="billing jobs",
        ok=age <= _LATE_SECONDS,
        detail=f"{closes.due} accounts are due to be invoiced"
        + (f", the oldest for {age} s" if closes.due else "")
        + _BUT_TEST,
        fix="see that a process of role `worker` or `all` runs, and in its logs what it waits for: a close waits "
        "until every event that was admitted before it is collected",
    )


def _other_jobs(health: BillingHealth) -> Finding:
    """Of a kind of job that is not late nothing is told."""
    late = [
        f"{jobs.due} {kind}, the oldest for {jobs.oldest_age // _MICROSECONDS} s"
        for kind, jobs in health.jobs.items()
        if kind != CLOSE and jobs.oldest_age // _MICROSECONDS > _LATE_SECONDS
    ]
    return Finding(
        name="other jobs",
        ok=not late,
        detail=("due and not done: " + "; ".join(late) if late else "none is late") + _BUT_TEST,
        fix="see that a process of role `worker` or `all` runs, and in its logs what it waits for: gateways, registers "
        "and mail servers hold up what asks them, and no invoice",
    )


def _failing(health: BillingHealth) -> Finding:
    failing = [f"{jobs.failing} {kind}" for kind, jobs in health.jobs.items() if jobs.failing]
    return Finding(
        name="failing jobs",
        ok=not failing,
        detail=(f"{', '.join(failing)} fail; {health.problem}" if failing else "none") + _BUT_TEST,
        fix="the worker's log has the trace; what each is about is alone held up, and tried again within the hour",
    )


def _deliveries(health: BillingHealth) -> Finding:
    age = health.undelivered_age // _MICROSECONDS
    return Finding(
        name="deliveries",
        ok=age <= _LATE_SECONDS,
        detail=f"{health.undelivered} messages wait to go out, the oldest for {age} s; {health.undeliverable} "
        f"were given up{_BUT_TEST}",
        fix="`tallygate message list` shows why; see `mail server`, and that a process of role `worker` or `all` runs",
    )


def _unrated(health: BillingHealth) -> Finding:
    reasons = ", ".join(f"{count} {reason.value}" for reason, count in sorted(health.unrated.items()))
    return Finding(
        name="unrated usage",
        ok=not health.unrated_lately,
        detail=f"{health.late} late events wait for their adjustment; charged nowhere: {reasons or 'none'}"
        f"{f', {health.unrated_lately} of them noted in the last week' if health.unrated_lately else ''}{_BUT_TEST}",
        fix="`tallygate billing unrated` lists them with their reasons: what is owed for one can be charged by a fee",
    )


def _told(health: BillingHealth, kind: str, well: str) -> str:
    number = health.found.get(kind, 0)
    return f"{number} differ; {health.example[kind]}" if number else well
