import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.output import instant, span
from tallygate.cli.phrases import decision_phrase, decision_row, rate_phrase
from tallygate.cli.terminal import wrapped
from tallygate_api.v1 import decision_pb2 as wire
from tallygate_api.v1.decision_pb2 import Decision, Pot, Reason, Value
from tallygate_api.v1.entitlement_service_pb2 import LimitStatus, RateLimitResponse


@pytest.mark.parametrize(("number", "reason"), [(v, k) for k, v in Reason.items() if v])
def test_every_reason_has_a_sentence(number, reason):
    for allowed in (True, False):
        phrase = decision_phrase(Decision(allowed=allowed, reason=number, feature_key="f"))
        assert phrase.startswith("allowed: " if allowed else "denied: ")
        assert phrase == " ".join(phrase.split())
        assert "None" not in phrase
        assert len(decision_row(Decision(allowed=allowed, reason=number, feature_key="f"))) == 4
        assert rate_phrase(RateLimitResponse(allowed=allowed, reason=number))
    assert "_" not in phrase, reason


@pytest.mark.parametrize(
    ("decision", "phrase"),
    [
        (
            Decision(allowed=True, reason=Reason.REASON_ENTITLED, feature_key="sso", value=Value(bool_value=True)),
            "allowed: sso is on",
        ),
        (
            Decision(
                reason=Reason.REASON_VALUE_NOT_GRANTED,
                feature_key="retention_days",
                value=Value(number_value=7),
                unblock_options=[wire.UnblockOption(kind=wire.UNBLOCK_KIND_UPGRADE, key="pro", limit=30)],
            ),
            "denied: retention_days grants 7, which is not what was asked for; plan pro would allow it",
        ),
        (
            Decision(
                allowed=True,
                reason=Reason.REASON_OVERAGE,
                feature_key="f",
                limit=100_000,
                used=100_002,
                remaining=0,
                granted_quantity=3,
                pots=[Pot(kind=wire.POT_KIND_INCLUDED, quantity=1), Pot(kind=wire.POT_KIND_OVERAGE, quantity=2)],
                replayed=True,
            ),
            "allowed: took 3, 2 of it as overage; 100,002 of 100,000 f used; counted before under this request_id",
        ),
        (
            Decision(
                reason=Reason.REASON_QUOTA_EXHAUSTED,
                feature_key="f",
                limit=100,
                hard_limit=150,
                used=90,
                remaining=10,
                shortfall=1_001,
            ),
            "denied: 90 of 100 f used, overage ends at 150, 1,001 missing",
        ),
        (
            Decision(
                allowed=True,
                reason=Reason.REASON_UNLIMITED,
                feature_key="f",
                used=7,
                unlimited=True,
                granted_quantity=-2,
            ),
            "allowed: gave back 2; 7 f used, without limit",
        ),
        (
            Decision(
                allowed=True,
                reason=Reason.REASON_ENTITLED,
                feature_key="f",
                value=Value(list_value=wire.StringList(values=["a", "b"])),
            ),
            "allowed: f is a, b",
        ),
    ],
)
def test_sentences(decision, phrase):
    assert decision_phrase(decision, taken=True) == phrase


def test_a_rate_limit_is_told_with_its_figures():
    status = LimitStatus(limit_key="api_rps", limit=100, burst=200, remaining=199, window=Duration(seconds=60))
    response = RateLimitResponse(
        allowed=True, reason=Reason.REASON_WITHIN_LIMIT, binding_limit_key="api_rps", statuses=[status]
    )
    assert rate_phrase(response) == "allowed: 199 left of api_rps (100 per 1 min, burst 200)"


@pytest.mark.parametrize(
    ("seconds", "nanos", "text"),
    [
        (0, 1, "1 ms"),
        (0, 200_000_000, "200 ms"),
        (0, 999_999_999, "1000 ms"),
        (1, 1, "1.1 s"),
        (9, 950_000_000, "10 s"),
        (59, 1, "1 min"),
        (61, 0, "1 min 1 s"),
        (3_600, 0, "1 h"),
        (3_601, 0, "1 h 1 min"),
        (86_399, 0, "1 d"),
        (820_800, 0, "9 d 12 h"),
    ],
)
def test_a_span_never_says_too_little(seconds, nanos, text):
    assert span(Duration(seconds=seconds, nanos=nanos)) == text


def test_instants_are_utc_to_the_minute_or_second():
    assert instant(Timestamp(seconds=1_796_083_200)) == "2026-12-01 00:00 UTC"
    assert instant(Timestamp(seconds=1_796_083_201)) == "2026-12-01 00:00:01 UTC"


def test_wrapping_never_tears_an_id():
    line = "denied: " + "a-" * 60 + " is long"
    assert "a-" * 60 in wrapped(line, 80).replace("\n", "")
    assert max(len(part) for part in wrapped("word " * 60, 80).splitlines()) <= 80
