"""Answers kept encoded: what is given again is the answer that was kept, with the age that it has now."""

from dataclasses import dataclass

import pytest

from tallygate.data_plane.requests import CheckRequest
from tallygate.domain.gating.decision import DecidedOn, Decision, Reason
from tallygate.server.operations.metrics import Metrics
from tallygate.server.services.answers import Answered, Answers
from tallygate.server.wire.decision import encode_decision
from tallygate_api.v1 import decision_pb2
from tallygate_api.v1 import entitlement_service_pb2 as wire

DATA = b"the request"
DECISION = Decision(
    feature_key="sso", allowed=True, reason=Reason.ENTITLED, decided_on=DecidedOn.FRESH, view_version=300
)


@dataclass
class Standing:
    """Stands since `since`, for ever unless it `fell`."""

    since: int = 0
    fell: bool = False

    def age(self, now):
        return None if self.fell else now - self.since


class Rig:
    def __init__(self, standing):
        self.now = 0
        self.metrics = Metrics()
        self.answers = Answers(lambda *_: standing, lambda: self.now, self.metrics)

    def keep(self, account_id="a"):
        asked = CheckRequest(account_id=account_id, feature_key="sso")
        message = wire.CheckEntitlementResponse(decision=encode_decision(DECISION))
        self.answers.keep(Answered("t", asked, DECISION, "boolean", message), DATA)
        result = wire.BatchCheckEntitlementsResult(
            account_id=account_id, feature_key="sso", decision=encode_decision(DECISION)
        )
        self.answers.keep_of_batch(Answered("t", asked, DECISION, "boolean", result))


def as_told(age):
    decision = encode_decision(DECISION)
    decision.decided_on = decision_pb2.DECIDED_ON_CACHED
    decision.view_age.FromMilliseconds(age)
    return decision


@pytest.mark.parametrize(
    ("age", "told"), [(0, 0), (1, 1), (1_000, 1), (1_001, 2), (4_999_999, 5_000), (86_400_000_000, 86_400_000)]
)
def test_the_age_is_told_in_milliseconds_and_never_too_young(age, told):
    rig = Rig(Standing())
    rig.keep()
    rig.now = age
    again = wire.CheckEntitlementResponse.FromString(rig.answers.get("t", DATA))
    assert again == wire.CheckEntitlementResponse(decision=as_told(told))


def test_a_batch_is_put_together_of_what_was_kept_in_the_order_that_is_asked():
    rig = Rig(Standing())
    rig.keep("a")
    rig.keep("b")
    rig.now = 2_000
    request = wire.BatchCheckEntitlementsRequest(account_ids=["b", "a", "b"], feature_keys=["sso"])
    again = wire.BatchCheckEntitlementsResponse.FromString(rig.answers.get_batch("t", request.SerializeToString()))
    assert again == wire.BatchCheckEntitlementsResponse(
        results=[
            wire.BatchCheckEntitlementsResult(account_id=account_id, feature_key="sso", decision=as_told(2))
            for account_id in ("b", "a", "b")
        ]
    )


def test_what_fell_is_not_given_again_and_is_forgotten():
    standing = Standing()
    rig = Rig(standing)
    rig.keep()
    standing.fell = True
    assert rig.answers.get("t", DATA) is None
    standing.fell = False
    assert rig.answers.get("t", DATA) is None


def test_an_answer_given_again_is_counted_as_cached_with_its_age():
    rig = Rig(Standing())
    rig.keep()
    rig.now = 3_000_000
    rig.answers.get("t", DATA)
    shown = rig.metrics.exposition().decode()
    assert 'tallygate_degraded_decisions_total{decided_on="CACHED",kind="boolean"} 1.0' in shown
    assert 'tallygate_decisions_total{allowed="true",kind="boolean",reason="ENTITLED"} 1.0' in shown
    assert "tallygate_view_age_seconds_sum 3.0" in shown
