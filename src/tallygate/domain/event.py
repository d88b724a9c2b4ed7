"""The fact that a gate took something: what the stream carries, what `billable_events` keeps, what others follow.

Immutable from the moment it was admitted. Instants are microseconds since the Unix epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tallygate.domain.gating.decision import Pot


class FactKind(StrEnum):
    """What happened to a counter: units taken or returned, a level observed, something measured, usage reset."""

    CONSUME = "consume"
    REFUND = "refund"
    LEVEL = "level"
    EVENT = "event"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSource:
    """Where in which stream a fact stands: the same fact delivered twice has the same source."""

    partition: int
    epoch: str
    entry_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFact:
    """One admitted effect. Its identity is (tenant_id, account_id, feature_key, request_id).

    `quantity` is what was granted (negative for a refund, the level for a level); `pots` say which pots paid or were
    repaid. It counts in the usage period [period_start, period_end), in which `occurred_time` lies. `billable` says
    that it is charged; `carry_in` that it happened before the account came here, and so is counted only.
    """

    tenant_id: str
    account_id: str
    feature_key: str
    request_id: str
    kind: FactKind
    user_id: str = ""
    quantity: int
    pots: tuple[Pot, ...] = ()
    dimensions: Mapping[str, str] = field(default_factory=dict)
    occurred_time: int
    recorded_time: int
    period_start: int
    period_end: int
    subscription_id: str = ""
    plan_key: str = ""
    plan_version: int = 0
    trial: bool = False
    billable: bool = True
    carry_in: bool = False
    view_version: int = 0
    payload_hash: bytes = b""
    source: FactSource
