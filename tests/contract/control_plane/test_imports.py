import pytest

from tallygate.control_plane.accounts import UpsertAccount, get_account, upsert_account
from tallygate.control_plane.allowances import CreateGrant, create_grant
from tallygate.control_plane.imports import ImportItem, import_accounts
from tallygate.control_plane.subscriptions import CreateSubscription
from tallygate.domain.errors import AccountNotFoundError, InvalidFieldError
from tallygate.domain.subscription_errors import SubscriptionConflictError


def item(account_id, plan_key="", *, subscription="", **options):
    brought = CreateSubscription(account_id=account_id, plan_key=subscription) if subscription else None
    return ImportItem(account=UpsertAccount(account_id=account_id, plan_key=plan_key, **options), subscription=brought)


async def imported(plane, *items):
    return await plane.written(lambda work, now: import_accounts(work, items, now=now, new_id=plane.new_id))


async def test_an_import_does_what_an_upsert_of_each_does(plane):
    wanted = [
        item("a", "pro", time_zone="Europe/Berlin", user_ids=("u1", "u2")),
        item("b", metadata={"k": "v"}),
        item("c", subscription="enterprise"),
        item("d", "free"),
    ]
    written = await imported(plane, *wanted)
    assert written.value == [True] * 4
    for each in wanted:
        twin = UpsertAccount(
            account_id=f"{each.account.account_id}-twin",
            plan_key=each.account.plan_key or (each.subscription.plan_key if each.subscription else ""),
            time_zone=each.account.time_zone,
            metadata=each.account.metadata,
            user_ids=each.account.user_ids,
        )
        await plane.write(lambda work, now, twin=twin: upsert_account(work, twin, now=now, new_id=plane.new_id))
        mine, other = await plane.record(each.account.account_id), await plane.record(twin.account_id)
        assert held_by(mine) == held_by(other)
        assert mine.version == written.view_version


def held_by(record):
    held = record.subscription
    return (record.time_zone, record.create_time, held and (held.terms, held.trial_end_time, held.state))


async def test_what_is_refused_of_one_keeps_no_other_out_and_leaves_nothing(plane):
    await plane.upsert("held", "pro")
    written = await imported(
        plane,
        item("good", "pro"),
        item("no-plan", "nowhere", metadata={"k": "v"}, user_ids=("u",)),
        item("no-zone", time_zone="Nowhere/At_All"),
        item("held", "enterprise", metadata={"changed": "yes"}),
        item("half", "pro", subscription="enterprise"),
        item("last"),
    )
    kinds = [each if isinstance(each, bool) else type(each).__name__ for each in written.value]
    assert kinds == [
        True,
        "PlanNotFoundError",
        "InvalidFieldError",
        "SubscriptionConflictError",
        "SubscriptionConflictError",
        True,
    ]
    for account_id in ("no-plan", "no-zone", "half"):
        with pytest.raises(AccountNotFoundError):
            await plane.read(lambda work, now, each=account_id: get_account(work, each, now=now))
    held = await plane.read(lambda work, now: get_account(work, "held", now=now))
    assert held.account.metadata == {}
    assert held.account.version < written.view_version


async def test_importing_again_changes_nothing(plane):
    wanted = [item("a", "pro"), item("b", subscription="free"), item("c", metadata={"k": "v"})]
    first = await imported(plane, *wanted)
    again = await imported(plane, *wanted)
    assert again.value == [False] * 3
    assert again.view_version == first.view_version


async def test_what_was_there_is_kept_and_what_it_holds_is_seen(plane):
    await plane.upsert("acme", "pro")
    grant = CreateGrant(account_id="acme", feature_key="api_calls", amount=5, grant_id="g")
    await plane.write(lambda work, now: create_grant(work, grant, now=now, new_id=plane.new_id))
    before = await plane.record("acme")
    await imported(plane, item("acme", metadata={"k": "v"}), item("new", "pro"))
    after = await plane.record("acme")
    assert (after.grants, after.subscription) == (before.grants, before.subscription)
    conflict = (await imported(plane, item("acme", subscription="enterprise"))).value
    assert isinstance(conflict[0], SubscriptionConflictError)


async def test_an_account_is_named_once(plane):
    with pytest.raises(InvalidFieldError):
        await imported(plane, item("a"), item("a"))


async def test_what_a_part_did_is_undone_with_it_and_the_rest_stands(plane):
    async def undone(work):
        async with work.part():
            await upsert_account(work, UpsertAccount(account_id="gone"), now=work.now, new_id=plane.new_id)
            raise InvalidFieldError(field="f", expected="e")

    async with plane.store.write(plane.tenant_id, now=plane.now) as work:
        await upsert_account(work, UpsertAccount(account_id="kept", plan_key="pro"), now=work.now, new_id=plane.new_id)
        with pytest.raises(InvalidFieldError):
            await undone(work)
        assert await work.accounts.get("gone") is None
        made = await upsert_account(
            work, UpsertAccount(account_id="gone", plan_key="free"), now=work.now, new_id=plane.new_id
        )
        assert made.created
        await work.commit()
    assert (await plane.record("gone")).subscription.terms[0].plan_key == "free"
    assert (await plane.record("kept")).subscription is not None
