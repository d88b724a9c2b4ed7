import asyncio
from dataclasses import replace

import pytest

from control_planes import demo_catalog, pro
from tallygate.control_plane import seats
from tallygate.control_plane.allowances import CreateOverride, create_override
from tallygate.control_plane.proposals import CancelSubscription
from tallygate.control_plane.seats import AssignSeat, assign_seat, list_seats, unassign_seat
from tallygate.control_plane.subscription_changes import cancel_subscription, set_state
from tallygate.domain.account import SubscriptionState
from tallygate.domain.catalog import Entitlement, Overage
from tallygate.domain.errors import AccountFullError, AccountNotFoundError, FeatureNotFoundError, InvalidFieldError
from tallygate.domain.gating.decision import Reason, UnblockKind
from tallygate.records.paging import PageRequest


async def assign(plane, user_id, account_id="acme", feature_key="seats"):
    request = AssignSeat(account_id=account_id, feature_key=feature_key, user_id=user_id)
    return (await plane.write(lambda work, now: assign_seat(work, request, now=now))).decision


async def holders(plane) -> list[str]:
    page = await plane.read(lambda work, _: list_seats(work, "acme", "seats"))
    return [holder.user_id for holder in page.items]


async def test_bk04_the_eleventh_of_ten_is_denied(plane):
    await plane.upsert("acme", "pro")
    for number in range(10):
        decision = await assign(plane, f"u{number}")
        assert (decision.allowed, decision.used, decision.limit) == (True, number + 1, 10)
    denied = await assign(plane, "u10")
    assert (denied.allowed, denied.reason, denied.used, denied.remaining) == (False, Reason.SEAT_LIMIT, 10, 0)
    assert "u10" not in await holders(plane)


async def test_bk04_in_auto_mode_the_eleventh_is_allowed_as_overage(plane):
    catalog = demo_catalog()
    plan = pro(2, overage=Overage.ALLOW)
    await plane.apply(replace(catalog, plans={**catalog.plans, "pro": {2: plan}}))
    await plane.upsert("acme", "pro")
    decisions = [await assign(plane, f"u{number}") for number in range(11)]
    assert [decision.reason for decision in decisions] == [Reason.WITHIN_LIMIT] * 10 + [Reason.OVERAGE]
    assert decisions[-1].used == 11
    assert (await assign(plane, "u10")).reason is Reason.ENTITLED


async def test_a_held_seat_is_answered_and_not_taken_again(plane):
    await plane.upsert("globex", "free")
    decisions = [await assign(plane, "u1", "globex") for _ in range(3)]
    assert [(decision.allowed, decision.used) for decision in decisions] == [(True, 1)] * 3
    assert [decision.reason for decision in decisions] == [Reason.WITHIN_LIMIT, Reason.ENTITLED, Reason.ENTITLED]


async def test_two_callers_of_the_last_seat_get_it_once(plane):
    await plane.upsert("acme", "pro")
    for number in range(9):
        await assign(plane, f"u{number}")
    decisions = await asyncio.gather(*(assign(plane, f"late{number}") for number in range(5)))
    assert sorted(decision.allowed for decision in decisions) == [False] * 4 + [True]
    assert len(await holders(plane)) == 10


async def test_a_freed_seat_fits_another(plane):
    await plane.upsert("globex", "free")
    for user_id in ("a", "b", "c"):
        await assign(plane, user_id, "globex")
    assert not (await assign(plane, "d", "globex")).allowed
    assert await plane.write(lambda work, _: unassign_seat(work, "globex", "seats", "a"))
    assert not await plane.write(lambda work, _: unassign_seat(work, "globex", "seats", "a"))
    assert (await assign(plane, "d", "globex")).allowed


async def test_an_account_that_is_denied_as_a_whole_gets_no_seat(plane):
    await plane.upsert("acme", "pro")
    await assign(plane, "u1")
    await plane.write(lambda work, now: set_state(work, "acme", SubscriptionState.SUSPENDED, now=now))
    denied = await assign(plane, "u2")
    assert (denied.allowed, denied.reason, denied.used) == (False, Reason.SUSPENDED, 1)


async def test_after_its_end_the_default_plan_limits(plane):
    await plane.upsert("acme", "pro")
    for number in range(5):
        await assign(plane, f"u{number}")
    await plane.write(lambda work, now: cancel_subscription(work, CancelSubscription(account_id="acme"), now=now))
    denied = await assign(plane, "u9")
    assert (denied.allowed, denied.limit, denied.used) == (False, 3, 5)


async def test_who_holds_a_seat_beyond_a_limit_that_shrank_keeps_it(plane):
    await plane.upsert("acme", "pro")
    for number in range(5):
        await assign(plane, f"u{number}")
    await plane.write(lambda work, now: cancel_subscription(work, CancelSubscription(account_id="acme"), now=now))
    kept = await assign(plane, "u4")
    assert (kept.allowed, kept.reason, kept.used, kept.remaining) == (True, Reason.ENTITLED, 5, 0)
    assert (kept.granted_quantity, kept.unblock_options, kept.shortfall) == (0, (), None)


async def test_a_denial_says_what_would_lift_it_as_a_check_does(plane):
    await plane.upsert("globex", "free")
    for user_id in ("a", "b", "c"):
        await assign(plane, user_id, "globex")
    denied = await assign(plane, "d", "globex")
    assert [(option.kind, option.key, option.limit) for option in denied.unblock_options] == [
        (UnblockKind.UPGRADE, "pro", 10),
        (UnblockKind.UPGRADE, "enterprise", 100),
    ]


async def test_who_holds_a_seat_of_an_account_that_is_suspended_is_denied_and_counted(plane):
    await plane.upsert("acme", "pro")
    await assign(plane, "u1")
    await plane.write(lambda work, now: set_state(work, "acme", SubscriptionState.SUSPENDED, now=now))
    denied = await assign(plane, "u1")
    assert (denied.allowed, denied.reason, denied.used) == (False, Reason.SUSPENDED, 1)


async def test_an_override_is_the_limit(plane):
    await plane.upsert("globex", "free")
    request = CreateOverride(account_id="globex", feature_key="seats", entitlement=Entitlement(limit=0))
    await plane.write(lambda work, now: create_override(work, request, now=now, new_id=plane.new_id))
    assert not (await assign(plane, "u1", "globex")).allowed


async def test_only_seats_of_known_accounts_are_assigned(plane):
    await plane.upsert("acme", "pro")
    with pytest.raises(AccountNotFoundError):
        await assign(plane, "u1", "nobody")
    with pytest.raises(FeatureNotFoundError):
        await assign(plane, "u1", feature_key="chairs")
    with pytest.raises(InvalidFieldError):
        await assign(plane, "u1", feature_key="api_calls")


async def test_seats_of_all_features_are_listed_by_feature_and_user_in_full_pages(plane):
    more = replace(demo_catalog().features["seats"], feature_key="desks")
    catalog = demo_catalog()
    plan = replace(pro(2), entitlements={**pro(2).entitlements, "desks": Entitlement(limit=9)})
    await plane.apply(
        replace(catalog, features={**catalog.features, "desks": more}, plans={**catalog.plans, "pro": {2: plan}})
    )
    await plane.upsert("acme", "pro")
    for feature_key, user_id in [("seats", "b"), ("desks", "z"), ("seats", "a"), ("desks", "c"), ("seats", "c")]:
        await assign(plane, user_id, feature_key=feature_key)
    seen, token = [], ""
    while True:
        request = PageRequest(page_size=2, page_token=token)
        page = await plane.read(lambda work, _, request=request: list_seats(work, "acme", "", request))
        seen += [(holder.feature_key, holder.user_id) for holder in page.items]
        token = page.next_page_token
        if not token:
            break
    assert seen == [("desks", "c"), ("desks", "z"), ("seats", "a"), ("seats", "b"), ("seats", "c")]


async def test_the_seat_that_is_held_comes_with_the_decision(plane):
    await plane.upsert("acme", "pro")
    request = AssignSeat(account_id="acme", feature_key="seats", user_id="u")
    since = plane.now
    for _ in range(2):
        assigned = await plane.write(lambda work, now: assign_seat(work, request, now=now))
        assert (assigned.holder.user_id, assigned.holder.assign_time) == ("u", since)
        plane.now += 1


async def test_an_account_holds_so_many_seats_whatever_its_plan_allows(plane, monkeypatch):
    await plane.upsert("acme", "pro")
    monkeypatch.setattr(seats, "MOST_SEATS", 2)
    for user_id in ("u1", "u2"):
        await assign(plane, user_id)
    with pytest.raises(AccountFullError) as full:
        await assign(plane, "u3")
    assert full.value.metadata == {"account_id": "acme", "holds": "seats", "limit": "2"}
    assert (await assign(plane, "u2")).used == 2
    assert await holders(plane) == ["u1", "u2"]
