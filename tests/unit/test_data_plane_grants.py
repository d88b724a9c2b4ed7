"""What grants still hold, as the counters have it: in force or not, and only where the store can say."""

import pytest

from planes import SECOND, START, TENANT, Plane
from tallygate.data_plane.grants import GrantBalances
from tallygate.data_plane.requests import ConsumeRequest
from tallygate.domain.account import Grant
from tallygate.domain.errors import StoreUnavailableError

KEYS = ("api_calls", "storage_bytes", "sso", "nothing")


def grant(grant_id, feature_key="api_calls", amount=10, priority=0, effective=0):
    return Grant(
        grant_id=grant_id,
        feature_key=feature_key,
        amount=amount,
        priority=priority,
        effective_time=START + effective,
        expire_time=None,
        create_time=START,
    )


GRANTS = (
    grant("first"),
    grant("second", priority=1),
    grant("later", effective=90 * SECOND),
    grant("level", feature_key="storage_bytes", amount=7),
)


@pytest.fixture
def plane():
    plane = Plane()
    plane.publish_account("a", "free", grants=GRANTS)
    plane.publish_account("b", "free")
    return plane


@pytest.fixture
def balances(plane):
    return GrantBalances(admission=plane.admission)


async def consume(plane, quantity, request_id):
    asked = ConsumeRequest(account_id="a", feature_key="api_calls", request_id=request_id, quantity=quantity)
    return await plane.consumes.consume(TENANT, asked)


async def test_what_was_burnt_is_gone_and_what_was_returned_is_there(plane, balances):
    assert await balances.left(TENANT, "a", KEYS) == {"first": 10, "second": 10, "later": 10, "level": 7}
    taken = await consume(plane, 1_013, "r1")
    assert [(pot.grant_id, pot.quantity) for pot in taken.grants_left] == [("second", 7)]
    assert await balances.left(TENANT, "a", KEYS) == {"first": 0, "second": 7, "later": 10, "level": 7}
    await consume(plane, -5, "r2")
    assert await balances.left(TENANT, "a", ("api_calls",)) == {"first": 2, "second": 10, "later": 10}


async def test_a_grant_that_was_just_given_is_known(plane, balances):
    await balances.left(TENANT, "b", KEYS)
    plane.publish_account("b", "free", grants=(grant("new"),))
    assert await balances.left(TENANT, "b", KEYS) == {"new": 10}


async def test_an_account_without_grants_or_without_being_asks_nobody(plane, balances):
    plane.calls()
    assert await balances.left(TENANT, "b", KEYS) == {}
    assert await balances.left(TENANT, "nobody", KEYS) == {}
    assert "admit" not in plane.calls()


async def test_a_store_that_is_away_says_nothing(plane, balances):
    plane.store.down = True
    with pytest.raises(StoreUnavailableError):
        await balances.left(TENANT, "a", KEYS)
