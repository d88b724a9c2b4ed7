"""Rows about tenants: keys of their own, a licence that one sells to another, and what an account's dashboard shows."""

import grpc
import pytest

from invoicing import DAY, at, catalog, dollars, invoices, lines, run
from tallygate_api.v1 import api_key_service_pb2, subscription_pb2
from tenants import Tenant, eventually, failure

CONTROL, DATA = api_key_service_pb2.SCOPE_CONTROL, api_key_service_pb2.SCOPE_DATA
UNKNOWN_KEY = grpc.StatusCode.UNAUTHENTICATED
ACCOUNT_NOT_FOUND = (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")
ALICE = {"account_id": "alice"}


@pytest.fixture
async def another(live_server):
    """A second tenant of the same installation."""
    async with live_server.channel() as channel:
        yield Tenant(channel, live_server.new_test_tenant())


async def minted(tenant, name):
    made = await tenant.call("CreateApiKey", name=name, scopes=[CONTROL, DATA])
    return made.api_key.key_id, Tenant(tenant.channel, made.key)


async def refused(holder):
    """A revoked key is refused within seconds, by every process that knew it."""

    async def told():
        try:
            await holder.call("ListPlans")
        except grpc.aio.AioRpcError as error:
            return error.code() is UNKNOWN_KEY
        return False

    return await eventually(told, what="the refusal of a revoked key")


async def test_mn_04_each_tenant_has_keys_of_its_own_and_one_is_replaced_beside_the_others(tenant, another):
    """Two keys of one tenant see the same; the second replaces the first, and nobody else's keys notice."""
    await tenant.apply(catalog())
    await another.apply(catalog())
    first_id, first = await minted(tenant, "first")
    _, second = await minted(tenant, "second")
    _, foreign = await minted(another, "first")
    await first.call("UpsertAccount", **ALICE, plan_key="pro")
    for holder in (tenant, first, second):
        assert (await holder.call("GetAccount", **ALICE)).account.account_id == "alice"
    assert await failure(foreign.call("GetAccount", **ALICE)) == ACCOUNT_NOT_FOUND
    named = {each.name for each in (await another.call("ListApiKeys")).api_keys}
    assert "second" not in named, "keys of another tenant are not listed"
    await tenant.call("RevokeApiKey", key_id=first_id)
    await refused(first)
    assert (await second.call("GetAccount", **ALICE)).account.account_id == "alice"
    assert (await foreign.call("ListPlans")).plans
    _, third = await minted(second, "third")
    assert (await third.call("GetAccount", **ALICE)).account.account_id == "alice"


async def test_mn_03_an_account_has_members_and_a_card_and_belongs_to_one_tenant_alone(tenant, another):
    """Three members and a card of one tenant's account: whatever another tenant would hang on it is refused.

    An account is of the tenant whose key made it, and there is no way to move or share it: under the same id another
    tenant only ever has an account of its own, with nothing of the first.
    """
    for house in (tenant, another):
        await house.apply(catalog({"recurring": {"amount": "9.00"}}))
        await house.call("SetGateway", name="fake")
    await tenant.call("UpsertAccount", **ALICE, plan_key="pro")
    await tenant.call("AddUsers", **ALICE, user_ids=["ann", "bob", "eve"])
    await tenant.call("AttachMethod", **ALICE, token="fake_ok")
    await run(tenant)
    (paid,) = await invoices(tenant, **ALICE)
    assert (dollars(paid.total), dollars(paid.due)) == (9.00, 0), "its card pays"
    await another.call("UpsertAccount", account_id="own")
    share = {"kind": "SHARE_KIND_ACCOUNT", "account_id": "own", "partner_account_id": "alice", "accepted_percent": "1"}
    for method, fields in (
        ("CreateSubscription", {**ALICE, "plan_key": "pro"}),
        ("AddUsers", {**ALICE, "user_ids": ["dan"]}),
        ("AttachMethod", {**ALICE, "token": "fake_ok"}),
        ("CreateApiKey", {**ALICE, "scopes": [api_key_service_pb2.SCOPE_SELF_SERVICE]}),
        ("CreateReferral", {"referrer_account_id": "alice", "referee_account_id": "own", "amount": {"units": 1}}),
        ("SetShare", {"share": share}),
    ):
        assert await failure(another.call(method, **fields)) == ACCOUNT_NOT_FOUND, method
    await another.call("UpsertAccount", **ALICE)
    for method in ("ListUsers", "ListMethods", "ListInvoices"):
        assert not (await another.call(method, **ALICE)).ListFields(), method
    members = (await tenant.call("ListUsers", **ALICE)).users
    assert [one.user_id for one in members] == ["ann", "bob", "eve"]


async def test_ar_06_a_white_label_licence_is_sold_to_a_reseller_whose_customers_are_isolated(tenant, another):
    """5,000.00 a year in advance for an account that is a tenant itself; what it sells on nobody else sees."""
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    fee = {"recurring": {"amount": "5000.00", "every": "year", "due": "advance", "label": "White-label licence"}}
    features, granted = {"white_label": {"kind": "boolean"}}, {"white_label": {"enabled": True}}
    await tenant.apply(catalog(fee, features=features, entitlements=granted, billing_rule={"every": "year"}))
    for account in ("reseller", "other"):
        await tenant.call("UpsertAccount", account_id=account)
    await tenant.call("CreateSubscription", account_id="reseller", plan_key="pro")
    await run(tenant)
    (licence,) = await invoices(tenant, account_id="reseller")
    assert await lines(tenant, licence) == [("White-label licence", 5000.00)]
    (line,) = (await tenant.call("GetInvoice", invoice_id=licence.invoice_id)).invoice.lines
    assert (line.start_time, line.end_time) == (at("2024-03-01"), at("2025-03-01")), "before any of it was used"
    assert (await tenant.check("reseller", "white_label")).allowed
    assert not (await tenant.check("other", "white_label")).allowed
    await another.apply(catalog({"recurring": {"amount": "9.00"}}))
    await another.call("UpsertAccount", **ALICE, plan_key="pro")
    await run(another)
    (own,) = await invoices(another, **ALICE)
    assert dollars(own.total) == 9.00, "the reseller's own price"
    assert await failure(tenant.call("GetAccount", **ALICE)) == ACCOUNT_NOT_FOUND
    assert (await failure(tenant.call("GetInvoice", invoice_id=own.invoice_id)))[1] == "INVOICE_NOT_FOUND"
    assert not (await tenant.check("alice", "calls")).allowed
    assert (await failure(another.call("GetInvoice", invoice_id=licence.invoice_id)))[1] == "INVOICE_NOT_FOUND"
    await tenant.advance_to(at("2025-02-28 23:59:59"))
    await run(tenant)
    assert len(await invoices(tenant, account_id="reseller")) == 1
    await tenant.advance_to(at("2025-03-01"))
    await run(tenant)
    assert [dollars(each.total) for each in await invoices(tenant, account_id="reseller")] == [5000.00, 5000.00]


async def test_ar_22_an_account_sees_its_usage_its_invoices_and_its_plan(tenant):
    """A month of 29.00 paid, 37 calls at 0.50 in the running one: three calls of the API answer a dashboard.

    The screen itself is the seller's: Tallygate answers what it shows.
    """
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    await tenant.apply(
        catalog({"recurring": {"amount": "29.00"}}, {"usage": {"feature_key": "calls", "unit_amount": "0.50"}})
    )
    await tenant.call("SetGateway", name="fake")
    for account in ("acme", "globex"):
        await tenant.call("UpsertAccount", account_id=account)
        await tenant.call("AttachMethod", account_id=account, token="fake_ok")
        await tenant.call("CreateSubscription", account_id=account, plan_key="pro")
    await tenant.consume("acme", "calls", 12)
    await tenant.usage_reaches("acme", "calls", 12)
    await tenant.advance_to(at("2024-04-01"))
    await run(tenant)
    await tenant.consume("acme", "calls", 37)
    await tenant.consume("globex", "calls", 5)
    used = await tenant.usage_reaches("acme", "calls", 37)
    assert (used.period_start_time, used.period_end_time) == (at("2024-04-01"), at("2024-05-01"))
    await tenant.advance(DAY)
    await run(tenant)
    history = (await tenant.call("ListInvoices", account_id="acme")).invoices
    # Newest first: April in advance with what March used, 29.00 + 12 x 0.50; before it March in advance.
    assert [(dollars(each.total), dollars(each.due)) for each in history] == [(35.00, 0), (29.00, 0)]
    held = (await tenant.call("GetSubscription", account_id="acme")).subscription
    assert (held.plan_key, held.state) == ("pro", subscription_pb2.SUBSCRIPTION_STATE_ACTIVE)
    expected = (await tenant.call("PreviewInvoice", account_id="acme")).invoices
    assert sum(dollars(each.total) for each in expected) == 47.50, "29.00 for May and 37 x 0.50"
