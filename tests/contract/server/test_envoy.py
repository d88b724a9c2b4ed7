import asyncio
import random
from collections import Counter
from dataclasses import replace

import grpc
import pytest
from google.protobuf.wrappers_pb2 import UInt64Value

from hot_server import DOCUMENT, START, bearer, key_of
from tallygate.data_plane.admission import ask_once
from tallygate.domain.gating.admit import AdmitStatus
from tallygate.server.calls.wrapper import CallOptions
from tallygate.server.services.envoy_service import EnvoyRateLimitServicer
from tallygate.server.wire.scalars import varint
from tallygate_api.envoy.extensions.common.ratelimit.v3.ratelimit_pb2 import RateLimitDescriptor
from tallygate_api.envoy.service.ratelimit.v3 import rls_pb2 as wire
from tallygate_api.envoy.service.ratelimit.v3.rls_pb2_grpc import RateLimitServiceStub
from tallygate_api.v1 import entitlement_service_pb2 as wire_v1

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


async def test_how_many_descriptors_there_are_is_the_proxys(start):
    server = await start()
    assert (await ask(server)).overall_code == OK
    assert len((await ask(server, *[descriptor(hits=0)] * 1000)).statuses) == 1000
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(server, *[descriptor()] * 1001)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_figures_of_the_proxys_own_are_passed_over(start):
    server = await start()
    own = RateLimitDescriptor(limit=RateLimitDescriptor.RateLimitOverride(requests_per_unit=1))
    huge = descriptor(hits=2**64 - 1, account_id="a")
    await ask(server, own, RateLimitDescriptor(is_negative_hits=True), huge)
    assert [asked.cost for _, asked in server.use_cases.asked] == [1, 0, 2**53 - 1]


SPENT = [("account_id", "acme"), ("limit_key", "bucket")]
STRANGE = {
    "1,025 characters": [("path", "x" * 1_025)],
    "100,000 characters": [("path", "x" * 100_000)],
    "nothing": [("path", "")],
    "control characters": [("path", "a\0b\r\n\x1b\x7f")],
    "other scripts": [("path", "\u202e\u0000\U0001f600\ufffd")],
    "no entries": [],
    "no key": [("", "")],
    "a strange key": [("\0" * 300, "x")],
    "a key twice": [("generic_key", "a"), ("generic_key", "b")],
    "thousands of entries": [("path", str(number)) for number in range(5_000)],
    "an unknown limit": [("account_id", "acme"), ("limit_key", "nothing")],
    "a limit that is no key": [("limit_key", "x" * 2_000)],
    "a limit whose entries are missing": [("account_id", "acme"), ("limit_key", "window")],
    "a limit whose account is missing": [("limit_key", "bucket")],
}


def of_pairs(pairs, hits=None):
    entries = [RateLimitDescriptor.Entry(key=key, value=value) for key, value in pairs]
    return RateLimitDescriptor(entries=entries, hits_addend=None if hits is None else UInt64Value(value=hits))


async def limit(server, *descriptors, hits=0):
    request = wire.RateLimitRequest(domain="\0", descriptors=descriptors, hits_addend=hits)
    return await RateLimitServiceStub(server.channel).ShouldRateLimit(
        request, metadata=bearer(key_of("data")), timeout=60
    )


async def test_whatever_stands_beside_a_spent_key_lets_nothing_pass(hot):
    server = await hot()
    assert (await limit(server, of_pairs(SPENT, hits=4))).overall_code == OK
    for name, pairs in STRANGE.items():
        alone = await limit(server, of_pairs(pairs))
        assert (alone.overall_code, [status.code for status in alone.statuses]) == (OK, [OK]), name
        beside = await limit(server, of_pairs(pairs), of_pairs(SPENT), of_pairs(pairs))
        assert (beside.overall_code, [status.code for status in beside.statuses]) == (OVER, [OK, OVER, OK]), name


async def test_bytes_that_are_no_text_are_counted_by(hot):
    server = await hot()
    method = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"

    async def sent(value):
        marked = wire.RateLimitRequest(descriptors=[of_pairs([("address", "##")])]).SerializeToString()
        call = server.channel.unary_unary(method)
        answer = await call(marked.replace(b"##", value), metadata=bearer(key_of("data")), timeout=60)
        return wire.RateLimitResponse.FromString(answer).overall_code

    assert [await sent(b"\xff\xc3") for _ in range(5)] == [OK, OK, OK, OK, OVER]
    assert await sent(b"\xff\xc4") == OK


def field(number, data):
    """A field of bytes as protobuf writes it."""
    return varint(number << 3 | 2) + varint(len(data)) + data


async def test_noise_beside_a_spent_key_lets_nothing_pass(hot):
    server = await hot()
    assert (await limit(server, of_pairs(SPENT, hits=4))).overall_code == OK
    spent = field(2, of_pairs(SPENT).SerializeToString())
    noise = random.Random(11)
    keys = [b"account_id", b"limit_key", b"address", b"path", b"", b"strict"]
    for _ in range(150):
        descriptors = [
            b"".join(
                field(1, field(1, noise.choice(keys)) + field(2, noise.randbytes(noise.choice([0, 1, 9, 300]))))
                for _ in range(noise.randrange(6))
            )
            for _ in range(noise.randrange(4))
        ]
        body = b"".join([field(2, each) for each in descriptors] + [spent])
        call = server.channel.unary_unary("/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit")
        answer = wire.RateLimitResponse.FromString(await call(body, metadata=bearer(key_of("data")), timeout=60))
        assert (answer.overall_code, answer.statuses[-1].code) == (OVER, OVER)
        assert len(answer.statuses) == len(descriptors) + 1


async def test_long_values_are_counted_each_by_itself(hot):
    server = await hot()
    one, other = [("address", "a" * 5_000 + end) for end in "xy"]
    assert [(await limit(server, of_pairs([one]))).overall_code for _ in range(5)] == [OK] * 4 + [OVER]
    assert (await limit(server, of_pairs([other]))).overall_code == OK
    both = [("address", "a"), ("address", "b")]
    assert [(await limit(server, of_pairs(both))).overall_code for _ in range(5)] == [OK] * 4 + [OVER]
    assert (await limit(server, of_pairs(both[:1]))).overall_code == OK
    stored = await server.redis_py.keys("*:l:*")
    assert max(map(len, stored)) < 400


@pytest.mark.parametrize("account_id", ["", "nobody", "\0", "a" * 256, "a\nb", " \u200b"])
async def test_who_is_no_account_is_denied_and_nothing_is_taken(hot, account_id):
    server = await hot()
    answer = await limit(server, of_pairs(SPENT), of_pairs([("account_id", account_id), ("limit_key", "bucket")]))
    assert (answer.overall_code, [status.code for status in answer.statuses]) == (OVER, [OK, OVER])
    assert answer.statuses[0].limit_remaining == 4


async def test_descriptors_that_meet_one_limit_ask_it_together(hot):
    server = await hot()
    twice = await limit(server, of_pairs(SPENT, hits=3), of_pairs(SPENT, hits=2))
    assert [status.code for status in twice.statuses] == [OVER, OVER]
    twice = await limit(server, of_pairs(SPENT, hits=3), of_pairs(SPENT, hits=1))
    assert [status.limit_remaining for status in twice.statuses] == [0, 0]


async def test_limits_of_several_accounts_are_taken_together_or_not_at_all(hot):
    server = await hot()
    await server.publish_account("other")
    mine, others = of_pairs(SPENT, hits=1), of_pairs([("account_id", "other"), ("limit_key", "bucket")], hits=3)
    assert [status.limit_remaining for status in (await limit(server, others, mine)).statuses] == [1, 3]
    answer = await limit(server, others, mine)
    assert [(status.code, status.limit_remaining) for status in answer.statuses] == [(OVER, 1), (OK, 3)]
    (call,) = [call for call in server.prepared[-1:] if call.others]
    stale = replace(call, others=tuple((account, version + 1) for account, version in call.others))
    assert (await ask_once(server.data.admission.gates, stale)).status is AdmitStatus.STALE_VIEW


async def test_a_denied_call_takes_from_no_limit_however_many_race(hot):
    server = await hot()
    entries = {"wide": 200, "narrow": 50}
    rules = {
        key: {
            "owner": "tenant",
            "algorithm": "fixed_window",
            "descriptor": [{"key": key}],
            "value": {"limit": size, "window": "3600s"},
        }
        for key, size in entries.items()
    }
    await server.publish_catalog({**DOCUMENT, "rate_limits": {**DOCUMENT["rate_limits"], **rules}})
    both = [of_pairs([(key, "x")]) for key in entries]
    answers = await asyncio.gather(*(limit(server, *both) for _ in range(120)))
    assert Counter(answer.overall_code for answer in answers) == {OK: 50, OVER: 70}
    left = (await limit(server, of_pairs([("wide", "x")], hits=0))).statuses[0].limit_remaining
    assert left == 150


async def test_each_answer_names_the_nearest_limit_of_each_descriptor_and_its_own_figures(hot):
    server = await hot()
    matching = of_pairs([("account_id", "acme"), ("path", "x")])  # bucket holds 4, window 3
    unmet = of_pairs([("nothing", "matches")])

    async def told():
        answer = await limit(server, matching, unmet)
        first, second = answer.statuses
        assert (second.code, second.limit_remaining, second.HasField("current_limit")) == (OK, 0, False)
        return first.code, first.current_limit.name, first.limit_remaining, first.duration_until_reset.seconds

    assert await told() == (OK, "window", 2, 3_600)
    await limit(server, of_pairs(SPENT, hits=2))
    assert await told() == (OK, "bucket", 0, 3_600)
    assert await told() == (OVER, "bucket", 0, 3_600)
    await server.set_time(START + 1_000_000_000)  # of the bucket one is back in 900 s
    assert await told() == (OK, "bucket", 0, 3_500)
    assert await told() == (OVER, "window", 0, 2_600)
    await server.publish_catalog(
        {
            **DOCUMENT,
            "rate_limits": {**DOCUMENT["rate_limits"], "none": {"owner": "account", "algorithm": "fixed_window"}},
        }
    )
    assert (await told())[:2] == (OVER, "window")


async def test_what_end_users_write_is_not_kept_where_it_is_long(hot):
    server = await hot()
    (view,) = [view for view in server.data.views._views.values() if view.record is not None]

    async def kept(length):
        before = len(view.programs)
        for number in range(5):
            for key in ("limit_key", "path"):
                await limit(server, of_pairs(SPENT, hits=0), of_pairs([(key, f"{number}" * length)]))
            entries = [wire_v1.DescriptorEntry(key="path", value=f"{number}" * length)]
            await server.ask("RateLimit", account_id="acme", descriptors=entries, cost=0)
        return len(view.programs) - before

    assert await kept(3_000) == 0
    assert await kept(3) == 15


async def test_long_values_take_no_room_from_others(start):
    """Whoever sends a path of 60 KB could otherwise have calls refused, which a gateway lets pass."""
    server = await start(call_options=CallOptions(max_in_flight=64))
    server.use_cases.remaining = 100
    paths = [f"{number}{'x' * 60_000}" for number in range(40)]
    answers = await asyncio.gather(*(ask(server, descriptor(account_id="a", path=path)) for path in paths))
    assert [answer.overall_code for answer in answers] == [OK] * 40


@pytest.mark.parametrize(("descriptors", "places"), [(1, 1), (7, 1), (8, 2), (64, 9)])
def test_a_call_takes_room_by_how_many_descriptors_it_has(descriptors, places):
    servicer = EnvoyRateLimitServicer(limits=None, metrics=None)
    request = wire.RateLimitRequest(descriptors=[descriptor(account_id="a", path="x" * 600)] * descriptors)
    assert servicer.weights["ShouldRateLimit"](request.SerializeToString()) == places
    assert servicer.weights["ShouldRateLimit"](b"\xff" * 1_000) == 1
