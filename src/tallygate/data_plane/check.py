"""CheckEntitlement: may this account use this feature now, and would N more pass? Never takes anything."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from tallygate.data_plane.admission import Admission, Admitted, segments_of
from tallygate.data_plane.cached_decisions import CachedDecisions
from tallygate.data_plane.exhausted import Exhausted
from tallygate.data_plane.later import Later
from tallygate.data_plane.ports import NOBODY, AdmitCall, Answered, Asked
from tallygate.data_plane.programs import Compiled, CompiledQuota, call_of, compile_quota, compiled, stretch
from tallygate.data_plane.questions import by_feature, decision_on, gate_of, is_valid, quantity_to_try, segments_until
from tallygate.data_plane.requests import CheckRequest
from tallygate.data_plane.view import View
from tallygate.domain.catalog import Feature, FeatureKind
from tallygate.domain.errors import (
    InvalidError,
    TallygateError,
    UnavailableError,
    ViewNotReadyError,
)
from tallygate.domain.gating.admit import Identified
from tallygate.domain.gating.decide import Stamp
from tallygate.domain.gating.decision import DecidedOn, Decision
from tallygate.domain.gating.quota import QuotaGate, Segment

Outcome = Decision | TallygateError

_CONCURRENT = 64
GATES_A_CALL = 50
"""How many features of one account are read in one script: long enough to be few calls, too short to hold others up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The read-only questions of the data plane; what a view alone decided is kept in `cached_decisions`."""

    admission: Admission
    cached_decisions: CachedDecisions | None = None
    exhausted: Exhausted | None = None

    def begin(
        self, tenant_id: str, request: CheckRequest, done: Callable[[Admitted | Decision | Exception], None]
    ) -> None:
        """Decide one question; metered features are read from the store, the others from the view."""
        asking = _Checking(self, tenant_id, request, done)
        self.admission.begin(tenant_id, request.account_id, asking, min_view_version=request.min_view_version)

    async def check(self, tenant_id: str, request: CheckRequest) -> Decision:
        """As `begin`, explained."""
        later: Later[Admitted | Decision] = Later()
        self.begin(tenant_id, request, later.resolve)
        outcome = await later.result()
        return self.explained(request, outcome) if isinstance(outcome, Admitted) else outcome

    def explained(self, request: CheckRequest, admitted: Admitted) -> Decision:
        """The whole decision.

        Raises:
            TallygateError: the request is one that cannot be decided.
        """
        outcome = self._explain_all([request], admitted)[0]
        if isinstance(outcome, TallygateError):
            raise outcome
        return outcome

    def compile(self, tenant_id: str, request: CheckRequest, view: View, at: int) -> CompiledQuota | None:
        """The quota that this question looks at; None where the view alone answers, or refuses, it."""
        feature = view.snapshot.catalog.features.get(request.feature_key)
        if (
            feature is None
            or view.entitlements is None
            or feature.kind is not FeatureKind.METERED
            or not is_valid(request)
        ):
            return None
        place = tenant_id, request.account_id, feature

        def compiled_quota(segments: tuple[Segment, ...]) -> CompiledQuota:
            gate = QuotaGate(feature_key=feature.feature_key, quantity=None, segments=segments)
            return compile_quota(self.admission.gates, view, place, gate, at, peek=True)

        if request.at_time is not None:
            around = segments_until(view, feature, at, request.at_time)
            return compiled_quota(around) if around else None
        shape = ("check", feature.feature_key)
        return compiled(view, shape, at, lambda: compiled_quota(stretch(segments_of(view, feature, at=at), at)))

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
        first = requests[0]

        def build(view: View, at: int) -> AdmitCall | None:
            gates = tuple(
                Identified(gate=gate, state_key="")
                for request in requests
                if (gate := gate_of(view, request, at)) is not None
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
        return self._explain_all(requests, admitted)

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

    def fall_back(self, tenant_id: str, request: CheckRequest, error: Exception) -> Decision | Exception:
        """What one metered check answers by its feature's policy; the error, where none answers."""
        feature = self.admission.known_feature(tenant_id, request.feature_key)
        if not isinstance(error, UnavailableError) or feature is None or feature.kind is not FeatureKind.METERED:
            return error
        return self._fall_back(feature, error)

    def _fall_back(self, feature: Feature, error: UnavailableError) -> Outcome:
        try:
            return self.admission.fall_back(feature, error)
        except UnavailableError as refusal:
            return refusal

    def _explain_all(self, requests: list[CheckRequest], admitted: Admitted) -> list[Outcome]:
        view = admitted.view
        fresh = admitted.reply is not None or view.verified_time >= admitted.started
        decided_on = DecidedOn.FRESH if fresh else DecidedOn.CACHED
        age = 0 if fresh else self.admission.views.age(view)
        found, stamp = by_feature(admitted), Stamp(view_version=view.version)
        outcomes: list[Outcome] = []
        for request in requests:
            try:
                decision = decision_on(request, view, admitted.now, found.get(request.feature_key), stamp)
            except TallygateError as error:
                outcomes.append(error)
            else:
                if decision.view_version != view.version or not fresh:
                    decision = replace(decision, view_version=view.version, decided_on=decided_on, view_age=age)
                outcomes.append(decision)
                if self.cached_decisions is not None:
                    self.cached_decisions.keep(request, decision, view, admitted.now)
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


class _Checking:
    """One check on its way."""

    __slots__ = ("_checks", "_done", "_heard", "_request", "_tenant_id")

    def __init__(
        self,
        checks: Checks,
        tenant_id: str,
        request: CheckRequest,
        done: Callable[[Admitted | Decision | Exception], None],
    ) -> None:
        self._checks = checks
        self._heard = -1
        self._tenant_id = tenant_id
        self._request = request
        self._done = done

    def compile(self, view: View, at: int) -> CompiledQuota | None:
        """What to ask on this view."""
        return self._checks.compile(self._tenant_id, self._request, view, at)

    def ask(self, compiled: Compiled, answered: Answered) -> None:
        """Ask it."""
        if not isinstance(compiled, CompiledQuota):
            raise TypeError(compiled)
        request, near = self._request, self._checks.exhausted
        asked = quantity_to_try(request, compiled.feature)
        if near is not None and not request.min_view_version and request.at_time is None and asked is not None:
            self._heard = near.heard
            denied = near.decision(compiled, asked, self._checks.admission.clock())
            if denied is not None:
                self._done(denied)
                return
        compiled.program.ask((Asked(asked, occurred_time=request.at_time),), NOBODY, answered)

    def decided(self, admitted: Admitted) -> None:
        """It was."""
        near, request = self._checks.exhausted, self._request
        if near is not None and admitted.reply is not None and request.at_time is None:
            near.learn(admitted, quantity=1 if request.quantity is None else request.quantity, heard=self._heard)
        self._done(admitted)

    def failed(self, error: Exception) -> None:
        """It could not be: the policy of a metered feature answers."""
        self._done(self._checks.fall_back(self._tenant_id, self._request, error))
