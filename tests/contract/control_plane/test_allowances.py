from dataclasses import replace

import pytest

from control_planes import DAY, NOW
from tallygate.control_plane import allowances
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
    AccountFullError,
    ConflictError,
    FeatureNotFoundError,
    GrantNotFoundError,
    InvalidFieldError,
    LimitNotFoundError,
    OverrideNotFoundError,
)
from tallygate.domain.limits import RateLimit
from tallygate.records.paging import PageRequest


@pytest.fixture
async def acme(plane):
    await plane.upsert("acme", "pro")
    return plane


async def override(plane, feature_key="sso", entitlement=Entitlement(enabled=True), **options):  # noqa: B008 - frozen
    return await make(plane, feature_key=feature_key, entitlement=entitlement, **options)


async def make(plane, **options):
    request = CreateOverride(account_id="acme", **options)
    return await plane.write(lambda work, now: create_override(work, request, now=now, new_id=plane.new_id))


async def grant(plane, feature_key="api_calls", amount=500, **options):
    request = CreateGrant(account_id="acme", feature_key=feature_key, amount=amount, **options)
    return await plane.write(lambda work, now: create_grant(work, request, now=now, new_id=plane.new_id))


async def test_overrides_come_and_go(acme):
    made = await override(acme, end_time=NOW + DAY)
    assert (made.override.start_time, made.override.end_time, made.create_time) == (NOW, NOW + DAY, NOW)
    assert list((await acme.read(lambda work, _: list_overrides(work, "acme"))).items) == [made]
    await acme.write(lambda work, now: delete_override(work, "acme", made.override.override_id, now=now))
    assert list((await acme.read(lambda work, _: list_overrides(work, "acme"))).items) == []
    with pytest.raises(OverrideNotFoundError):
        await acme.write(lambda work, now: delete_override(work, "acme", made.override.override_id, now=now))


async def listed(plane, **options):
    return list((await plane.read(lambda work, _: list_overrides(work, "acme", **options))).items)


async def remove(plane, override_id):
    await plane.write(lambda work, now: delete_override(work, "acme", override_id, now=now))


async def recorded(plane):
    (record,) = await plane.read(lambda work, _: work.accounts.records(["acme"]))
    found = [(each.override_id, each.start_time, each.end_time) for each in record.overrides]
    return sorted(found, key=lambda each: each[1])


async def test_a_deleted_override_is_remembered_under_its_id_beside_new_ones_and_shown_if_asked_for(acme):
    first = await override(acme, override_id="deal")
    acme.now += DAY
    await remove(acme, "deal")
    second = await override(acme, override_id="deal")
    acme.now += DAY
    await remove(acme, "deal")
    third = await override(acme, override_id="deal")
    assert await listed(acme) == [third]
    deleted = [
        replace(each, override=replace(each.override, end_time=ended), delete_time=ended)
        for each, ended in ((first, NOW + DAY), (second, NOW + 2 * DAY))
    ]
    assert await listed(acme, show_deleted=True) == [*deleted, third]
    assert await recorded(acme) == [
        ("deal", NOW, NOW + DAY),
        ("deal", NOW + DAY, NOW + 2 * DAY),
        ("deal", NOW + 2 * DAY, None),
    ]


async def test_what_no_period_hangs_on_is_forgotten_and_an_id_that_is_created_and_deleted_at_once_is_told_once(acme):
    await override(acme, override_id="to-come", start_time=NOW + 9 * DAY)
    await remove(acme, "to-come")
    for _ in range(3):
        await override(acme, override_id="deal")
        await remove(acme, "deal")
    assert await recorded(acme) == [("deal", NOW, NOW)]
    acme.now += 2 * 366 * DAY
    await override(acme, override_id="other")
    await remove(acme, "other")
    assert await recorded(acme) == [("other", acme.now, acme.now)]


async def test_so_many_deleted_overrides_are_remembered_and_they_take_no_room(acme, monkeypatch):
    monkeypatch.setattr(allowances, "MOST_DELETED", 3)
    monkeypatch.setattr(allowances, "MOST_OVERRIDES", 1)
    for _ in range(5):
        acme.now += DAY
        await override(acme, override_id="deal")
        await remove(acme, "deal")
    assert [start for _, start, _ in await recorded(acme)] == [acme.now - 2 * DAY, acme.now - DAY, acme.now]


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
    with pytest.raises(ConflictError, match=r"override_id=o1, differs=entitlement\..* -> false"):
        await override(acme, override_id="o1", entitlement=Entitlement(enabled=False))


FASTER = RateLimit(limit=500, window=1_000_000)


async def test_an_override_of_a_rate_limit_is_part_of_the_record(acme):
    made = await make(acme, limit_key="api_rps", rate_limit=FASTER, end_time=NOW + DAY)
    feature = await override(acme)

    async def listed(**options):
        return list((await acme.read(lambda work, _: list_overrides(work, "acme", **options))).items)

    assert await listed() == [made, feature]
    assert (await listed(limit_key="api_rps"), await listed(feature_key="sso")) == ([made], [feature])
    (record,) = await acme.read(lambda work, _: work.accounts.records(["acme"]))
    assert set(record.overrides) == {made.override, feature.override}
    assert (made.override.rate_limit, record.limits_time) == (FASTER, 0)


async def test_a_record_says_when_a_rate_limits_override_was_last_deleted(acme):
    of_limit, of_feature = await make(acme, limit_key="api_rps", rate_limit=FASTER), await override(acme)
    acme.now += DAY
    await acme.write(lambda work, now: delete_override(work, "acme", of_limit.override.override_id, now=now))
    acme.now += DAY
    await acme.write(lambda work, now: delete_override(work, "acme", of_feature.override.override_id, now=now))
    (record,) = await acme.read(lambda work, _: work.accounts.records(["acme"]))
    ended = replace(of_feature.override, end_time=NOW + 2 * DAY)
    assert (record.overrides, record.limits_time) == ((ended,), NOW + DAY)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("feature_key", {}),
        ("feature_key", {"limit_key": "api_rps", "feature_key": "sso", "rate_limit": FASTER}),
        ("rate_limit", {"limit_key": "api_rps"}),
        ("entitlement", {"limit_key": "api_rps", "rate_limit": FASTER, "entitlement": Entitlement(enabled=True)}),
        ("rate_limit", {"feature_key": "sso", "entitlement": Entitlement(enabled=True), "rate_limit": FASTER}),
        ("rate_limit.window", {"limit_key": "api_rps", "rate_limit": RateLimit(limit=1, window=1)}),
        ("limit_key", {"limit_key": "login_attempts", "rate_limit": FASTER}),
    ],
)
async def test_an_override_is_of_one_thing_and_suits_it(acme, field, wrong):
    with pytest.raises(InvalidFieldError) as raised:
        await make(acme, **wrong)
    assert raised.value.metadata["field"] == field
    with pytest.raises(LimitNotFoundError):
        await make(acme, limit_key="nothing", rate_limit=FASTER)


async def test_the_callers_own_grant_id_is_created_once(acme):
    made = await grant(acme, grant_id="g1", expire_time=NOW + 30 * DAY, priority=5)
    acme.now += DAY
    assert await grant(acme, grant_id="g1", expire_time=NOW + 30 * DAY, priority=5) == made
    assert list((await acme.read(lambda work, _: list_grants(work, "acme"))).items) == [made]
    for other in ({"amount": 501}, {"priority": 6}, {"expire_time": None}, {"effective_time": NOW + DAY}):
        options = {"expire_time": NOW + 30 * DAY, "priority": 5, **other}
        with pytest.raises(ConflictError, match=f"grant_id=g1, differs={next(iter(other))}: .* -> "):
            await grant(acme, grant_id="g1", **options)


async def test_revoking_lets_it_expire_now_and_once(acme):
    made = await grant(acme, expire_time=NOW + 30 * DAY)
    acme.now += DAY
    revoked = await acme.write(lambda work, now: revoke_grant(work, "acme", made.grant.grant_id, now=now))
    assert (revoked.grant.expire_time, revoked.revoke_time) == (NOW + DAY, NOW + DAY)
    acme.now += DAY
    assert await acme.write(lambda work, now: revoke_grant(work, "acme", made.grant.grant_id, now=now)) == revoked
    assert await grant(acme, grant_id=made.grant.grant_id, expire_time=NOW + 30 * DAY) == revoked
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


async def test_what_has_expired_keeps_its_expiry_when_it_is_revoked_and_is_no_other_grant(acme):
    made = await grant(acme, grant_id="g", expire_time=NOW + DAY)
    acme.now += 2 * DAY
    with pytest.raises(ConflictError):
        await grant(acme, grant_id="g", effective_time=NOW, expire_time=NOW + 9 * DAY)
    revoked = await acme.write(lambda work, now: revoke_grant(work, "acme", "g", now=now))
    assert (revoked.grant, revoked.revoke_time) == (made.grant, NOW + 2 * DAY)


async def test_overrides_are_listed_by_feature_and_start_in_full_pages(acme):
    wanted = [("retention_days", 2), ("sso", 5), ("sso", 1), ("retention_days", 9), ("sso", 3)]
    for feature_key, day in wanted:
        value = Entitlement(enabled=True) if feature_key == "sso" else Entitlement(number=1)
        await override(acme, feature_key, value, start_time=NOW + day * DAY)

    async def listed(feature_key, token=""):
        page = PageRequest(page_size=2, page_token=token)
        found = await acme.read(lambda work, _: list_overrides(work, "acme", page, feature_key=feature_key))
        rows = [(each.override.feature_key, (each.override.start_time - NOW) // DAY) for each in found.items]
        return rows, found.next_page_token

    first, token = await listed("sso")
    assert first == [("sso", 1), ("sso", 3)]
    assert await listed("sso", token) == ([("sso", 5)], "")
    seen, token = await listed("")
    while token:
        more, token = await listed("", token)
        seen += more
    assert seen == sorted(wanted)


async def test_grants_are_listed_as_they_burn(acme):
    await grant(acme, grant_id="last", priority=9)
    await grant(acme, grant_id="never", priority=1)
    await grant(acme, grant_id="soon", priority=1, expire_time=NOW + DAY)
    await grant(acme, grant_id="later", priority=1, expire_time=NOW + 9 * DAY)
    await grant(acme, grant_id="first")

    async def listed(token=""):
        page = PageRequest(page_size=2, page_token=token)
        found = await acme.read(lambda work, _: list_grants(work, "acme", page, feature_key="api_calls"))
        return [each.grant.grant_id for each in found.items], found.next_page_token

    seen, token = await listed()
    while token:
        more, token = await listed(token)
        seen += more
    assert seen == ["first", "soon", "later", "never", "last"]
    assert not (await acme.read(lambda work, _: list_grants(work, "acme", feature_key="other"))).items


@pytest.fixture
def small(monkeypatch):
    """Bounds that a test can reach."""
    monkeypatch.setattr(allowances, "MOST_GRANTS", 3)
    monkeypatch.setattr(allowances, "MOST_OVERRIDES", 3)


@pytest.mark.usefixtures("small")
async def test_what_ended_long_ago_leaves_the_record_and_stays_in_lists(acme):
    for number in range(3):
        await grant(acme, grant_id=f"g{number}", expire_time=NOW + DAY)
        await override(acme, override_id=f"o{number}", end_time=NOW + DAY)
    acme.now = NOW + DAY + 3 * 31 * DAY  # the catalogue's longest usage period is a month
    await grant(acme, grant_id="new")
    await override(acme, override_id="new")
    record = await acme.record("acme")
    assert [each.grant_id for each in record.grants] == ["new"]
    assert [each.override_id for each in record.overrides] == ["new"]
    listed = await acme.read(lambda work, _: list_grants(work, "acme"))
    assert {stored.grant.grant_id for stored in listed.items} == {"g0", "g1", "g2", "new"}
    again = await grant(acme, grant_id="g0", effective_time=NOW, expire_time=NOW + DAY)
    assert again.grant.grant_id == "g0"
    assert [each.grant_id for each in (await acme.record("acme")).grants] == ["new"]


@pytest.mark.usefixtures("small")
async def test_an_account_that_is_full_says_so_and_what_is_there_is_answered(acme):
    for number in range(3):
        await grant(acme, grant_id=f"g{number}", expire_time=NOW + DAY)
        await override(acme, override_id=f"o{number}", end_time=NOW + DAY)
    acme.now = NOW + DAY + 3 * 31 * DAY - 1
    with pytest.raises(AccountFullError) as full:
        await grant(acme)
    assert full.value.metadata == {"account_id": "acme", "holds": "grants", "limit": "3"}
    with pytest.raises(AccountFullError) as full:
        await override(acme)
    assert full.value.metadata["holds"] == "overrides"
    assert (await grant(acme, grant_id="g1", effective_time=NOW, expire_time=NOW + DAY)).grant.amount == 500
    assert len((await acme.record("acme")).grants) == 3
