"""How decision worlds write down an answer, whoever gave it."""

from typing import Any

from tallygate.data_plane.requests import RateLimitDecision
from tallygate.domain.gating.decision import Decision, PotKind, SourceKind
from worlds import instant_text


def show(decision: Decision) -> dict[str, Any]:
    """A decision as worlds write it."""
    return {
        "error": None,
        "allowed": decision.allowed,
        "reason": decision.reason.value,
        "value": list(decision.value) if isinstance(decision.value, tuple) else decision.value,
        "unlimited": decision.unlimited,
        "limit": decision.limit,
        "used": decision.used,
        "remaining": decision.remaining,
        "hard_limit": decision.hard_limit,
        "shortfall": decision.shortfall,
        "grants_left": [pot_text(pot.kind, pot.grant_id, pot.quantity) for pot in decision.grants_left],
        "granted": decision.granted_quantity,
        "pots": [pot_text(pot.kind, pot.grant_id, pot.quantity) for pot in decision.pots],
        "period_start": instant_text(decision.period_start),
        "reset_time": instant_text(decision.reset_time),
        "retry_after": None if decision.retry_after is None else decision.retry_after / 1_000_000,
        "sources": [source_text(s.kind, s.key, s.version, s.quantity) for s in decision.sources],
        "unblock": [option_text(o.kind.value, o.key, o.limit) for o in decision.unblock_options],
        "replayed": decision.replayed,
    }


def show_limits(decision: RateLimitDecision) -> dict[str, Any]:
    """A rate limit's decision as worlds write it."""
    return {
        "error": None,
        "allowed": decision.allowed,
        "reason": decision.reason.value,
        "binding": decision.binding_limit_key,
        "retry_after": None if decision.retry_after is None else decision.retry_after / 1_000_000,
        "replayed": decision.replayed,
        "statuses": {
            status.limit_key: {
                "allowed": status.allowed,
                "limit": status.limit,
                "remaining": status.remaining,
                "source": status.source
                and source_text(
                    status.source.kind.value, status.source.key, status.source.version, status.source.quantity
                ),
            }
            for status in decision.statuses
        },
    }


def pot_text(kind: str, grant_id: str, quantity: int) -> str:
    return f"GRANT {grant_id} {quantity}" if kind == PotKind.GRANT else f"{kind} {quantity}"


def source_text(kind: str, key: str, version: int, quantity: int) -> str:
    if kind in {SourceKind.OVERRIDE, SourceKind.GRANT}:
        return f"{kind} {key}"
    return f"{kind} {key}@{version}" + (f" x{quantity}" if quantity != 1 else "")


def option_text(kind: str, key: str, limit: int | None) -> str:
    return f"{kind} {key}" + (f" {limit}" if limit is not None else "")
