"""How billing stands, kept for whoever scrapes the metrics, and told by `doctor`. Loads SQL."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from tallygate.app import clock
from tallygate.app.finding import Finding
from tallygate.app.installation import opened
from tallygate.domain.billing.late import Unrated
from tallygate.domain.errors import StoreUnavailableError, UnavailableError
from tallygate.records.jobs import AUDIT, COMPLETENESS, BillingHealth
from tallygate.server.operations.metrics import Metrics
from tallygate.settings import Settings
from tallygate.storage.sql.billing.health import SqlBillingHealth

_PAUSE_SECONDS = 15.0
_LATE_SECONDS = 3_600
_MICROSECONDS = 1_000_000
_BUT_TEST = "; test tenants are not counted (`tallygate billing run` names what fails of one)"
_log = logging.getLogger(__name__)


_WATCHED: Mapping[str, tuple[str, Callable[[BillingHealth], float]]] = {
    "tallygate_billing_jobs_due": (
        "Accounts that are to be looked at, but for test tenants'.",
        lambda health: health.due,
    ),
    "tallygate_billing_job_age_seconds": (
        "How long the oldest of them has been due.",
        lambda health: health.oldest_age / _MICROSECONDS,
    ),
    "tallygate_billing_jobs_failing": (
        "Accounts whose look failed last, but for test tenants'.",
        lambda health: health.failing,
    ),
    "tallygate_late_usage": ("Late events that wait for their adjustment.", lambda health: health.late),
    "tallygate_unrated_too_late": (
        "Events charged nowhere: their period is too far back.",
        lambda health: health.unrated.get(Unrated.TOO_LATE, 0),
    ),
    "tallygate_unrated_no_price": (
        "Late events charged nowhere: nothing that was held priced them.",
        lambda health: health.unrated.get(Unrated.NO_PRICE, 0),
    ),
    "tallygate_unrated_unreadable": (
        "Events charged nowhere: the amount that their price asks for cannot be read.",
        lambda health: health.unrated.get(Unrated.UNREADABLE, 0),
    ),
    "tallygate_unrated_refunds": (
        "Refunds credited nowhere: they give back more than their period had used.",
        lambda health: health.unrated.get(Unrated.REFUND_EXCEEDS_PERIOD, 0),
    ),
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
"""Gauges over all tenants, each with what it says."""


@dataclass(slots=True, kw_only=True)
class BillingWatch:
    """Looks every quarter of a minute; between looks, and while the database is away, it shows the last one."""

    source: SqlBillingHealth
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

    def _shown(self, read: Callable[[BillingHealth], float]) -> float:
        return read(self.health)


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
        _waiting(health),
        Finding(
            name="failing jobs",
            ok=not health.failing,
            detail=(f"{health.failing} fail; {health.problem}" if health.failing else "none") + _BUT_TEST,
            fix="the worker's log has the trace; the account alone is held up, and tried again within the hour",
        ),
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


def _waiting(health: BillingHealth) -> Finding:
    age = health.oldest_age // _MICROSECONDS
    return Finding(
        name="billing jobs",
        ok=age <= _LATE_SECONDS,
        detail=f"{health.due} accounts are due" + (f", the oldest for {age} s" if health.due else "") + _BUT_TEST,
        fix="see that a process of role `worker` or `all` runs, and in its logs what it waits for: a close waits "
        "until every event that was admitted before it is collected",
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
    detail = f"{health.late} late events wait for their adjustment; charged nowhere: {reasons or 'none'}"
    return Finding(name="unrated usage", ok=True, detail=detail)


def _told(health: BillingHealth, kind: str, well: str) -> str:
    number = health.found.get(kind, 0)
    return f"{number} differ; {health.example[kind]}" if number else well
