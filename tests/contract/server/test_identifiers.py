"""Ids are the caller's own: whatever prints is carried whole through every service, and anything else is refused."""

import grpc
import pytest

from tallygate_api.v1 import catalog_pb2
from tenants import Tenant, eventually, failure

DOCUMENT = {
    "currency": "USD",
    "features": {"calls": {"kind": "metered"}, "seats": {"kind": "seat"}},
    "plans": {"p": {"version": 1, "entitlements": {"calls": {"limit": 100}, "seats": {"limit": 9}}}},
}
PRINTABLE = {
    "a letter": "a",
    "an e-mail": "ada+x@acme.example",
    "a UUID": "0b8ba6d5-2c57-4d7c-9d1f-6f5ac7c2c5c4",
    "slashes": "a/b//c/",
    "spaces inside": "a b  c",
    "emoji": "\N{ROCKET}\N{WHITE SMILING FACE}",
    "other scripts": "日本語ü",
    "what keys are made of": "tg:{0}:x*?[a]\\",
    "what SQL is made of": "' OR 1=1 --%_\"",
    "255 characters": "x" * 255,
    "255 characters of four bytes": "\N{ROCKET}" * 255,
}
REFUSED = {
    "256 characters": "x" * 256,
    "a line break": "a\nb",
    "a tab": "a\tb",
    "NUL": "a\x00b",
    "an escape": "a\x1b[0m",
    "a delete": "\x7f",
    "a byte order mark": "\ufeffa",
    "a line separator": "a\u2028b",
}
FIELDS = {
    # call, and the path of the field that holds the id
    "UpsertAccount": ("account_id",),
    "GetAccount": ("account_id",),
    "AddUsers": ("account_id", "user_ids"),
    "AssignSeat": ("account_id", "feature_key", "user_id"),
    "CreateGrant": ("account_id", "feature_key"),
    "CheckEntitlement": ("account_id", "feature_key"),
    "ConsumeQuota": ("account_id", "feature_key", "request_id"),
    "GetUsage": ("account_id",),
    "GetSubscription": ("account_id",),
}


@pytest.fixture
async def tenant(live_server):
    async with live_server.channel() as channel:
        tenant = Tenant(channel, live_server.new_test_tenant())
        await tenant.apply(DOCUMENT)
        yield tenant


@pytest.mark.parametrize("name", PRINTABLE.values(), ids=PRINTABLE)
async def test_what_prints_is_an_id_everywhere(tenant, name):
    made = await tenant.call("UpsertAccount", account_id=name, plan_key="p", user_ids=[name], metadata={name: name})
    assert (made.account.account_id, dict(made.account.metadata)) == (name, {name: name})
    assert (await tenant.call("GetAccount", account_id=name)).account == made.account
    assert [user.user_id for user in (await tenant.call("ListUsers", account_id=name)).users] == [name]
    seated = await tenant.call("AssignSeat", account_id=name, feature_key="seats", user_id=name)
    assert seated.seat.user_id == name
    held = await tenant.call("CreateGrant", account_id=name, feature_key="calls", amount=5, grant_id=name, priority=1)
    assert held.grant.grant_id == name
    checked = await tenant.check(name, "calls", user_id=name)
    assert checked.allowed
    consumed = await tenant.consume(name, "calls", 101, request_id=name, user_id=name, dimensions={name: name})
    assert ([pot.grant_id for pot in consumed.pots], consumed.request_id) == (["", name], name)
    assert (await tenant.consume(name, "calls", 101, request_id=name, dimensions={name: name})).replayed
    (row,) = await tenant.usage_reaches(name, "calls", 101) and await tenant.usage(name, "calls", group_by=name)
    assert (row.group, row.quantity) == (name, 101)
    (event,) = (await tenant.call("ListEvents", account_id=name)).events
    assert (event.subject, event.data.request_id, event.data.user_id) == (name, name, name)
    assert dict(event.data.dimensions) == {name: name}


@pytest.mark.parametrize("name", PRINTABLE.values(), ids=PRINTABLE)
async def test_what_prints_is_a_key_of_the_catalogue(tenant, name):
    document = catalog_pb2.Catalog(
        currency="USD",
        features={name: catalog_pb2.Feature(kind=catalog_pb2.FEATURE_KIND_METERED)},
        plans={name: catalog_pb2.Plan(version=1, entitlements={name: catalog_pb2.Entitlement(limit=5)})},
    )
    await tenant.call("ApplyCatalog", catalog=document)
    assert (await tenant.call("GetPlan", plan_key=name)).plan.plan_key == name
    await tenant.call("UpsertAccount", account_id="acme", plan_key=name)
    assert (await tenant.consume("acme", name, 3)).used == 3

    async def counted():
        rows = (await tenant.call("GetUsage", account_id="acme", feature_key=name)).rows
        return rows[0].quantity == 3

    await eventually(counted)
    listed = (await tenant.call("ListAccounts", plan_key=name)).accounts
    assert [account.account_id for account in listed] == ["acme"]


@pytest.mark.parametrize("name", [*REFUSED.values(), ""], ids=[*REFUSED, "nothing"])
@pytest.mark.parametrize("method", FIELDS)
async def test_what_does_not_print_is_refused_and_its_field_named(tenant, method, name):
    valid = {"account_id": "acme", "user_ids": ["ada"], "user_id": "ada", "feature_key": "calls", "request_id": "r"}
    for field in FIELDS[method]:
        asked = {key: valid[key] for key in FIELDS[method]}
        asked[field] = [name] if field == "user_ids" else name
        if method == "CreateGrant":
            asked["amount"] = 1
        call = tenant.call(method, **asked)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert f"field={field}" in refused.value.details()


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(
    ("method", "field"),
    [
        ("ListAccounts", "plan_key"),
        ("ListSubscriptions", "account_id"),
        ("ListSubscriptions", "plan_key"),
        ("ListPlans", "plan_key"),
        ("ListEvents", "feature_key"),
        ("GetUsage", "group_by"),
        ("ListGrants", "feature_key"),
        ("ListOverrides", "feature_key"),
        ("ListSeats", "feature_key"),
    ],
)
async def test_filters_are_ids_too(tenant, method, field, name):
    asked = {} if method in {"ListAccounts", "ListPlans", "ListEvents"} else {"account_id": "acme"}
    code, reason = await failure(tenant.call(method, **{**asked, field: name}))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
