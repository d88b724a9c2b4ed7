"""What tests of payments build and read: an account that owes an invoice, what was tried for it, and the books."""

import pytest

from invoicing import DAY, catalog, dollars, invoices, month_ahead, run
from tallygate_api.v1 import payment_service_pb2 as wire
from tallygate_api.v1.subscription_pb2 import SubscriptionState
from tenants import eventually


async def open_house(tenant, *tokens, amount="29.00", gateway=True, billing=None, standing=False):
    """A tenant on the first of a month; an account with an opening invoice of 29.00, and methods by their tokens."""
    start = await month_ahead(tenant, standing=standing)
    await tenant.apply(catalog({"recurring": {"amount": amount}}, billing=billing))
    if gateway:
        await tenant.call("SetGateway", name="fake")
    await tenant.call("UpsertAccount", account_id="acme")
    for token in tokens:
        await tenant.call("AttachMethod", account_id="acme", method_id=token, token=token)
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    await run(tenant)
    return start


async def attempts(tenant, **wanted):
    """Every attempt, oldest first: its state, reason, amount, and on which day it began."""
    found = (await tenant.call("ListAttempts", account_id="acme", **wanted)).attempts
    return [
        (wire.AttemptState.Name(one.state).removeprefix("ATTEMPT_STATE_"), one.reason, dollars(one.amount))
        for one in reversed(found)
    ]


async def days_of_attempts(tenant, start):
    found = (await tenant.call("ListAttempts", account_id="acme")).attempts
    return [round((one.create_time.seconds - start.seconds) / DAY, 2) for one in reversed(found)]


async def states(tenant):
    names = {1: "open", 2: "paid", 3: "void", 5: "uncollectible"}
    return [(names[one.state], dollars(one.due)) for one in await invoices(tenant, account_id="acme")]


async def books(tenant):
    """What every ledger account stands at, after the audit agreed."""
    assert list((await tenant.call("AuditLedger")).differences) == []
    found = (await tenant.call("GetTrialBalance")).balances
    assert sum(dollars(one.balance) for one in found) == pytest.approx(0)
    return {one.ledger_account: dollars(one.balance) for one in found if dollars(one.balance)}


async def standing(tenant):
    """What the account's subscription is shown as, and whether it may use what its plan has."""
    shown = (await tenant.call("GetSubscription", account_id="acme")).subscription.state
    name = SubscriptionState.Name(shown).removeprefix("SUBSCRIPTION_STATE_")
    return name, (await tenant.check("acme", "calls")).allowed


async def stands(tenant, *expected):
    """Wait until the sidecar answers by it: what is committed is published within moments."""

    async def seen():
        return await standing(tenant) == expected

    await eventually(seen, what=f"the account to be {expected}")
