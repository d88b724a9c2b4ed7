"""CheckEntitlement: may this account use this feature now, and would N more pass? Never takes anything."""

import asyncio
from dataclasses import dataclass, replace

from tallygate.data_plane.admission import Admission, Admitted, slots_of
from tallygate.data_plane.ports import NO_EFFECT, AdmitCall, EffectContext
from tallygate.data_plane.requests import CheckRequest
from tallygate.data_plane.standing import Standings
from tallygate.data_plane.views import View
from tallygate.domain.catalog import Feature, FeatureKind
from tallygate.domain.errors import (
    MAX_QUANTITY,
    FeatureNotFoundError,
    InvalidError,
    InvalidFieldError,
    OutOfRangeError,
    TallygateError,
    UnavailableError,
    ViewNotReadyError,
)
from tallygate.domain.gating.admit import Answer, Identified
from tallygate.domain.gating.decide import Stamp, decide, decide_metered, tried, unknown_account
from tallygate.domain.gating.decision import DecidedOn, Decision
from tallygate.domain.gating.quota import LEVELS, QuotaAnswer, QuotaGate
from tallygate.domain.gating.remedies import Metered, Question
from tallygate.domain.gating.resolve import END
from tallygate.domain.gating.slots import period_at, slots
from tallygate.domain.instants import rfc3339

Outcome = Decision | TallygateError

_CONCURRENT = 64
GATES_A_CALL = 50
"""How many features of one account are read in one script: long enough to be few calls, too short to hold others up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The read-only questions of the data plane; what a view alone decided is kept in `standings`."""

    admission: Admission
    standings: Standings | None = None

    async def check(self, tenant_id: str, request: CheckRequest) -> Decision:
        """Decide one question; metered features are read from the store, the others from the view."""
        outcome = (await self._decide(tenant_id, [request]))[0]
        if isinstance(outcome, TallygateError):
            raise outcome
        return outcome

    async def check_many(self, tenant_id: str, requests: list[CheckRequest]) -> list[Outcome]:
        """Decide many, in order; those of one account share a call, and one that fails does not fail the rest."""
        outcomes: dict[int, Outcome] = {}
        gate = asyncio.Semaphore(_CONCURRENT)

        async def together(indexes: list[int]) -> None:
            async with gate:
                found = await self._decide(tenant_id, [requests[index] for index in indexes])
            outcomes.update(zip(indexes, found, strict=True))

        await asyncio.gather(*(together(group) for group in _groups(requests)))
        return [outcomes[index] for index in range(len(requests))]

    async def entitlements(
        self,
        tenant_id: str,
        account_id: str,
        user_id: str = "",
        at_time: int | None = None,
        *,
        min_view_version: int = 0,
    ) -> list[Decision]:
        """Every feature of the account's catalogue, by key, each as a check of 1 would answer."""
        view = await self.admission.views.view(tenant_id, account_id, min_view_version=min_view_version)
        requests = [
            CheckRequest(
                account_id=account_id,
                feature_key=key,
                user_id=user_id,
                at_time=at_time,
                min_view_version=min_view_version,
            )
            for key, feature in sorted(view.snapshot.catalog.features.items())
            if not feature.archived
        ]
        outcomes = await self.check_many(tenant_id, requests)
        for outcome in outcomes:
            if isinstance(outcome, TallygateError):
                raise outcome
        return [outcome for outcome in outcomes if isinstance(outcome, Decision)]

    async def _decide(self, tenant_id: str, requests: list[CheckRequest]) -> list[Outcome]:
        """Decide questions about different features of one account, all in one call of the store."""
        started = self.admission.clock()
        first = requests[0]

        def build(view: View, at: int) -> AdmitCall | None:
            gates = tuple(
                Identified(gate=gate, state_key="")
                for request in requests
                if (gate := _gate(view, request, at)) is not None
            )
            return call_of(tenant_id, first.account_id, view, gates, peek=True) if gates else None

        try:
            admitted = await self.admission.admit(
                tenant_id, first.account_id, build, min_view_version=first.min_view_version
            )
        except UnavailableError as error:
            return await self._without_store(tenant_id, requests, error)
        except InvalidError as error:  # one gate of the call cannot be evaluated: ask each by itself
            if len(requests) == 1:
                return [error]
            return [(await self._decide(tenant_id, [request]))[0] for request in requests]
        return self._explain_all(requests, admitted, started)

    async def _without_store(
        self, tenant_id: str, requests: list[CheckRequest], error: UnavailableError
    ) -> list[Outcome]:
        """Answer metered features by their policy, the others from the view, as long as it may be used."""
        outcomes: list[Outcome] = [error] * len(requests)
        others: list[int] = []
        for index, request in enumerate(requests):
            feature = self.admission.known_feature(tenant_id, request.feature_key)
            if feature is not None and feature.kind is FeatureKind.METERED:
                outcomes[index] = self._fall_back(feature, error)
            else:
                others.append(index)
        if len(others) < len(requests) and not isinstance(error, ViewNotReadyError):
            decided = await self._decide(tenant_id, [requests[index] for index in others]) if others else []
            for index, outcome in zip(others, decided, strict=True):
                outcomes[index] = outcome
        return outcomes

    def _fall_back(self, feature: Feature, error: UnavailableError) -> Outcome:
        try:
            return self.admission.fall_back(feature, error)
        except UnavailableError as refusal:
            return refusal

    def _explain_all(self, requests: list[CheckRequest], admitted: Admitted, started: int) -> list[Outcome]:
        view = admitted.view
        fresh = admitted.reply is not None or view.verified_time >= started
        decided_on = DecidedOn.FRESH if fresh else DecidedOn.CACHED
        age = 0 if fresh else self.admission.views.age(view)
        found, stamp = _by_feature(admitted), Stamp(view_version=view.version)
        outcomes: list[Outcome] = []
        for request in requests:
            try:
                decision = _decision(request, view, admitted.now, found.get(request.feature_key), stamp)
            except TallygateError as error:
                outcomes.append(error)
            else:
                if decision.view_version != view.version or not fresh:
                    decision = replace(decision, view_version=view.version, decided_on=decided_on, view_age=age)
                outcomes.append(decision)
                if self.standings is not None:
                    self.standings.keep(request, decision, view, admitted.now)
        return outcomes


def _groups(requests: list[CheckRequest]) -> list[list[int]]:
    """Indexes of requests that can share a call: of one account and view version, each feature once."""
    groups: list[list[int]] = []
    open_groups: dict[tuple[str, int], tuple[list[int], set[str]]] = {}
    for index, request in enumerate(requests):
        place = (request.account_id, request.min_view_version)
        indexes, keys = open_groups.get(place, ([], set()))
        if not indexes or request.feature_key in keys or len(indexes) == GATES_A_CALL:
            indexes, keys = open_groups[place] = ([], set())
            groups.append(indexes)
        indexes.append(index)
        keys.add(request.feature_key)
    return groups


def feature_of(view: View, feature_key: str) -> Feature:
    """The tenant's feature of this key.

    Raises:
        FeatureNotFoundError: the catalogue has none.
    """
    feature = view.snapshot.catalog.features.get(feature_key)
    if feature is None:
        raise FeatureNotFoundError(feature_key=feature_key)
    return feature


def call_of(
    tenant_id: str,
    account_id: str,
    view: View,
    gates: tuple[Identified, ...],
    *,
    context: EffectContext = NO_EFFECT,
    peek: bool = False,
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
    )


def _gate(view: View, request: CheckRequest, now: int) -> QuotaGate | None:
    """The gate that answers a question about a metered feature; None where the view alone answers, or refuses, it."""
    feature = view.snapshot.catalog.features.get(request.feature_key)
    if feature is None or view.held is None or feature.kind is not FeatureKind.METERED or not _is_valid(request):
        return None
    around, at = slots_of(view, feature, at=now), request.at_time
    if at is not None and at < around[0].start:
        return None
    if at is not None and at >= around[-1].end:
        around = (*around, *(slot for slot in slots(view.held, feature, at=at) if slot.start >= around[-1].end))
    return QuotaGate(
        feature_key=feature.feature_key,
        quantity=_asked(request, feature),
        slots=around,
        grants=view.held.grants.get(feature.feature_key, ()),
        aggregation=feature.aggregation,
        occurred_time=at,
    )


def _asked(request: CheckRequest, feature: Feature) -> int | None:
    """The quantity to try: a look where nothing is asked for, another instant is meant, or more than a level stands."""
    if request.at_time is not None or request.quantity == 0:
        return None
    if request.quantity is None:
        return None if feature.aggregation in LEVELS else 1
    return request.quantity


def _is_valid(request: CheckRequest) -> bool:
    quantity = 0 if request.quantity is None else request.quantity
    return 0 <= quantity <= MAX_QUANTITY and (request.at_time is None or 0 <= request.at_time < END)


def _by_feature(admitted: Admitted) -> dict[str, tuple[QuotaGate, QuotaAnswer]]:
    if admitted.call is None or admitted.reply is None:
        return {}
    pairs: zip[tuple[Identified, Answer]] = zip(admitted.call.gates, admitted.reply.answers, strict=True)
    return {
        item.gate.feature_key: (item.gate, answer)
        for item, answer in pairs
        if isinstance(item.gate, QuotaGate) and isinstance(answer, QuotaAnswer)
    }


def _decision(
    request: CheckRequest, view: View, now: int, found: tuple[QuotaGate, QuotaAnswer] | None, stamp: Stamp
) -> Decision:
    feature = feature_of(view, request.feature_key)
    if request.quantity is not None and not 0 <= request.quantity <= MAX_QUANTITY:
        raise InvalidFieldError(field="quantity", expected=f"0 to {MAX_QUANTITY}", got=request.quantity)
    if view.held is None:
        return unknown_account(feature)
    at = now if request.at_time is None else request.at_time
    if request.at_time is not None:
        _check_instant(at, earliest=period_at(view.held, feature, now).start)
    question = Question(
        feature=feature,
        quantity=1 if request.quantity is None else request.quantity,
        beyond=request.quantity is None and feature.aggregation in LEVELS,
        user_id=request.user_id,
        requested_values=request.requested_values,
        at=at,
    )
    if found is None:
        return decide(view.snapshot.catalog, view.held, question)
    gate, answer = found
    metered = Metered(answer=answer, slots=gate.slots, now=at)
    if request.at_time is not None or question.beyond:
        metered = tried(question, metered)
    return decide_metered(view.snapshot.catalog, view.held, question, metered, stamp)


def _check_instant(at: int, *, earliest: int) -> None:
    if not earliest <= at < END:
        raise OutOfRangeError(
            field="at_time",
            expected=f"an instant of the current usage period, which starts at {rfc3339(earliest)}, or later",
            earliest=rfc3339(earliest),
            latest=rfc3339(END - 1),
            got=rfc3339(at),
        )
