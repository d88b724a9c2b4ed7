"""The fact that a gate took something: what the stream carries, what `billable_events` keeps, what others follow.

Immutable from the moment it was admitted. Instants are microseconds since the Unix epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tallygate.domain.gating.decision import Pot, PotKind, Reason


class FactKind(StrEnum):
    """What happened to a counter: units taken or returned, a level observed, something measured, usage reset."""

    CONSUME = "consume"
    REFUND = "refund"
    LEVEL = "level"
    EVENT = "event"
    RESET = "reset"


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # not frozen, as below
class FactSource:
    """Where in which stream a fact stands: the same fact delivered twice has the same source."""

    partition: int
    epoch: str
    entry_id: str


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # not frozen: one is made an event, at a third of the cost
class UsageFact:
    """One admitted effect. Its identity is (tenant_id, account_id, feature_key, request_id).

    `quantity` is what was granted (negative for a refund, the level for a level); `pots` say which pots paid or were
    repaid. It counts in the usage period [period_start, period_end), in which `occurred_time` lies. `billable` says
    whether any of it may be charged (`may_be_charged`), whatever else the fact says; `carry_in` that it happened before
    the account came here, and so is counted only. `used`, `limit` (None: without one) and `reason` are what its answer
    said; facts that were stored before these were kept have no reason.

    This is the one table of a fact's fields: stream, SQL and wire have each of them, which a test proves.
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
    used: int = 0
    limit: int | None = None
    reason: Reason | None = None
    payload_hash: bytes = b""
    source: FactSource

    @property
    def billable_quantity(self) -> int:
        """The units that may be charged.

        They are all but those that a grant paid, which was paid or given when it was made, and of a refund those that
        were never charged.
        """
        others = sum(pot.quantity if pot.kind is PotKind.GRANT else pot.uncharged for pot in self.pots)
        return self.quantity - others if self.billable else 0


def may_be_charged(*, asked: bool, trial: bool, pots: tuple[Pot, ...]) -> bool:
    """Whether a biller may charge anything of a fact; `asked` is what the feature and the call say.

    Nothing on trial, and nothing that grants alone paid or were repaid. A refund is as what it returns was: its
    negative units are set off against those charged, and none of it is charged where none of those units was
    (`refunded.py`). ADJUST, and overage, are charged as any other use.
    """
    return asked and not trial and not (pots and all(_is_free(pot) for pot in pots))


def _is_free(pot: Pot) -> bool:
    return pot.kind is PotKind.GRANT or pot.uncharged == pot.quantity
