import asyncio
from dataclasses import replace

import pytest

from control_planes import DAY, NOW
from tallygate.control_plane.accounts import add_users, get_account, list_accounts, list_users, remove_users
from tallygate.control_plane.proposals import CancelSubscription
from tallygate.control_plane.seats import AssignSeat, assign_seat
from tallygate.control_plane.subscription_changes import cancel_subscription, set_state
from tallygate.control_plane.subscription_terms import term_at
from tallygate.domain.account import SubscriptionState
from tallygate.domain.errors import AccountNotFoundError, InvalidFieldError, PlanNotFoundError
from tallygate.domain.subscription_errors import SubscriptionConflictError
from tallygate.records.paging import PageRequest


async def test_one_call_creates_an_account_on_a_plan(plane):
    view = await plane.upsert("acme", "pro", metadata={"crm": "42"}, time_zone="Europe/Berlin")
    assert (view.account.metadata, view.account.time_zone) == ({"crm": "42"}, "Europe/Berlin")
    assert view.subscription.subscription.state is SubscriptionState.ACTIVE
    assert term_at(view.subscription.subscription, plane.now).plan_key == "pro"


async def test_upserting_again_keeps_what_is_not_said(plane):
    await plane.upsert("acme", "pro", metadata={"crm": "42"}, time_zone="Europe/Berlin")
    view = await plane.upsert("acme")
    assert (view.account.metadata, view.account.time_zone) == ({"crm": "42"}, "Europe/Berlin")
    assert view.subscription is not None


async def test_upserting_the_same_raises_no_version(plane):
    assert (await plane.upsert("acme", "pro")).created
    view = await plane.read(lambda work, now: get_account(work, "acme", now=now))
    plane.now += DAY
    assert await plane.upsert("acme", "pro") == view
    assert await plane.read(lambda work, now: get_account(work, "acme", now=now)) == view


async def test_another_plan_is_a_conflict_because_plans_are_changed_by_name(plane):
    await plane.upsert("acme", "free")
    with pytest.raises(SubscriptionConflictError):
        await plane.upsert("acme", "pro")


async def test_metadata_entries_are_set_and_removed_one_by_one(plane):
    await plane.upsert("acme", metadata={"a": "1", "b": "2"})
    assert (await plane.upsert("acme", metadata={"a": "", "c": "3"})).account.metadata == {"b": "2", "c": "3"}


async def test_an_account_remembers_when_it_or_what_it_holds_last_changed(plane):
    changes = [
        lambda: plane.upsert("acme", "pro"),
        lambda: plane.upsert("acme", metadata={"a": "1"}),
        lambda: plane.change_plan("acme", "free"),
        lambda: plane.write(lambda work, now: add_users(work, "acme", ["u"], now=now)),
        lambda: plane.write(lambda work, _: remove_users(work, "acme", ["u"])),
    ]
    for change in changes:
        plane.now += DAY
        await change()
        view = await plane.read(lambda work, now: get_account(work, "acme", now=now))
        assert (view.account.create_time, view.account.update_time) == (NOW + DAY, plane.now)
    plane.now += DAY
    assert (await plane.upsert("acme", "free", metadata={"a": "1"}, user_ids=[])).account.update_time == plane.now - DAY
    told = await plane.upsert("acme", metadata={"a": "2"})
    assert told.account.update_time == plane.now


async def test_a_trial_starts_once(plane):
    first = (await plane.upsert("hooli", "pro", trial=True)).subscription.subscription
    assert first.state is SubscriptionState.TRIALING
    assert [(t.plan_key, t.start_time) for t in first.terms] == [("pro", plane.now), ("free", plane.now + 14 * DAY)]
    plane.now += 20 * DAY
    again = (await plane.upsert("hooli", "pro", trial=True)).subscription.subscription
    assert again == replace(first, state=SubscriptionState.ACTIVE)
    assert term_at(again, plane.now).plan_key == "free"


@pytest.mark.parametrize(
    "account_id", ["a", "jane+x@example.com", "b3c1/ü/δ", "a:b{c}%,=", "x" * 255, "with space", "日本語", "' OR 1=1 --"]
)
async def test_ids_are_any_printable_text(plane, account_id):
    await plane.upsert(account_id, "free")
    view = await plane.read(lambda work, now: get_account(work, account_id, now=now))
    assert view.account.account_id == account_id


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
        await plane.read(lambda work, now: get_account(work, "acme", now=now))


async def test_lists_page_through_everything_once(plane):
    for number in range(7):
        await plane.upsert(f"a{number}", "free")
    seen, token = [], ""
    while True:
        request = PageRequest(page_size=3, page_token=token)
        page = await plane.read(lambda work, now, request=request: list_accounts(work, request, now=now))
        seen += [view.account.account_id for view in page.items]
        token = page.next_page_token
        if not token:
            break
    assert seen == [f"a{number}" for number in range(7)]
    for wrong in ("!", "AAAA====", "zz\x00"):
        request = PageRequest(page_token=wrong)
        with pytest.raises(InvalidFieldError):
            await plane.read(lambda work, now, request=request: list_accounts(work, request, now=now))


async def test_users_come_and_go_with_their_seats(plane):
    await plane.upsert("acme", "pro")
    (first,) = await plane.write(lambda work, now: add_users(work, "acme", ["u1"], now=now))
    plane.now += DAY
    again, later = await plane.write(lambda work, now: add_users(work, "acme", ["u3", "u1", "u3"], now=now))
    assert (again, later.user_id, later.create_time) == (first, "u3", plane.now)
    request = AssignSeat(account_id="acme", feature_key="seats", user_id="u2")
    await plane.write(lambda work, now: assign_seat(work, request, now=now))
    users = await plane.read(lambda work, _: list_users(work, "acme"))
    assert [user.user_id for user in users.items] == ["u1", "u2", "u3"]
    assert await plane.write(lambda work, _: remove_users(work, "acme", ["u2", "nobody"])) == 1
    assert (await plane.record("acme")).seats == {}
    assert await plane.write(lambda work, _: remove_users(work, "acme", ["u2"])) == 0


async def test_concurrent_upserts_give_one_live_subscription(plane):
    views = await asyncio.gather(*(plane.upsert("acme", "pro") for _ in range(6)), return_exceptions=True)
    assert not [view for view in views if isinstance(view, Exception)]
    assert len({view.subscription.subscription.subscription_id for view in views}) == 1


async def test_an_upsert_of_a_suspended_account_does_not_change_its_plan(plane):
    await plane.upsert("acme", "pro")
    await plane.write(lambda work, now: set_state(work, "acme", SubscriptionState.SUSPENDED, now=now))
    with pytest.raises(SubscriptionConflictError):
        await plane.upsert("acme", "free")


async def test_accounts_are_listed_by_the_plan_that_serves_them_now_in_full_pages(plane):
    for number in range(6):
        await plane.upsert(f"a{number}", "pro" if number % 2 else "free")
    await plane.upsert("trial", "pro", trial=True)
    await plane.upsert("none")

    async def listed(plan_key, token=""):
        request = PageRequest(page_size=2, page_token=token)
        page = await plane.read(lambda work, now: list_accounts(work, request, plan_key=plan_key, now=now))
        return [view.account.account_id for view in page.items], page.next_page_token

    first, token = await listed("pro")
    assert (first, bool(token)) == (["a1", "a3"], True)
    assert await listed("pro", token) == (["a5", "trial"], "")
    plane.now += 15 * DAY
    assert await listed("pro", token) == (["a5"], "")
    await plane.write(lambda work, now: cancel_subscription(work, CancelSubscription(account_id="a5"), now=now))
    assert await listed("pro", token) == ([], "")
