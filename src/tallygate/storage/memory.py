"""The data plane's ports in memory, with real semantics: the pure specification run over dictionaries.

For tests of code that uses Tallygate's engine, and for proving the Redis scripts equal. One process, one event loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from tallygate.data_plane.ports import About, AdmitCall, AdmitReply, Answered, Asked, Clock, ViewVersions
from tallygate.domain.account import AccountRecord
from tallygate.domain.catalog import CatalogSnapshot
from tallygate.domain.credential import KeyRecord
from tallygate.domain.errors import UnavailableError
from tallygate.domain.event import FactKind, FactSource, UsageFact, may_be_charged
from tallygate.domain.gating.admit import AdmitStatus, Identified, Remembered, admit
from tallygate.domain.gating.quota import MeterState, QuotaAnswer, QuotaGate, ResetGate
from tallygate.domain.gating.rate_limit import LimitState, RateAnswer, RateGate, kept_for
from tallygate.domain.limits import LimitOwner
from tallygate.domain.tenant_clock import REAL_TIME

_MILLISECOND = 1_000
_LEVELS = {"max", "latest"}
_MEASURED = {"unique", "time_weighted"}


class MemoryGates:
    """`GateStore` in memory; `facts` is what the stream would hold, `kept_until` when limits' states are forgotten."""

    def __init__(self, clock: Clock, *, views: "MemoryViews | None" = None, replay_window: int = 3_600_000_000) -> None:
        self._clock = clock
        self._views = views
        self._window = replay_window
        self._latest = 0
        self._generations: dict[int, dict[bytes, Remembered]] = {}
        self._meters: dict[str, MeterState] = {}
        self._limits: dict[str, LimitState] = {}
        self.kept_until: dict[str, int] = {}
        self.facts: list[UsageFact] = []

    def prepare(self, call: AdmitCall) -> "MemoryProgram":
        """Nothing is shared but the call."""
        return MemoryProgram(self.admit, call)

    async def admit(self, call: AdmitCall) -> AdmitReply:
        """Admit all gates or none, as `domain.gating.admit` says."""
        self._latest = max(self._latest, self._clock())
        now = call.clock.at(self._latest)
        if await self._stale(call):
            return AdmitReply(status=AdmitStatus.STALE_VIEW, now=now)
        gates = tuple(replace(item, state_key=state_key(item, call)) for item in call.gates)
        generation = self._latest // self._window
        known = {**self._generations.get(generation - 1, {}), **self._generations.get(generation, {})}
        for key in [key for key, until in self.kept_until.items() if until <= self._latest]:
            del self._limits[key], self.kept_until[key]
        verdict = admit(gates, meters=self._meters, limits=self._limits, remembered=known, now=now, peek=call.peek)
        self._meters.update(verdict.meters)
        self._limits.update(verdict.limits)
        if verdict.remembered:
            self._generations.setdefault(generation, {}).update(verdict.remembered)
        for index in verdict.taken:
            gate, answer = gates[index], verdict.answers[index]
            self._note(call, gate, answer, now)
            if gate.state_key in verdict.limits and isinstance(gate.gate, RateGate) and isinstance(answer, RateAnswer):
                state = verdict.limits[gate.state_key]
                kept = kept_for(gate.gate, answer, state, testing=call.clock != REAL_TIME)
                self.kept_until[gate.state_key] = -(-(self._latest + kept) // _MILLISECOND) * _MILLISECOND
        return AdmitReply(status=verdict.status, now=now, answers=verdict.answers)

    async def _stale(self, call: AdmitCall) -> bool:
        if self._views is None:
            return False
        newest = await self._views.versions(call.tenant_id, call.account_id)
        account = newest.account if call.account_id else call.account_version
        others = [(await self._views.versions(call.tenant_id, each)).account == known for each, known in call.others]
        return (newest.catalog, account) != (call.catalog_version, call.account_version) or not all(others)

    def _note(self, call: AdmitCall, item: Identified, answer: object, now: int) -> None:
        gate = item.gate
        if isinstance(gate, RateGate) or not isinstance(answer, QuotaAnswer):
            return
        if isinstance(gate, QuotaGate) and gate.quantity is None:
            return
        segment = gate.segments[answer.segment]
        occurred = gate.occurred_time if isinstance(gate, QuotaGate) and gate.occurred_time is not None else now
        self.facts.append(
            UsageFact(
                tenant_id=call.tenant_id,
                account_id=call.account_id,
                feature_key=gate.feature_key,
                request_id=call.context.request_id,
                kind=_kind(gate),
                user_id=call.context.user_id,
                quantity=answer.granted if isinstance(gate, QuotaGate) else 0,
                pots=answer.pots,
                dimensions=call.context.dimensions,
                occurred_time=occurred,
                recorded_time=now,
                period_start=answer.period_start,
                period_end=answer.period_end,
                subscription_id=segment.subscription_id,
                plan_key=segment.plan_key,
                plan_version=segment.plan_version,
                trial=segment.trial,
                billable=may_be_charged(asked=call.context.billable, trial=segment.trial, pots=answer.pots),
                carry_in=call.context.carry_in,
                view_version=max(call.catalog_version, call.account_version),
                used=answer.used,
                limit=answer.limit,
                reason=answer.reason,
                payload_hash=item.payload_hash,
                source=FactSource(partition=0, epoch="memory", entry_id=f"{len(self.facts) + 1}-0"),
            )
        )


class MemoryProgram:
    """`Program` that fills what each asks into a call, and admits that."""

    def __init__(self, admit_call: Callable[[AdmitCall], Awaitable[AdmitReply]], call: AdmitCall) -> None:
        self._admit = admit_call
        self._call = call
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, asked: Sequence[Asked], about: About, answered: Answered) -> None:
        """Ask this of the gates, in their order."""
        items = [_asking(item, one) for item, one in zip(self._call.gates, asked, strict=True)]
        request_id, user_id, dimensions = about
        context = replace(self._call.context, request_id=request_id, user_id=user_id, dimensions=dimensions)
        call = replace(self._call, gates=tuple(items), context=context)
        task = asyncio.get_running_loop().create_task(self._answer(call, answered))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, call: AdmitCall, answered: Answered) -> None:
        try:
            reply = await self._admit(call)
        except UnavailableError as error:
            answered(error)
        else:
            answered(reply)


def _asking(item: Identified, asked: Asked) -> Identified:
    gate = item.gate
    if isinstance(gate, QuotaGate):
        gate = replace(gate, quantity=asked.quantity, mode=asked.mode, occurred_time=asked.occurred_time)
    elif isinstance(gate, RateGate):
        gate = replace(gate, cost=asked.quantity or 0)
    return replace(item, gate=gate, digest=asked.digest, payload_hash=asked.payload_hash)


def state_key(item: Identified, call: AdmitCall) -> str:
    """Where a gate's state is kept."""
    gate = item.gate
    if isinstance(gate, RateGate):
        owner = (item.account_id or call.account_id) if gate.owner is LimitOwner.ACCOUNT else ""
        return repr((call.tenant_id, owner, gate.limit_key, gate.descriptor))
    return repr((call.tenant_id, call.account_id, gate.feature_key))


def _kind(gate: QuotaGate | ResetGate) -> FactKind:
    if isinstance(gate, ResetGate):
        return FactKind.RESET
    if gate.aggregation.value in _LEVELS:
        return FactKind.LEVEL
    if gate.aggregation.value in _MEASURED:
        return FactKind.EVENT
    return FactKind.REFUND if (gate.quantity or 0) < 0 else FactKind.CONSUME


class MemoryViews:
    """`ViewSource` and `KeySource` in memory; publish by assignment."""

    def __init__(self) -> None:
        self.snapshots: dict[str, CatalogSnapshot] = {}
        self.records: dict[tuple[str, str], AccountRecord] = {}
        self.keys: dict[str, KeyRecord] = {}
        self.key_version = 0

    def publish(self, published: CatalogSnapshot | AccountRecord) -> None:
        """Publish a snapshot or a record; an older version never replaces a newer."""
        if isinstance(published, CatalogSnapshot):
            held = self.snapshots.get(published.tenant_id)
            if held is None or held.version < published.version:
                self.snapshots[published.tenant_id] = published
            return
        place = (published.tenant_id, published.account_id)
        record = self.records.get(place)
        if record is None or record.version < published.version:
            self.records[place] = published

    async def versions(self, tenant_id: str, account_id: str) -> ViewVersions:
        """What is newest now."""
        snapshot = self.snapshots.get(tenant_id)
        record = self.records.get((tenant_id, account_id))
        catalog, account = snapshot.version if snapshot else 0, record.version if record else 0
        tenant = [r.version for (owner, _), r in self.records.items() if owner == tenant_id]
        return ViewVersions(catalog=catalog, account=account, applied=max([catalog, *tenant]))

    async def all_versions(self, tenant_id: str, account_ids: Sequence[str]) -> Sequence[ViewVersions]:
        """The same for several accounts."""
        return [await self.versions(tenant_id, account_id) for account_id in account_ids]

    async def catalog(self, tenant_id: str) -> CatalogSnapshot | None:
        """The tenant's catalogue snapshot."""
        return self.snapshots.get(tenant_id)

    async def newest(self, tenant_id: str, account_id: str) -> tuple[ViewVersions, AccountRecord | None]:
        """The account's record, and what is newest."""
        return await self.versions(tenant_id, account_id), self.records.get((tenant_id, account_id))

    async def key(self, digest: str) -> KeyRecord | None:
        """The record of the key with this digest."""
        return self.keys.get(digest)

    async def table_version(self) -> int:
        """Raised by whoever changes `keys`."""
        return self.key_version
