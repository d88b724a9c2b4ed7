import pytest

from control_planes import DAY, NOW
from tallygate.control_plane.allowances import (
    CreateGrant,
    CreateOverride,
    create_grant,
    create_override,
    delete_override,
    list_grants,
    list_overrides,
    revoke_grant,
)
from tallygate.domain.catalog import Entitlement
from tallygate.domain.errors import (
    ConflictError,
    FeatureNotFoundError,
    GrantNotFoundError,
    InvalidFieldError,
    OverrideNotFoundError,
)


@pytest.fixture
async def acme(plane):
    await plane.upsert("acme", "pro")
    return plane


async def override(plane, feature_key="sso", entitlement=Entitlement(enabled=True), **options):  # noqa: B008 - frozen
    request = CreateOverride(account_id="acme", feature_key=feature_key, entitlement=entitlement, **options)
    return await plane.write(lambda work, now: create_override(work, request, now=now, new_id=plane.new_id))


async def grant(plane, feature_key="api_calls", amount=500, **options):
    request = CreateGrant(account_id="acme", feature_key=feature_key, amount=amount, **options)
    return await plane.write(lambda work, now: create_grant(work, request, now=now, new_id=plane.new_id))


async def test_overrides_come_and_go(acme):
    made = await override(acme, end_time=NOW + DAY)
    assert (made.start_time, made.end_time) == (NOW, NOW + DAY)
    assert list((await acme.read(lambda work, _: list_overrides(work, "acme"))).items) == [made]
    await acme.write(lambda work, _: delete_override(work, "acme", made.override_id))
    assert list((await acme.read(lambda work, _: list_overrides(work, "acme"))).items) == []
    with pytest.raises(OverrideNotFoundError):
        await acme.write(lambda work, _: delete_override(work, "acme", made.override_id))


async def test_an_overrides_value_must_suit_its_feature(acme):
    with pytest.raises(InvalidFieldError) as raised:
        await override(acme, "api_calls")
    assert raised.value.metadata["field"] == "entitlement.enabled"
    with pytest.raises(FeatureNotFoundError):
        await override(acme, "nothing")
    with pytest.raises(InvalidFieldError):
        await override(acme, end_time=NOW)


async def test_the_callers_own_override_id_is_created_once(acme):
    made = await override(acme, override_id="o1")
    acme.now += DAY
    assert await override(acme, override_id="o1") == made
    with pytest.raises(ConflictError):
        await override(acme, override_id="o1", entitlement=Entitlement(enabled=False))


async def test_the_callers_own_grant_id_is_created_once(acme):
    made = await grant(acme, grant_id="g1", expire_time=NOW + 30 * DAY, priority=5)
    acme.now += DAY
    assert await grant(acme, grant_id="g1", expire_time=NOW + 30 * DAY, priority=5) == made
    assert list((await acme.read(lambda work, _: list_grants(work, "acme"))).items) == [made]
    for other in ({"amount": 501}, {"priority": 6}, {"expire_time": None}, {"effective_time": NOW + DAY}):
        options = {"expire_time": NOW + 30 * DAY, "priority": 5, **other}
        with pytest.raises(ConflictError):
            await grant(acme, grant_id="g1", **options)


async def test_revoking_lets_it_expire_now_and_once(acme):
    made = await grant(acme, expire_time=NOW + 30 * DAY)
    acme.now += DAY
    revoked = await acme.write(lambda work, now: revoke_grant(work, "acme", made.grant_id, now=now))
    assert revoked.expire_time == NOW + DAY
    acme.now += DAY
    assert await acme.write(lambda work, now: revoke_grant(work, "acme", made.grant_id, now=now)) == revoked
    assert await grant(acme, grant_id=made.grant_id, expire_time=NOW + 30 * DAY) == revoked
    with pytest.raises(GrantNotFoundError):
        await acme.write(lambda work, now: revoke_grant(work, "acme", "nothing", now=now))


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0},
        {"amount": 2**53},
        {"feature_key": "sso"},
        {"feature_key": "visitors"},
        {"priority": -1},
        {"expire_time": NOW},
        {"grant_id": "a\tb"},
    ],
)
async def test_impossible_grants_are_refused(acme, wrong):
    with pytest.raises(InvalidFieldError):
        await grant(acme, **wrong)
