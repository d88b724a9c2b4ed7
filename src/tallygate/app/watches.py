"""What metrics show of a process besides its calls: the view, the link to Redis, and what a worker has done."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tallygate.app.data_side import DataSide, RedisSide
from tallygate.server.operations.metrics import Metrics

if TYPE_CHECKING:
    from tallygate.app.control_side import ControlSide

_MICROSECONDS = 1_000_000


def watch_data(metrics: Metrics, redis: RedisSide, data: DataSide) -> None:
    """The half that decides."""
    _watch_views(metrics, data)
    _watch_link(metrics, redis)
    clocks, backlog = redis.clocks, redis.backlog
    skew = "How far Redis' clock is ahead of this machine's."
    metrics.watch("tallygate_redis_clock_skew_seconds", skew, lambda: clocks.skew / _MICROSECONDS)
    metrics.watch("tallygate_stream_lag_entries", "Events that wait to be collected.", lambda: backlog.entries)
    metrics.watch("tallygate_stream_lag_seconds", "How long the oldest has waited.", lambda: backlog.seconds)


def watch_control(metrics: Metrics, control: "ControlSide") -> None:
    """The half that stands on SQL."""
    _watch_collector(metrics, control)
    _watch_rebuilds(metrics, control)
    _watch_audits(metrics, control)
    control.billing.watch.show(metrics)


def _counted(metrics: Metrics, *counters: tuple[str, str, Callable[[], float]]) -> None:
    for name, text, read in counters:
        metrics.watch(name, text, read, counter=True)


def _watch_views(metrics: Metrics, data: DataSide) -> None:
    counts, degraded, exhausted = data.views.counts, data.admission.degraded, data.exhausted
    _counted(
        metrics,
        ("tallygate_view_cache_hits", "Views answered from this process's cache.", lambda: counts.hits),
        ("tallygate_view_cache_misses", "Views read from Redis.", lambda: counts.misses),
        ("tallygate_view_cache_revalidations", "Cached views found to be current.", lambda: counts.revalidations),
        ("tallygate_exhausted_hits", "Checks of exhausted quotas that Redis was spared.", lambda: exhausted.hits),
        ("tallygate_policy_allowed", "Decisions allowed by failure policy `open`.", lambda: degraded.opened),
        ("tallygate_policy_refused", "Decisions refused by failure policy `closed`.", lambda: degraded.closed),
    )


def _watch_link(metrics: Metrics, redis: RedisSide) -> None:
    link, unconfirmed = redis.link, redis.confirmations
    _counted(
        metrics,
        ("tallygate_redis_calls", "Commands sent to Redis by the hot link.", lambda: link.counters.calls),
        ("tallygate_redis_batches", "Writes to Redis by the hot link.", lambda: link.counters.batches),
        ("tallygate_redis_reconnects", "Times the hot link was connected again.", lambda: link.counters.reconnects),
        ("tallygate_not_replicated", "Strict answers that no replica confirmed.", lambda: unconfirmed.refused),
        ("tallygate_redis_timeouts", "Times Redis was silent for too long.", lambda: link.counters.timeouts),
    )
    metrics.watch("tallygate_redis_up", "Whether the hot link is connected.", lambda: float(link.connected))
    metrics.watch("tallygate_redis_writable", "Whether Redis takes writes.", lambda: float(link.writable))
    nodes = "Whether the hot link is connected to this node of a cluster."
    metrics.watch_each(
        "tallygate_redis_node_up",
        nodes,
        "node",
        lambda: {name: float(node.connected) for name, node in link.nodes() if name},
    )


def _watch_collector(metrics: Metrics, control: "ControlSide") -> None:
    stats = control.collecting.collector.stats
    _counted(
        metrics,
        ("tallygate_events_collected", "Events written to SQL.", lambda: stats.collected),
        ("tallygate_events_redelivered", "Events that had been written before.", lambda: stats.redelivered),
        ("tallygate_events_late_replays", "Late replays given back.", lambda: stats.late_replays),
        ("tallygate_events_recounted", "Repeated events whose count was lost before.", lambda: stats.recounted),
        ("tallygate_events_quarantined", "Events set aside: nobody can bill them.", lambda: stats.quarantined),
        ("tallygate_collector_failures", "Rounds of the collector that failed.", lambda: stats.failures),
    )


def _watch_rebuilds(metrics: Metrics, control: "ControlSide") -> None:
    standing, rebuilds = control.collecting.epochs.standing, control.collecting.rebuilder.stats
    _counted(
        metrics,
        ("tallygate_partitions_rebuilt", "Partitions whose counters were rebuilt.", lambda: rebuilds.partitions),
        ("tallygate_accounts_rebuilt", "Accounts whose counters were rebuilt.", lambda: rebuilds.accounts),
        ("tallygate_units_rebuilt", "Units that rebuilt counters hold.", lambda: rebuilds.units),
        ("tallygate_effects_rebuilt", "Request ids that are remembered anew.", lambda: rebuilds.effects),
        ("tallygate_rebuild_failures", "Rebuilds that failed and were begun anew.", lambda: rebuilds.failures),
    )
    lost = "Partitions whose counters are not whole."
    metrics.watch("tallygate_partitions_lost", lost, lambda: float(len(standing.lost)))
    metrics.watch("tallygate_rebuild_seconds", "How long the last rebuild took.", lambda: rebuilds.seconds)
    unknown = "Of what was admitted so long before the last loss was noticed, what was not collected is lost."
    metrics.watch("tallygate_rebuild_unknown_seconds", unknown, lambda: rebuilds.unknown_seconds)


def _watch_audits(metrics: Metrics, control: "ControlSide") -> None:
    audits = control.collecting.auditor.stats
    _counted(
        metrics,
        ("tallygate_counters_audited", "Features of accounts whose counters were audited.", lambda: audits.meters),
        ("tallygate_counters_mended", "Those that missed units, and were set right.", lambda: audits.mended),
        ("tallygate_units_mended", "Units that they missed.", lambda: audits.mended_units),
        ("tallygate_audit_failures", "Audits of counters that failed and were begun anew.", lambda: audits.failures),
    )
    drifting = "Features of accounts whose counters do not fit their events, as of the last audit."
    metrics.watch("tallygate_counters_drifting", drifting, lambda: float(audits.last.drifting if audits.last else 0))
