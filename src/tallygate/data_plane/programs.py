"""Questions compiled on a view: gates made ready with the store; a call fills in quantity, identity, dimensions.

A program ends with its view; it stands for one stretch of time, in which neither phase, period nor grants change.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tallygate.data_plane.ports import NO_EFFECT, AdmitCall, EffectContext, GateStore, Program
from tallygate.data_plane.view import View
from tallygate.domain.catalog import Durability, Feature
from tallygate.domain.gating.admit import Identified
from tallygate.domain.gating.decide import Stamp, decide_metered
from tallygate.domain.gating.decision import Decision
from tallygate.domain.gating.identity import EffectIdentity
from tallygate.domain.gating.quota import DELTAS, QuotaAnswer, QuotaGate, Segment
from tallygate.domain.gating.remedies import Metered, Question
from tallygate.domain.gating.resolve import BEGINNING, END

_MOST_OF_AN_ACCOUNT = 256
_MOST_OF_A_TENANT = 10_000


@dataclass(slots=True, kw_only=True)
class Compiled:
    """A call made ready on a view, good from `start` until `end`; `shown` is for whoever encodes its answers."""

    view: View
    call: AdmitCall
    program: Program
    start: int = BEGINNING
    end: int = END
    shown: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """That `quantity`, and so whatever is more, did not fit, as the store answered at its `now`, until `end`.

    `asked_time` is when this process asked, by its own clock, `heard` what had been announced by then (`exhausted.py`).
    """

    quantity: int
    answer: QuotaAnswer
    now: int
    end: int
    asked_time: int
    heard: int


@dataclass(slots=True)
class Near:
    """What is near of a quota that only deltas count and no grants pay for: the last denial that may still stand.

    `returned` is how much had been heard when units of it were returned.
    """

    denial: Denial | None = None
    returned: int = 0


@dataclass(slots=True, kw_only=True)
class CompiledQuota(Compiled):
    """One account's quota; `segments` are those that its gate was given, `denied` is as `shown`, of its last denial."""

    feature: Feature
    segments: tuple[Segment, ...]
    identity: EffectIdentity
    near: Near | None = None
    denied: Any = None

    def decision(self, answer: QuotaAnswer, now: int, *, quantity: int, at: int, request_id: str = "") -> Decision:
        """The whole decision, explained; `quantity` is what was asked for, `at` the instant that is meant."""
        view = self.view
        if view.entitlements is None:
            raise TypeError(view)
        return decide_metered(
            view.snapshot.catalog,
            view.entitlements,
            Question(feature=self.feature, quantity=quantity, at=at),
            Metered(answer=answer, segments=self.segments, now=now),
            Stamp(view_version=view.version, request_id=request_id),
        )


C = TypeVar("C", bound=Compiled)


def compiled(view: View, shape: Hashable, at: int, compile_: Callable[[], C | None]) -> C | None:
    """What questions of this shape are compiled to on this view at this instant; kept, the oldest of too many goes."""
    kept: C | None = view.programs.get(shape)
    if kept is not None and kept.start <= at < kept.end:
        return kept
    made = compile_()
    if made is not None:
        if len(view.programs) >= (_MOST_OF_AN_ACCOUNT if view.record else _MOST_OF_A_TENANT):
            del view.programs[next(iter(view.programs))]
        view.programs[shape] = made
    return made


def stretch(segments: Sequence[Segment], at: int) -> tuple[Segment, ...]:
    """The segment that holds at an instant; all of them where none does, so that the store says so."""
    return next(((segment,) for segment in segments if segment.start <= at < segment.end), tuple(segments))


def call_of(
    tenant_id: str,
    account_id: str,
    view: View,
    gates: tuple[Identified, ...],
    *,
    context: EffectContext = NO_EFFECT,
    peek: bool = False,
    strict: bool = False,
) -> AdmitCall:
    """A call under the versions of this view."""
    return AdmitCall(
        tenant_id=tenant_id,
        account_id=account_id,
        catalog_version=view.snapshot.version,
        account_version=view.account_version,
        gates=gates,
        context=context,
        clock=view.snapshot.clock,
        peek=peek,
        strict=strict,
    )


def compile_quota(
    gates: GateStore,
    view: View,
    place: tuple[str, str, Feature],
    gate: QuotaGate,
    at: int,
    *,
    context: EffectContext = NO_EFFECT,
    peek: bool = False,
) -> CompiledQuota:
    """Make a quota of this tenant's account ready, until the instant at which its segments or its grants change."""
    tenant_id, account_id, feature = place
    grants = view.entitlements.grants.get(feature.feature_key, ()) if view.entitlements else ()
    gate = replace(gate, grants=grants, aggregation=feature.aggregation)
    items = (Identified(gate=gate, state_key=""),)
    strict = feature.durability is Durability.STRICT and not peek
    call = call_of(tenant_id, account_id, view, items, context=context, peek=peek, strict=strict)
    changes = [gate.segments[0].start, gate.segments[-1].end, *(grant.effective_time for grant in grants)]
    changes += [grant.expire_time for grant in grants if grant.expire_time is not None]
    return CompiledQuota(
        view=view,
        call=call,
        program=gates.prepare(call),
        start=max((change for change in changes if change <= at), default=BEGINNING),
        end=min((change for change in changes if change > at), default=END),
        feature=feature,
        segments=gate.segments,
        identity=EffectIdentity(tenant_id=tenant_id, account_id=account_id, gate_key=feature.feature_key),
        near=None if grants or feature.aggregation not in DELTAS else view.near.setdefault(feature.feature_key, Near()),
    )
