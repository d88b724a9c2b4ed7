"""All gates or none: one call's gates evaluated together, committed together, remembered only if they took something.

The specification of `storage/redis/scripts/admit.lua`; states go in as values and come out as values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tallygate.domain.gating import quota_steps, rate_limit
from tallygate.domain.gating.quota import KnownReset, MeterState, OutOfRange, QuotaAnswer, QuotaGate, ResetGate
from tallygate.domain.gating.rate_limit import LimitState, RateAnswer, RateGate

MAX_CLOCK_SKEW = 30_000_000
"""How far the store's time and a process's own may be apart, in microseconds, before neither is believed."""

Gate = QuotaGate | ResetGate | RateGate
Answer = QuotaAnswer | RateAnswer


class AdmitStatus(StrEnum):
    """Whether the gates were decided, or why they could not be."""

    DECIDED = "DECIDED"
    STALE_VIEW = "STALE_VIEW"
    CLOCK_SKEW = "CLOCK_SKEW"
    SEGMENTS_MISSED = "SEGMENTS_MISSED"
    OCCURRED_OUT_OF_RANGE = "OCCURRED_OUT_OF_RANGE"
    COUNTER_OVERFLOW = "COUNTER_OVERFLOW"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    EPOCH_MISMATCH = "EPOCH_MISMATCH"
    EVENT_BACKLOG = "EVENT_BACKLOG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """A gate with its effect's identity; without a digest nothing is remembered and nothing replayed.

    `account_id` is whose rate limit it is, where it is another account's than the call's.
    """

    gate: Gate
    state_key: str
    digest: bytes = b""
    payload_hash: bytes = b""
    account_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a gate answered when it took something, and the hash of what it was asked."""

    payload_hash: bytes
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answers in the gates' order, and what changed; nothing changed unless every gate allowed."""

    status: AdmitStatus
    answers: tuple[Answer, ...] = ()
    meters: Mapping[str, MeterState] = field(default_factory=dict)
    limits: Mapping[str, LimitState] = field(default_factory=dict)
    remembered: Mapping[bytes, Remembered] = field(default_factory=dict)
    taken: tuple[int, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether every gate allowed."""
        return all(answer.allowed for answer in self.answers)


_OUT_OF_RANGE = {
    OutOfRange.SEGMENTS: AdmitStatus.SEGMENTS_MISSED,
    OutOfRange.OCCURRED: AdmitStatus.OCCURRED_OUT_OF_RANGE,
    OutOfRange.COUNTER: AdmitStatus.COUNTER_OVERFLOW,
}


def admit(
    gates: tuple[Identified, ...],
    *,
    meters: Mapping[str, MeterState],
    limits: Mapping[str, LimitState],
    remembered: Mapping[bytes, Remembered],
    now: int,
    peek: bool = False,
) -> Verdict:
    """Evaluate every gate first, then change all of them or none.

    A gate whose effect is remembered answers as it did then and takes nothing; the same effect with another payload
    refuses the whole call. Resets are remembered by their meters, too, which know them for longer. With `peek` nothing
    is changed or remembered, whatever the answers.
    """
    answers: list[Answer] = []
    new_meters: dict[str, MeterState] = {}
    new_limits: dict[str, LimitState] = {}
    taken: list[int] = []
    for index, item in enumerate(gates):
        known = _known(item, meters, remembered)
        if known is not None:
            if known.payload_hash != item.payload_hash:
                return Verdict(status=AdmitStatus.REQUEST_ID_REUSED)
            answers.append(replace(known.answer, replayed=True))
            continue
        outcome = _step(item, meters=meters, limits=limits, now=now)
        if isinstance(outcome, OutOfRange):
            return Verdict(status=_OUT_OF_RANGE[outcome])
        answer, state = outcome
        answers.append(answer)
        taken.append(index)
        if isinstance(state, MeterState):
            new_meters[item.state_key] = state
        elif isinstance(item.gate, RateGate) and item.gate.cost:
            new_limits[item.state_key] = state
    if peek or not all(answer.allowed for answer in answers):
        return Verdict(status=AdmitStatus.DECIDED, answers=_untaken(gates, answers, meters, limits, now))
    notes = {
        gates[i].digest: Remembered(payload_hash=gates[i].payload_hash, answer=_lasting(answers[i]))
        for i in taken
        if gates[i].digest
    }
    return Verdict(
        status=AdmitStatus.DECIDED,
        answers=tuple(answers),
        meters=new_meters,
        limits=new_limits,
        remembered=notes,
        taken=tuple(taken),
    )


def _known(
    item: Identified, meters: Mapping[str, MeterState], remembered: Mapping[bytes, Remembered]
) -> Remembered | KnownReset | None:
    if not item.digest:
        return None
    found = remembered.get(item.digest)
    if found is None and isinstance(item.gate, ResetGate) and item.state_key in meters:
        return meters[item.state_key].resets.get(item.digest)
    return found


def _step(
    item: Identified, *, meters: Mapping[str, MeterState], limits: Mapping[str, LimitState], now: int
) -> tuple[Answer, MeterState | LimitState] | OutOfRange:
    if isinstance(item.gate, QuotaGate):
        return quota_steps.step(item.gate, meters.get(item.state_key, MeterState()), now=now)
    if isinstance(item.gate, ResetGate):
        outcome = quota_steps.reset(item.gate, meters.get(item.state_key, MeterState()), now=now)
        return outcome if isinstance(outcome, OutOfRange) or not item.digest else _with_reset(item, *outcome)
    return rate_limit.step(item.gate, limits.get(item.state_key), now=now)


def _with_reset(item: Identified, answer: QuotaAnswer, state: MeterState) -> tuple[QuotaAnswer, MeterState]:
    known = KnownReset(payload_hash=item.payload_hash, answer=answer)
    return answer, replace(state, resets={**state.resets, item.digest: known})


def _untaken(
    gates: tuple[Identified, ...],
    answers: list[Answer],
    meters: Mapping[str, MeterState],
    limits: Mapping[str, LimitState],
    now: int,
) -> tuple[Answer, ...]:
    """The answers of a call that took nothing: what stands is what stood before it."""
    shown: list[Answer] = []
    for item, answer in zip(gates, answers, strict=True):
        if answer.replayed or not answer.allowed or isinstance(item.gate, ResetGate):
            shown.append(answer)
            continue
        before = _step(replace(item, gate=_looking(item.gate)), meters=meters, limits=limits, now=now)
        if isinstance(before, OutOfRange):  # the step itself was in range, so looking is
            shown.append(answer)
        elif isinstance(answer, QuotaAnswer) and isinstance(before[0], QuotaAnswer):
            seen = before[0]
            untouched = replace(answer, used=seen.used, remaining=seen.remaining, limit=seen.limit)
            shown.append(replace(untouched, granted=0, pots=(), left=seen.left))
        elif isinstance(answer, RateAnswer) and isinstance(before[0], RateAnswer):
            shown.append(replace(answer, remaining=before[0].remaining, reset_after=before[0].reset_after))
    return tuple(shown)


def _lasting(answer: Answer) -> Answer:
    """What of an answer a replay tells: not what the pots held then."""
    return replace(answer, left=()) if isinstance(answer, QuotaAnswer) else answer


def _looking(gate: QuotaGate | RateGate) -> Gate:
    return replace(gate, quantity=None) if isinstance(gate, QuotaGate) else replace(gate, cost=0)
