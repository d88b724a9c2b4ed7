import asyncio
import http.client
import io
import json
import logging
import signal

import pytest

from tallygate.domain.credential import mint_key
from tallygate.domain.gating.decision import DecidedOn, Reason
from tallygate.server.listeners import ListenError, parse_address
from tallygate.server.operations import logs
from tallygate.server.operations.admin import AdminServer, Check
from tallygate.server.operations.logs import CURRENT_CALL, CallInfo
from tallygate.server.operations.metrics import Metrics
from tallygate_api.v1 import entitlement_service_pb2 as wire

KEY = mint_key(b"k" * 32)


@pytest.fixture
async def admin():
    checks = {"redis": Check(ok=True), "database": Check(ok=True, detail="3 behind", required=False)}

    async def readiness():
        return checks

    metrics = Metrics()
    server = AdminServer(parse_address("127.0.0.1:0"), metrics=metrics, readiness=readiness)
    await server.start()
    yield server, checks, metrics
    await server.stop()


async def get(server, path):
    def fetch():
        connection = http.client.HTTPConnection(server.address.host, server.address.port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    return await asyncio.to_thread(fetch)


async def test_live_ready_and_metrics_are_served(admin):
    server, checks, metrics = admin
    assert await get(server, "/live") == (200, "live\n")
    status, body = await get(server, "/ready")
    assert (status, json.loads(body)["ready"]) == (200, True)
    checks["database"] = Check(ok=False, detail="away", required=False)
    assert (await get(server, "/ready"))[0] == 200
    checks["redis"] = Check(ok=False, detail="cannot connect")
    status, body = await get(server, "/ready")
    assert status == 503
    assert json.loads(body)["checks"]["redis"]["detail"] == "cannot connect"
    metrics.decided("metered", Reason.OVERAGE, allowed=True, decided_on=DecidedOn.FALLBACK, view_age=2_000_000)
    status, body = await get(server, "/metrics")
    assert status == 200
    assert 'tallygate_degraded_decisions_total{decided_on="FALLBACK",kind="metered"} 1.0' in body
    assert (await get(server, "/admin"))[0] == 404


async def test_the_admin_port_leaves_signals_alone(admin):
    assert signal.getsignal(signal.SIGTERM) in {signal.SIG_DFL, signal.default_int_handler}
    server, _, _ = admin
    with pytest.raises(ListenError, match="in use"):
        await AdminServer(server.address, metrics=Metrics(), readiness=dict).start()


async def test_counters_kept_elsewhere_are_shown():
    metrics = Metrics()
    metrics.watch("tallygate_reconnects", "How often.", lambda: 3, counter=True)
    assert b"tallygate_reconnects_total 3.0" in metrics.exposition()


@pytest.fixture
def log():
    """Lines of one logger through the whole pipeline, as `configure` builds it."""
    stream = io.StringIO()
    logs.configure(level="debug", output="json", stream=stream)
    return logging.getLogger("tallygate.test"), lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("output", ["json", "text"])
def test_either_form_says_where_a_defect_is(output):
    stream = io.StringIO()
    logs.configure(level="debug", output=output, stream=stream)
    with pytest.raises(LookupError) as caught:
        raise LookupError(KEY)
    logging.getLogger("tallygate.test").error("unexpected error", exc_info=caught.value)  # no longer being handled
    told = stream.getvalue()
    assert "Traceback (most recent call last)" in told
    assert "in test_either_form_says_where_a_defect_is" in told
    assert "│" not in told, "a box with everybody's variables is nothing for a log"
    assert "LookupError: tg_***" in told
    assert KEY not in told


def test_a_line_is_one_json_object_that_names_its_call(log):
    logger, lines = log
    request = wire.ConsumeQuotaRequest(request_id="req-1")
    token = CURRENT_CALL.set(CallInfo("X/Y", request=request, tenant_id="demo"))
    logger.info("hello %s", "world", extra={"count": 3})
    CURRENT_CALL.reset(token)
    (line,) = lines()
    assert line["event"] == "hello world"
    assert (line["method"], line["tenant_id"], line["request_id"], line["count"]) == ("X/Y", "demo", "req-1", 3)
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")


def test_every_line_of_a_call_has_the_same_name(log):
    logger, lines = log
    nameless = CallInfo("X/Y")
    for call in (CallInfo("X/Y", name="mine", request=wire.ConsumeQuotaRequest(request_id="r")), nameless, nameless):
        token = CURRENT_CALL.set(call)
        logger.info("hello")
        CURRENT_CALL.reset(token)
    named, first, second = (line["request_id"] for line in lines())
    assert (named, first) == ("mine", second)
    assert second == nameless.request_id


def test_a_key_never_reaches_the_log(log):
    logger, lines = log
    logger.warning("key %s", KEY, extra={"headers": [("authorization", f"Bearer {KEY}")], "nested": {"a": {"b": KEY}}})
    logger.error("broken", exc_info=ValueError(KEY))
    shown = json.dumps(lines())
    assert KEY not in shown
    assert KEY[3:] not in shown
    assert "tg_***" in shown
