import grpc
import pytest
from google.protobuf.wrappers_pb2 import UInt64Value

from tallygate_api.envoy.extensions.common.ratelimit.v3.ratelimit_pb2 import RateLimitDescriptor
from tallygate_api.envoy.service.ratelimit.v3 import rls_pb2 as wire
from tallygate_api.envoy.service.ratelimit.v3.rls_pb2_grpc import RateLimitServiceStub

OK, OVER = wire.RateLimitResponse.OK, wire.RateLimitResponse.OVER_LIMIT


def descriptor(hits=None, **entries):
    pairs = [RateLimitDescriptor.Entry(key=key, value=value) for key, value in entries.items()]
    return RateLimitDescriptor(entries=pairs, hits_addend=None if hits is None else UInt64Value(value=hits))


async def ask(server, *descriptors, hits=0):
    request = wire.RateLimitRequest(domain="edge", descriptors=descriptors, hits_addend=hits)
    return await RateLimitServiceStub(server.channel).ShouldRateLimit(request, metadata=server.metadata())


async def test_entries_name_the_account_and_the_limit_and_the_rest_is_the_descriptor(start):
    server = await start()
    answer = await ask(server, descriptor(account_id="acme", limit_key="api_rps", path="/x"))
    ((tenant_id, asked),) = server.use_cases.asked
    assert tenant_id == "demo"
    assert (asked.account_id, asked.limit_key, asked.descriptor) == ("acme", "api_rps", (("path", "/x"),))
    assert asked.cost == 1
    assert answer.overall_code == OK
    (status,) = answer.statuses
    assert (status.code, status.limit_remaining) == (OK, 4)
    assert (status.current_limit.name, status.current_limit.requests_per_unit) == ("api_rps", 5)
    assert status.current_limit.unit == wire.RateLimitResponse.RateLimit.MINUTE
    assert status.duration_until_reset.ToMilliseconds() == 1500


async def test_hits_are_the_requests_or_the_descriptors_own(start):
    server = await start()
    server.use_cases.remaining = 100
    await ask(server, descriptor(account_id="a"), hits=3)
    await ask(server, descriptor(hits=7, account_id="a"), hits=3)
    await ask(server, descriptor(hits=0, account_id="a"))
    assert [asked.cost for _, asked in server.use_cases.asked] == [3, 7, 0]


async def test_one_over_its_limit_takes_from_none_and_statuses_keep_their_order(start):
    server = await start()
    answer = await ask(server, descriptor(hits=2, account_id="a"), descriptor(hits=9, account_id="b"))
    assert answer.overall_code == OVER
    assert [status.code for status in answer.statuses] == [OK, OVER]
    assert server.use_cases.remaining == 5
    answer = await ask(server, descriptor(hits=2, account_id="a"), descriptor(hits=2, account_id="b"))
    assert answer.overall_code == OK
    assert server.use_cases.remaining == 1


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [RateLimitDescriptor(limit=RateLimitDescriptor.RateLimitOverride(requests_per_unit=1))],
        [RateLimitDescriptor(is_negative_hits=True)],
        [descriptor(account_id="a" * 256)],
    ],
    ids=["none", "a limit of its own", "negative hits", "no id"],
)
async def test_what_cannot_be_honoured_is_refused(start, wrong):
    server = await start()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(server, *wrong)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert server.use_cases.asked == []
