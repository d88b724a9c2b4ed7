import uuid

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from contract.cli.fake_server import Refuse
from tallygate_api.v1.decision_pb2 import Decision, Reason, UnblockKind, UnblockOption
from tallygate_api.v1.entitlement_service_pb2 import (
    CONSUME_MODE_BEST_EFFORT,
    CheckEntitlementResponse,
    ConsumeQuotaResponse,
    DescriptorEntry,
    LimitStatus,
    ListEntitlementsResponse,
    RateLimitResponse,
)

DECEMBER = Timestamp()
DECEMBER.FromJsonString("2026-12-01T00:00:00Z")
EXHAUSTED = Decision(
    allowed=False,
    reason=Reason.REASON_QUOTA_EXHAUSTED,
    feature_key="api_calls",
    limit=1000,
    used=1000,
    remaining=0,
    reset_time=DECEMBER,
    retry_after=Duration(seconds=820800),
    unblock_options=[UnblockOption(kind=UnblockKind.UNBLOCK_KIND_ADD_ON, key="api-pack", limit=6000)],
)
TAKEN = Decision(
    allowed=True,
    reason=Reason.REASON_WITHIN_LIMIT,
    feature_key="api_calls",
    limit=1000,
    used=41,
    remaining=959,
    granted_quantity=1,
    reset_time=DECEMBER,
)


def test_a_denial_is_a_sentence_and_exit_code_1(server, say):
    server.answers["CheckEntitlement"] = CheckEntitlementResponse(decision=EXHAUSTED)
    said = say("check", "globex", "api_calls")
    assert said.code == 1
    assert said.out == (
        "denied: 1,000 of 1,000 api_calls used; resets 2026-12-01 00:00 UTC; add-on api-pack would allow it\n"
    )
    assert said.err == ""
    assert server.metadata[0]["authorization"] == "Bearer tg_test"


def test_json_is_the_message_with_snake_case_and_fields_without_presence(server, say):
    server.answers["CheckEntitlement"] = CheckEntitlementResponse(
        decision=Decision(reason=Reason.REASON_NOT_IN_PLAN, feature_key="sso")
    )
    said = say("check", "globex", "sso", "-o", "json")
    assert said.code == 1
    decision = said.json()["decision"]
    assert decision["allowed"] is False
    assert decision["used"] == "0"
    assert decision["reason"] == "REASON_NOT_IN_PLAN"
    assert decision["feature_key"] == "sso"
    assert "limit" not in decision
    assert said.err == ""


def test_check_sends_what_was_asked(server, say):
    server.answers["CheckEntitlement"] = CheckEntitlementResponse(decision=TAKEN)
    words = ("--user", "ada", "--quantity", 0, "--value", "30", "--value", "60", "--at", "2026-12-01")
    assert say("check", "a/b", "seats", *words, "--min-view-version", 7).code == 0
    (request,) = server.asked("CheckEntitlement")
    assert (request.account_id, request.feature_key, request.user_id) == ("a/b", "seats", "ada")
    assert request.HasField("quantity")
    assert request.quantity == 0
    assert list(request.requested_values) == ["30", "60"]
    assert request.at_time == DECEMBER
    assert request.min_view_version == 7


def test_check_without_a_feature_lists_them(server, say):
    server.answers["ListEntitlements"] = ListEntitlementsResponse(decisions=[TAKEN])
    said = say("check", "acme")
    assert said.code == 0
    assert "api_calls" in said.out
    assert "41 of 1,000" in said.out


def test_consume_mints_a_request_id_and_tells_it_before_the_call(server, say):
    server.answers["ConsumeQuota"] = ConsumeQuotaResponse(decision=TAKEN)
    said = say("consume", "acme", "api_calls")
    assert said.code == 0
    (request,) = server.asked("ConsumeQuota")
    assert request.quantity == 1
    assert uuid.UUID(request.request_id).version == 7
    assert said.err == f"request_id: {request.request_id}\n"
    assert said.out.startswith("allowed: took 1; 41 of 1,000 api_calls used, 959 left;")


def test_consume_sends_what_was_asked_and_a_refund_needs_no_quoting(server, say):
    server.answers["ConsumeQuota"] = ConsumeQuotaResponse(decision=TAKEN)
    said = say(
        "consume", "acme", "api_calls", "-5", "--request-id", "r1", "--mode", "best_effort", "--dimension", "a=b=c"
    )
    assert said.code == 0
    (request,) = server.asked("ConsumeQuota")
    assert (request.quantity, request.request_id, request.mode) == (-5, "r1", CONSUME_MODE_BEST_EFFORT)
    assert dict(request.dimensions) == {"a": "b=c"}
    assert "request_id" not in said.out


def test_a_consume_that_was_not_decided_says_how_to_retry(server, say):
    server.answers["ConsumeQuota"] = Refuse(grpc.StatusCode.INTERNAL, "A defect.", "INTERNAL")
    said = say("consume", "acme", "api_calls")
    assert said.code == 3
    (request,) = server.asked("ConsumeQuota")
    assert f"retry with --request-id {request.request_id}" in said.err
    assert said.out == ""


def test_rate_limit_names_the_limit_and_the_wait(server, say):
    status = LimitStatus(limit_key="api_rps", limit=5, remaining=0, window=Duration(seconds=1), burst=5)
    server.answers["RateLimit"] = RateLimitResponse(
        allowed=False,
        reason=Reason.REASON_RATE_LIMITED,
        binding_limit_key="api_rps",
        statuses=[status],
        retry_after=Duration(nanos=200_000_000),
    )
    said = say("ratelimit", "-", "--cost", 2, "--descriptor", "action=login", "--descriptor", "ip=1")
    assert said.code == 1
    assert said.out == "denied: 0 left of api_rps (5 per 1 s); try again in 200 ms\n"
    (request,) = server.asked("RateLimit")
    assert request.account_id == ""
    assert request.cost == 2
    assert list(request.descriptors) == [
        DescriptorEntry(key="action", value="login"),
        DescriptorEntry(key="ip", value="1"),
    ]


CALLER = [
    (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"),
    (grpc.StatusCode.NOT_FOUND, "FEATURE_NOT_FOUND"),
    (grpc.StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS"),
    (grpc.StatusCode.FAILED_PRECONDITION, "VERSION_CONFLICT"),
    (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
    (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING"),
]
UNDECIDED = [
    (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"),
    (grpc.StatusCode.INTERNAL, "INTERNAL"),
    (grpc.StatusCode.UNIMPLEMENTED, "UNIMPLEMENTED"),
    (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"),
]


@pytest.mark.parametrize(
    ("code", "reason", "expected"), [(*row, 2) for row in CALLER] + [(*row, 3) for row in UNDECIDED]
)
def test_exit_codes_and_the_status_as_json(server, say, code, reason, expected):
    server.answers["CheckEntitlement"] = Refuse(code, "It failed.", reason, feature_key="x")
    said = say("check", "acme", "x")
    assert (said.code, said.out) == (expected, "")
    assert said.err.startswith("error: It failed.\n")
    said = say("check", "acme", "x", "-o", "json")
    assert (said.code, said.out) == (expected, "")
    status = said.error()
    assert (status["code"], status["message"]) == (code.value[0], "It failed.")
    (info,) = status["details"]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert (info["reason"], info["metadata"]) == (reason, {"feature_key": "x"})


def test_no_server_is_one_line_and_exit_code_3(say):
    said = say("check", "acme", "x", "--server", "127.0.0.1:1")
    assert said.code == 3
    assert said.err.splitlines()[0] == "error: no server answers at 127.0.0.1:1"
    assert say("check", "acme", "x", "--server", "127.0.0.1:1", "-o", "json").error()["code"] == 14


@pytest.mark.parametrize(
    "words",
    [
        ("chekc", "acme"),
        ("check",),
        ("check", "acme", "x", "--quantity", "many"),
        ("check", "acme", "x", "--at", "noon"),
        ("consume", "acme", "x", "--mod", "adjust"),
        ("ratelimit", "acme", "--descriptor", "login"),
        ("usage", "acme", "--period", "current", "--from", "2026-01-01"),
        ("override", "create", "acme", "x"),
        ("subscription", "cancel", "acme", "--when", "now", "--at", "2026-01-01"),
        ("subscription", "extend", "acme"),
        ("subscription", "create", "acme", "pro", "--add-on", "pack=many"),
        ("key", "create", "k", "--scope", "data", "--local"),
        ("check", "acme", "x", "--key-file", "nowhere"),
        ("settings", "show", "--set", "redis.urll=x"),
    ],
)
@pytest.mark.usefixtures("server")
def test_usage_errors_are_the_callers(say, words):
    said = say(*words)
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err
    status = say(*words, "-o", "json")
    assert (status.code, status.out, status.error()["code"]) == (2, "", 3)


def test_an_unknown_command_names_the_nearest(say):
    assert "Did you mean 'check'?" in say("chekc").err
