import asyncio

import pytest

from control_planes import DAY
from tallygate.control_plane.accounts import add_user, get_account, list_accounts, list_users, remove_user
from tallygate.control_plane.paging import PageRequest
from tallygate.control_plane.seats import AssignSeat, assign_seat
from tallygate.control_plane.subscription_changes import set_state
from tallygate.control_plane.subscription_terms import term_at
from tallygate.domain.account import SubscriptionState
from tallygate.domain.errors import (
    AccountNotFoundError,
    InvalidFieldError,
    PlanNotFoundError,
    SubscriptionConflictError,
    UserNotFoundError,
)


async def test_one_call_creates_an_account_on_a_plan(plane):
    view = await plane.upsert("acme", "pro", metadata={"crm": "42"}, time_zone="Europe/Berlin")
    assert (view.account.metadata, view.account.time_zone) == ({"crm": "42"}, "Europe/Berlin")
    assert view.record.subscription.state is SubscriptionState.ACTIVE
    assert term_at(view.record.subscription, plane.now).plan_key == "pro"


async def test_upserting_again_keeps_what_is_not_said(plane):
    await plane.upsert("acme", "pro", metadata={"crm": "42"}, time_zone="Europe/Berlin")
    view = await plane.upsert("acme")
    assert (view.account.metadata, view.account.time_zone) == ({"crm": "42"}, "Europe/Berlin")
    assert view.record.subscription is not None


async def test_upserting_the_same_raises_no_version(plane):
    await plane.upsert("acme", "pro")
    view = await plane.read(lambda work, _: get_account(work, "acme"))
    plane.now += DAY
    assert await plane.upsert("acme", "pro") == view
    assert await plane.read(lambda work, _: get_account(work, "acme")) == view


async def test_another_plan_changes_at_once(plane):
    await plane.upsert("acme", "free")
    plane.now += DAY
    subscription = (await plane.upsert("acme", "pro")).record.subscription
    assert [term.plan_key for term in subscription.terms] == ["free", "pro"]
    assert term_at(subscription, plane.now).plan_key == "pro"


async def test_a_trial_starts_once(plane):
    first = (await plane.upsert("hooli", "pro", trial=True)).record.subscription
    assert first.state is SubscriptionState.TRIALING
    assert [(t.plan_key, t.start_time) for t in first.terms] == [("pro", plane.now), ("free", plane.now + 14 * DAY)]
    plane.now += 20 * DAY
    assert (await plane.upsert("hooli", "pro", trial=True)).record.subscription.terms == first.terms
    assert term_at((await plane.upsert("hooli", "pro")).record.subscription, plane.now).plan_key == "pro"


@pytest.mark.parametrize(
    "account_id", ["a", "jane+x@example.com", "b3c1/ü/δ", "a:b{c}%,=", "x" * 255, "with space", "日本語", "' OR 1=1 --"]
)
async def test_ids_are_any_printable_text(plane, account_id):
    await plane.upsert(account_id, "free")
    view = await plane.read(lambda work, _: get_account(work, account_id))
    assert view.record.account_id == account_id


@pytest.mark.parametrize("account_id", ["", "x" * 256, "a\nb", "a\x00", "\ud800"])
async def test_other_ids_are_refused(plane, account_id):
    with pytest.raises(InvalidFieldError):
        await plane.upsert(account_id)


async def test_unknown_plans_zones_and_accounts_are_errors_and_leave_nothing(plane):
    with pytest.raises(PlanNotFoundError):
        await plane.upsert("acme", "gold")
    with pytest.raises(InvalidFieldError):
        await plane.upsert("acme", time_zone="Mars/Olympus")
    with pytest.raises(AccountNotFoundError):
        await plane.read(lambda work, _: get_account(work, "acme"))


async def test_lists_page_through_everything_once(plane):
    for number in range(7):
        await plane.upsert(f"a{number}", "free")
    seen, token = [], ""
    while True:
        request = PageRequest(page_size=3, page_token=token)
        page = await plane.read(lambda work, _, request=request: list_accounts(work, request))
        seen += [view.account.account_id for view in page.items]
        token = page.next_page_token
        if not token:
            break
    assert seen == [f"a{number}" for number in range(7)]
    for wrong in ("!", "AAAA====", "zz\x00"):
        request = PageRequest(page_token=wrong)
        with pytest.raises(InvalidFieldError):
            await plane.read(lambda work, _, request=request: list_accounts(work, request))


async def test_users_come_and_go_with_their_seats(plane):
    await plane.upsert("acme", "pro")
    await plane.write(lambda work, now: add_user(work, "acme", "u1", now=now))
    await plane.write(lambda work, now: add_user(work, "acme", "u1", now=now))
    request = AssignSeat(account_id="acme", feature_key="seats", user_id="u2")
    await plane.write(lambda work, now: assign_seat(work, request, now=now))
    users = await plane.read(lambda work, _: list_users(work, "acme"))
    assert [user.user_id for user in users.items] == ["u1", "u2"]
    await plane.write(lambda work, _: remove_user(work, "acme", "u2"))
    assert (await plane.read(lambda work, _: get_account(work, "acme"))).record.seats == {}
    with pytest.raises(UserNotFoundError):
        await plane.write(lambda work, _: remove_user(work, "acme", "u2"))


async def test_concurrent_upserts_give_one_live_subscription(plane):
    views = await asyncio.gather(*(plane.upsert("acme", "pro") for _ in range(6)), return_exceptions=True)
    assert not [view for view in views if isinstance(view, Exception)]
    assert len({view.record.subscription.subscription_id for view in views}) == 1


async def test_an_upsert_of_a_suspended_account_does_not_change_its_plan(plane):
    await plane.upsert("acme", "pro")
    await plane.write(lambda work, now: set_state(work, "acme", SubscriptionState.SUSPENDED, now=now))
    with pytest.raises(SubscriptionConflictError):
        await plane.upsert("acme", "free")
