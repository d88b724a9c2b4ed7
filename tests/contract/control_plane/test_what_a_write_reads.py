"""A write asks whether an account is there, and for what it names; it does not read all that the account holds."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from control_planes import DAY, NOW
from tallygate.control_plane.accounts import add_users, list_users, remove_users
from tallygate.control_plane.allowances import (
    CreateGrant,
    CreateOverride,
    create_grant,
    create_override,
    delete_override,
    revoke_grant,
)
from tallygate.control_plane.proposals import CancelSubscription, ChangePlan, SetAddOn, When
from tallygate.control_plane.seats import unassign_seat
from tallygate.control_plane.subscription_changes import (
    cancel_subscription,
    change_plan,
    extend_subscription,
    extend_trial,
    set_add_on,
    set_state,
)
from tallygate.control_plane.subscriptions import get_subscription, list_subscriptions
from tallygate.domain.account import SubscriptionState
from tallygate.domain.catalog import Entitlement

HELD = ("grants", "overrides", "seats")


@contextmanager
def statements(plane):
    """What is executed meanwhile, each as one line."""
    found: list[str] = []

    def note(_connection, _cursor, statement, *_):
        found.append(" ".join(statement.split()))

    event.listen(plane.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(plane.engine.sync_engine, "before_cursor_execute", note)


GRANT = CreateGrant(account_id="acme", feature_key="api_calls", amount=5, grant_id="g")
OVERRIDE = CreateOverride(account_id="acme", feature_key="sso", entitlement=Entitlement(enabled=True), override_id="o")
PERIOD_END = ChangePlan(account_id="acme", plan_key="free", when=When.PERIOD_END)
USE_CASES = {
    "create_grant": lambda work, now: create_grant(work, GRANT, now=now, new_id=str),
    "revoke_grant": lambda work, now: revoke_grant(work, "acme", "there", now=now),
    "create_override": lambda work, now: create_override(work, OVERRIDE, now=now, new_id=str),
    "delete_override": lambda work, now: delete_override(work, "acme", "there", now=now),
    "add_users": lambda work, now: add_users(work, "acme", ["u"], now=now),
    "remove_users": lambda work, _: remove_users(work, "acme", ["u"]),
    "list_users": lambda work, _: list_users(work, "acme"),
    "unassign_seat": lambda work, _: unassign_seat(work, "acme", "seats", "u"),
    "change_plan": lambda work, now: change_plan(work, PERIOD_END, now=now),
    "set_add_on": lambda work, now: set_add_on(
        work, SetAddOn(account_id="acme", add_on_key="api-pack", quantity=1), now=now
    ),
    "cancel": lambda work, now: cancel_subscription(
        work, CancelSubscription(account_id="acme", when=When.PERIOD_END), now=now
    ),
    "extend_trial": lambda work, now: extend_trial(work, "acme", NOW + 20 * DAY, now=now),
    "extend": lambda work, now: extend_subscription(work, "acme", NOW + 90 * DAY, now=now),
    "set_state": lambda work, now: set_state(work, "acme", SubscriptionState.PAST_DUE, now=now),
    "get_subscription": lambda work, now: get_subscription(work, "acme", now=now),
    "list_subscriptions": lambda work, now: list_subscriptions(work, "acme", now=now),
}


@pytest.mark.parametrize("name", USE_CASES)
async def test_nothing_but_what_is_named_is_read_of_what_an_account_holds(plane, name):
    await plane.upsert("acme", "pro", trial=True)
    grant = CreateGrant(account_id="acme", feature_key="api_calls", amount=5, grant_id="there")
    await plane.write(lambda work, now: create_grant(work, grant, now=now, new_id=str))
    override = CreateOverride(
        account_id="acme", feature_key="sso", entitlement=Entitlement(enabled=True), override_id="there"
    )
    await plane.write(lambda work, now: create_override(work, override, now=now, new_id=str))
    with statements(plane) as executed:
        async with plane.store.write(plane.tenant_id, now=plane.now) as work:
            await USE_CASES[name](work, work.now)
            await work.commit()
    whole = [
        line
        for line in executed
        for table in HELD
        if line.startswith("SELECT")
        and not line.startswith("SELECT count(*)")
        and f"FROM {table} " in line
        and f"{table[:-1]}_id =" not in line
    ]
    assert whole == []
