"""The near-cache of exhausted quotas: what the store denied is denied again without asking it, until that is lifted.

Knows quotas of deltas that no grants pay for, so no time but the end of their segment gives them anything anew.
"""

from dataclasses import replace

from tallygate.data_plane.admission import Admitted
from tallygate.data_plane.programs import CompiledQuota, Denial
from tallygate.data_plane.views import Views
from tallygate.domain.gating.decision import DecidedOn, Decision, PotKind, Reason
from tallygate.domain.gating.quota import QuotaAnswer


class Exhausted:
    """Denials kept beside what quotas were compiled to, and whether they still stand.

    For checks alone. A consume may be the retry of one that was admitted and whose answer was lost: only the store can
    tell, and its denial is cheap. Checks about another instant or of a version to wait for ask the store, too.

    A denial stands until its segment ends, `max_staleness` (microseconds) has passed, the view changes, or units are
    returned anywhere. The last is only heard of, so without a live subscription no denial stands at all.
    """

    def __init__(self, views: Views, *, max_staleness: int) -> None:
        self._views = views
        self._max_staleness = max_staleness
        self._is_live = False
        self._live_since = 0
        self.heard = 0
        self.hits = 0

    def decision(self, compiled: CompiledQuota, quantity: int, now: int) -> Decision | None:
        """The denial of this quantity, explained for it as of `now` by this process's clock; None: ask the store.

        The quota must be compiled on a view that is current.
        """
        near = compiled.near
        denial = near.denial if near is not None else None
        if near is None or denial is None or quantity < denial.quantity:
            return None
        age = now - denial.asked_time
        stands = compiled.view.snapshot.clock.standing is not None
        # The store's clock stands, or goes on as ours does; it may be a little earlier there, never later.
        at = denial.now if stands else denial.now + age
        if not self._stands(denial, age) or at >= denial.end or compiled.end != denial.end:
            near.denial = None
            return None
        self.hits += 1
        decision = compiled.decision(denial.answer, at, quantity=quantity, at=at)
        return replace(decision, decided_on=DecidedOn.CACHED, view_age=age)

    def learn(self, admitted: Admitted, *, quantity: int, heard: int) -> None:
        """Hold what the store answered when it was asked for `quantity`, whether or not it denied that.

        What leaves room ends an older denial. A denial is kept, unless something was heard since it was asked (`heard`
        is what had been until then) that it may not have known of; the smallest quantity that was denied stays the
        smallest while these figures deny it.
        """
        compiled, reply = admitted.compiled, admitted.reply
        if not isinstance(compiled, CompiledQuota) or compiled.near is None or reply is None:
            return
        answer, near = reply.answers[0], compiled.near
        if not isinstance(answer, QuotaAnswer) or answer.replayed:
            return
        known = near.denial
        if answer.reason is not Reason.QUOTA_EXHAUSTED:
            if known is not None and _room(compiled, answer) >= known.quantity:
                near.denial = None
            return
        if not self._is_live or heard < max(self._live_since, near.returned):
            return
        if known is not None and _room(compiled, answer) < known.quantity < quantity:
            quantity = known.quantity
        near.denial = Denial(
            quantity=quantity,
            answer=answer,
            now=admitted.now,
            asked_time=admitted.started,
            heard=heard,
            end=compiled.end,
        )

    def drop(self, tenant_id: str, account_id: str, feature_key: str) -> None:
        """Units of this account's feature were returned, or its usage was reset: nothing is known of it any more."""
        self.heard += 1
        view = self._views.in_process(tenant_id, account_id)
        near = view.near.get(feature_key) if view is not None else None
        if near is not None:
            near.denial, near.returned = None, self.heard

    def on_gap(self) -> None:
        """Returns may be missed from now on: nothing stands until `on_live`."""
        self._is_live = False

    def on_live(self) -> None:
        """No return is missed from here on: what is asked from now on may stand."""
        self.heard += 1
        self._is_live, self._live_since = True, self.heard

    def _stands(self, denial: Denial, age: int) -> bool:
        return self._is_live and denial.heard >= self._live_since and 0 <= age < self._max_staleness


def _room(compiled: CompiledQuota, answer: QuotaAnswer) -> float:
    """How much the quota still held by this answer, up to the hard end of overage; one without an end never denies."""
    segment = compiled.segments[min(answer.segment, len(compiled.segments) - 1)]
    end = segment.hard_limit if segment.overage else segment.limit
    if answer.limit is None or end is None:
        return float("inf")
    left = next((pot.quantity for pot in answer.left if pot.kind is PotKind.INCLUDED), None)
    if left is None:
        return answer.remaining or 0
    taken = sum(pot.quantity for pot in answer.left if pot.kind is PotKind.OVERAGE) if segment.overage else 0
    return left + taken + end - (segment.limit or 0)
