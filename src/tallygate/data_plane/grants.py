"""What grants still hold: read from the counters themselves, so that it is as fresh as a decision. Takes nothing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tallygate.data_plane.admission import Admission, segments_of
from tallygate.data_plane.check import GATES_A_CALL
from tallygate.data_plane.ports import AdmitCall
from tallygate.data_plane.programs import call_of
from tallygate.data_plane.view import View
from tallygate.domain.gating.admit import Identified
from tallygate.domain.gating.decision import PotKind
from tallygate.domain.gating.quota import DELTAS, QuotaAnswer, QuotaGate


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantBalances:
    """Asks the store, which alone knows what was burnt."""

    admission: Admission

    async def left(self, tenant_id: str, account_id: str, feature_keys: Collection[str]) -> Mapping[str, int]:
        """What each grant of these features still holds, by its id, whether or not it is in force.

        Of a level, which burns nothing, that is its amount. Grants that the view does not hold are left out.

        Raises:
            UnavailableError: the store cannot say.
        """
        view = await self.admission.views.view(tenant_id, account_id, fresh=True)
        granted = view.entitlements.grants if view.entitlements is not None else {}
        wanted = {key: granted[key] for key in feature_keys if key in granted}
        left = {grant.grant_id: grant.amount for grants in wanted.values() for grant in grants}
        features = view.snapshot.catalog.features
        burning = [key for key in wanted if key in features and features[key].aggregation in DELTAS]
        for start in range(0, len(burning), GATES_A_CALL):
            left |= await self._burning(tenant_id, account_id, burning[start : start + GATES_A_CALL])
        return left

    async def _burning(self, tenant_id: str, account_id: str, keys: Collection[str]) -> Mapping[str, int]:
        asked: set[str] = set()

        def build(view: View, at: int) -> AdmitCall | None:
            gates = [
                _look(view, key, at)
                for key in keys
                if view.entitlements is not None and key in view.entitlements.grants
            ]
            asked.update(grant.grant_id for gate in gates for grant in gate.grants)
            items = tuple(Identified(gate=gate, state_key="") for gate in gates)
            return call_of(tenant_id, account_id, view, items, peek=True) if items else None

        admitted = await self.admission.admit(tenant_id, account_id, build)
        answers = admitted.reply.answers if admitted.reply is not None else ()
        holding = {
            pot.grant_id: pot.quantity
            for answer in answers
            if isinstance(answer, QuotaAnswer)
            for pot in answer.left
            if pot.kind is PotKind.GRANT
        }
        return {grant_id: holding.get(grant_id, 0) for grant_id in asked}


def _look(view: View, key: str, at: int) -> QuotaGate:
    feature = view.snapshot.catalog.features[key]
    return QuotaGate(
        feature_key=key,
        quantity=None,
        segments=segments_of(view, feature, at=at),
        grants=view.entitlements.grants[key] if view.entitlements is not None else (),
        aggregation=feature.aggregation,
    )
