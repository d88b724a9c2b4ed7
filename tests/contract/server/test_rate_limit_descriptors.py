"""Nothing that an end user can put into a descriptor is an error of RateLimit; all of it is counted by."""

import pytest

from tallygate.storage.redis import keys
from tallygate_api.v1 import entitlement_service_pb2 as wire


def entries(*pairs):
    return [wire.DescriptorEntry(key=key, value=value) for key, value in pairs]


async def taken(server, *pairs, **fields):
    answer = await server.ask("RateLimit", limit_key="tenants", descriptors=entries(*pairs), **fields)
    return answer.allowed


@pytest.mark.parametrize("way", ["short", "general"])
@pytest.mark.parametrize(
    "pairs",
    [
        [("address", "x" * 1_025)],
        [("address", "x" * 100_000)],
        [("address", "")],
        [("address", "a\0b\r\n\x1b\u202e\U0001f600")],
        [("address", "a"), ("address", "b")],
        [("address", "a"), ("", ""), ("\0" * 300, "x")],
        [("address", "a"), *((f"k{number}", "") for number in range(2_000))],
        [("address", str(number)) for number in range(2_000)],
    ],
    ids=["long", "very long", "empty", "strange", "twice", "strange keys", "many keys", "many values"],
)
async def test_whatever_a_descriptor_holds_is_counted_by(hot, way, pairs):
    server = await hot()
    fields = {"request_id": "r"} if way == "general" else {}
    if fields:
        assert await taken(server, *pairs, **fields)
        assert await taken(server, *pairs, **fields)  # the same call, not counted twice
    else:
        assert await taken(server, *pairs)
    assert [await taken(server, *pairs) for _ in range(4)] == [True, True, True, False]
    assert await taken(server, ("address", "another"))


async def test_bytes_that_are_no_text_are_counted_by(hot):
    server = await hot()
    marked = wire.RateLimitRequest(limit_key="tenants", descriptors=entries(("address", "##"))).SerializeToString()

    async def allowed(value):
        return wire.RateLimitResponse.FromString(await server.raw("RateLimit", marked.replace(b"##", value))).allowed

    assert [await allowed(b"\xff\xfe") for _ in range(5)] == [True] * 4 + [False]
    assert await allowed(b"\xff\xfd")


def test_a_digested_descriptor_has_a_key_that_no_other_has():
    long = keys.rate_limit(0, "t", "a", "l", (("k", "v" * 300),))
    assert len(long) < 80
    assert keys.rate_limit(0, "t", "a", "l", (("k", "v" * 299 + "w"),)) != long
    assert keys.rate_limit(0, "t", "a", "l", ((long.rpartition(":")[2], ""),)) != long
