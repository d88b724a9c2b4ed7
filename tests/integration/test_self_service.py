"""BK-15: a key that is bound to one account does what that may do for itself, and reaches nothing of any other."""

import grpc
import pytest

from tallygate.server.calls.self_service import SELF_SERVICE, own_name
from tenants import METHODS, Tenant, failure, metadata_of, reason_of, request_of, rpc

DENIED = grpc.StatusCode.PERMISSION_DENIED
MISSING = grpc.StatusCode.NOT_FOUND
OTHER = {"account_id": "other"}
ITEM = {"subscription": {"plan_key": "p"}}
DOCUMENT = {
    "currency": "USD",
    "billing": {"grace": "0s", "payment": {"due": {"days": 30}}},
    "features": {"calls": {"kind": "metered"}, "seats": {"kind": "seat"}},
    "plans": {
        name: {
            "version": 1,
            "entitlements": {"calls": {"limit": 10, "overage": "allow"}},
            "prices": [{"recurring": {"amount": amount}}, {"usage": {"feature_key": "calls", "unit_amount": "1.00"}}],
        }
        for name, amount in (("p", "29.00"), ("q", "59.00"))
    },
    "add_ons": {"pack": {"version": 1, "offered_on": ["p", "q"], "prices": [{"recurring": {"amount": "5.00"}}]}},
}
OWN = {
    "GetAccount": {},
    "GetSubscription": {},
    "ListSubscriptions": {},
    "ChangePlan": {"plan_key": "q"},
    "SetAddOn": {"add_on_key": "pack", "quantity": 2},
    "BookQuantity": {"quantity": 0},
    "CancelSubscription": {},
    "RenewSubscription": {},
    "GetChargeLimit": {"product_key": "app"},
    "RaiseChargeLimit": {"limit": {"units": 60}},
    "ListCharges": {},
    "ListChargeRuns": {},
    "PreviewInvoice": {},
    "GetWallet": {},
    "GetBillingProfile": {},
    "PreviewChange": {"change_plan": {"plan_key": "q"}},
    "Quote": {"plan_key": "q"},
    "ComparePlans": {},
    "ListInvoices": {},
    "CheckCoupon": {"code": "half"},
    "CreateOrder": {"items": [{"quota": {"feature_key": "calls", "quantity": 5}}], "order_id": "mine"},
    "ListOrders": {},
    "RedeemClaim": {"code": "none"},
    "BeginSetup": {"setup_id": "portal"},
    "AttachMethod": {"token": "fake_ok"},
    "ListMethods": {},
    "SetDefaultMethod": {"method_id": "card/acme"},
    "DetachMethod": {"method_id": "card/acme"},
    "ListPayments": {},
}
"""A request about its own account, which need not say so."""
BY_DOCUMENT = {
    "GetInvoice": lambda world: {"invoice_id": world["invoice"]},
    "ExplainLine": lambda world: {"invoice_id": world["invoice"], "line": 1},
    "RenderInvoice": lambda world: {"invoice_id": world["invoice"]},
    "Pay": lambda world: {"invoice_id": world["invoice"]},
    "GetOrder": lambda world: {"order_id": world["order"]},
    "CompleteOrder": lambda world: {"order_id": world["order"], "terms_version": "1"},
}
ANYBODYS = {"ListPaymentOptions": {"plan_key": "p"}}


@pytest.fixture
async def house(live_server):
    """Two accounts with everything, and a key that is bound to the first of them."""
    async with live_server.channel() as channel:
        tenant = Tenant(channel, live_server.new_test_tenant())
        await tenant.apply(DOCUMENT)
        await tenant.call("SetGateway", name="fake")
        await tenant.call("CreateCoupon", coupon={"code": "half", "percent_off": "50"})
        worlds = {}
        for account in ("acme", "other"):
            named = {"account_id": account}
            await tenant.call("UpsertAccount", **named, metadata={"note": f"of-{account}"})
            await tenant.call("SetBillingProfile", **named, party={"name": f"of-{account}"})
            await tenant.call("CreateSubscription", **named, plan_key="p")
            await tenant.call("RunBilling", **named)
            await tenant.call("AttachMethod", **named, method_id=f"card/{account}", token="fake_ok")
            quota = [{"quota": {"feature_key": "calls", "quantity": 5}}]
            order = (await tenant.call("CreateOrder", **named, order_id=f"o/{account}", items=quota)).order.order_id
            invoice = (await tenant.call("ListInvoices", **named)).invoices[0].invoice_id
            worlds[account] = {"invoice": invoice, "order": order}
        made = await tenant.call("CreateApiKey", name="portal", scopes=["SCOPE_SELF_SERVICE"], account_id="acme")
        assert made.api_key.account_id == "acme"
        yield tenant, Tenant(channel, made.key), worlds


def named(method):
    return f"{METHODS[method].containing_service.name}/{method}"


def test_every_method_of_the_table_is_tried():
    assert {named(method) for method in (*OWN, *BY_DOCUMENT, *ANYBODYS)} == set(SELF_SERVICE)


@pytest.mark.parametrize(
    "method", sorted(name for name in METHODS if "/" not in name and named(name) not in SELF_SERVICE)
)
async def test_what_is_not_in_the_table_is_denied(house, method):
    _, own, _ = house
    call = rpc(own.channel, method)(request_of(method), metadata=metadata_of(own.key))
    waits = call.read() if METHODS[method].server_streaming else call
    assert await failure(waits) == (DENIED, "SCOPE_MISSING")


@pytest.mark.parametrize("method", OWN)
async def test_its_own_is_served_and_another_is_not_there(house, method):
    tenant, own, _ = house
    nested = method == "PreviewChange"
    foreign = {"change_plan": {"plan_key": "q", **OTHER}} if nested else {**OWN[method], **OTHER}
    before = str(await tenant.call("GetAccount", **OTHER)) + str(await tenant.call("ListMethods", **OTHER))
    assert await failure(own.call(method, **foreign)) == (MISSING, "ACCOUNT_NOT_FOUND")
    assert str(await tenant.call("GetAccount", **OTHER)) + str(await tenant.call("ListMethods", **OTHER)) == before
    try:
        answer = str(await own.call(method, **OWN[method]))
    except grpc.aio.AioRpcError as error:
        answer = reason_of(error)
        expected = {("RedeemClaim", "CLAIM_NOT_FOUND"), ("ComparePlans", "INVALID_FIELD")}
        expected |= {("RenewSubscription", "SUBSCRIPTION_CONFLICT"), ("GetChargeLimit", "PRODUCT_NOT_FOUND")}
        expected |= {(name, "NO_CHARGE_SERVICE") for name in ("RaiseChargeLimit", "ListCharges")}
        assert (method, answer) in expected
    assert "other" not in answer


@pytest.mark.parametrize("method", BY_DOCUMENT)
async def test_documents_of_others_are_not_there(house, method):
    tenant, own, worlds = house
    code, reason = await failure(own.call(method, **BY_DOCUMENT[method](worlds["other"])))
    assert (code, reason.rpartition("_NOT_FOUND")[0]) == (MISSING, "ORDER" if "Order" in method else "INVOICE")
    still = (await tenant.call("GetOrder", order_id="o/other")).order
    assert not still.invoice_ids
    assert "other" not in str(await own.call(method, **BY_DOCUMENT[method](worlds["acme"])))


def told(error):
    """All of an error that a caller sees."""
    trailing = [(key, value) for key, value in error.trailing_metadata() or () if key != "x-request-id"]
    return error.code(), error.details(), trailing


BY_NAME = {
    "GetInvoice": {},
    "ExplainLine": {"line": 1},
    "ExplainLine ": {"line": 99},
    "RenderInvoice": {},
    "Pay": {},
    "GetOrder": {},
    "CompleteOrder": {"terms_version": "1"},
    "SetDefaultMethod": {},
    "DetachMethod": {},
    "Pay ": {},
    "GetSubscription": {},
}
"""What names a document or part of it; a blank for a second look at the same one."""


async def test_what_is_anothers_is_told_of_as_what_nobody_has(house):
    tenant, own, worlds = house
    other = (await tenant.call("GetInvoice", invoice_id=worlds["other"]["invoice"])).invoice
    subscription = (await tenant.call("GetSubscription", **OTHER)).subscription.subscription_id
    asked = [
        *((name, "invoice_id", value) for value in (other.number, other.invoice_id) for name in list(BY_NAME)[:5]),
        ("ExplainLine", "line_key", other.lines[0].line_key),
        *((name, "order_id", "o/other") for name in ("GetOrder", "CompleteOrder")),
        *((name, "method_id", "card/other") for name in ("SetDefaultMethod", "DetachMethod", "Pay ")),
        ("GetSubscription", "subscription_id", subscription),
    ]
    for method, field, value in asked:
        beside = {} if field == "line_key" else BY_NAME[method]
        if method == "Pay ":
            beside = {"invoice_id": worlds["acme"]["invoice"]}
        nobodys = "x" * len(value)  # the trailing message is as long
        seen = []
        for name in (value, nobodys):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await own.call(method.strip(), **{field: name}, **beside)
            seen.append(caught.value)
        of_anothers, of_nobodys = map(told, seen)
        expected = str(of_nobodys).replace(nobodys, value)
        assert str(of_anothers) == expected, (method, field)
        assert of_anothers[0] is MISSING


SELLERS = [
    ("ChangePlan", {"plan_key": "q", "plan_version": 1}, "plan_version"),
    ("ChangePlan", {"plan_key": "q", "proration": "CHANGE_PRORATION_NONE"}, "proration"),
    ("ChangePlan", {"plan_key": "q", "when": "CHANGE_WHEN_NOW"}, "when"),
    ("CancelSubscription", {"when": "CHANGE_WHEN_NOW"}, "when"),
    (
        "CreateOrder",
        {"items": [{"subscription": {"plan_key": "q", "trial_days": 99}}]},
        "items.subscription.trial_days",
    ),
    (
        "CreateOrder",
        {"items": [{"subscription": {"plan_key": "q", "plan_version": 1}}]},
        "items.subscription.plan_version",
    ),
    ("CreateOrder", {"items": [{**ITEM, "account_id": "other"}]}, "items.account_id"),
    ("CreateOrder", {"items": [{**ITEM, "email": "a@b.example"}]}, "items.email"),
    ("CreateOrder", {"items": [{"renewal": {"approved": True}}]}, "items.renewal"),
    ("RenewSubscription", {"approved": True}, "approved"),
    ("Quote", {"plan_key": "q", "trial_days": 3}, "trial_days"),
]


@pytest.mark.parametrize(("method", "fields", "field"), SELLERS, ids=[f"{m}-{f}" for m, _, f in SELLERS])
async def test_what_is_its_sellers_to_say_is_denied_by_the_field(house, method, fields, field):
    _, own, _ = house
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await own.call(method, **fields)
    assert (caught.value.code(), reason_of(caught.value)) == (DENIED, "NOT_SELF_SERVICE")
    assert f"field={field}," in caught.value.details()


async def test_lists_and_filters_hold_its_own_alone(house):
    _, own, worlds = house
    assert [one.invoice_id for one in (await own.call("ListInvoices")).invoices] == [worlds["acme"]["invoice"]]
    assert [one.order_id for one in (await own.call("ListOrders")).orders] == ["o/acme"]
    assert {one.account_id for one in (await own.call("ListSubscriptions")).subscriptions} == {"acme"}
    assert [one.method_id for one in (await own.call("ListMethods")).methods] == ["card/acme"]
    assert not (await own.call("ListPayments", invoice_id=worlds["other"]["invoice"])).payments
    assert not (await own.call("ListInvoices", text="of-other")).invoices


BINDINGS = [
    ({"scopes": ["SCOPE_SELF_SERVICE"]}, "account_id"),
    ({"scopes": ["SCOPE_SELF_SERVICE", "SCOPE_DATA"], "account_id": "acme"}, "scopes"),
    ({"scopes": ["SCOPE_CONTROL"], "account_id": "acme"}, "scopes"),
]


@pytest.mark.parametrize(("fields", "field"), BINDINGS)
async def test_a_binding_and_its_scope_come_together(house, fields, field):
    tenant, _, _ = house
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await tenant.call("CreateApiKey", name="x", **fields)
    assert f"field={field}," in caught.value.details()
    nobody = tenant.call("CreateApiKey", name="x", scopes=["SCOPE_SELF_SERVICE"], account_id="nobody")
    assert await failure(nobody) == (MISSING, "ACCOUNT_NOT_FOUND")


CARD = {"token": "fake_ok"}
ITEM_OF_FIVE = {"quota": {"feature_key": "calls", "quantity": 5}}
BASKET = {"items": [{"quota": {"feature_key": "calls", "quantity": 7}}]}


@pytest.fixture
async def two(house):
    """The sellers' own key, and one that is bound to each account."""
    tenant, own, worlds = house
    made = await tenant.call("CreateApiKey", name="portal", scopes=["SCOPE_SELF_SERVICE"], account_id="other")
    return tenant, own, Tenant(own.channel, made.key), worlds


async def test_an_order_that_another_calls_so_is_neither_met_nor_told_of(two):
    tenant, own, other, _ = two
    theirs = (await other.call("CreateOrder", order_id="mine", **BASKET)).order
    mine = (await own.call("CreateOrder", order_id="mine", items=[ITEM_OF_FIVE])).order
    nobodys = (await own.call("CreateOrder", order_id="new", **BASKET)).order
    assert mine.order_id.replace("mine", "new") == nobodys.order_id
    assert (mine.account_id, theirs.account_id, mine.order_id == theirs.order_id) == ("acme", "other", False)
    assert (await own.call("CreateOrder", order_id="mine", items=[ITEM_OF_FIVE])).order == mine
    for name in ("mine", mine.order_id):
        assert (await own.call("GetOrder", order_id=name)).order == mine
    done = await own.call("CompleteOrder", order_id="mine", terms_version="1")
    assert done.order.account_id == "acme"
    assert (await own.call("CompleteOrder", order_id=mine.order_id, terms_version="1")).order == done.order
    assert (await other.call("GetOrder", order_id="mine")).order == theirs
    assert await failure(other.call("GetOrder", order_id=mine.order_id)) == (MISSING, "ORDER_NOT_FOUND")
    assert await failure(own.call("CreateOrder", order_id="mine", **BASKET)) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "ALREADY_EXISTS",
    )
    again = (await own.call("CreateOrder", order_id="o/acme", items=[ITEM_OF_FIVE])).order
    assert again.order_id == "o/acme"  # its own, which the seller called so
    assert (await own.call("CreateOrder", order_id="o/other", items=[ITEM_OF_FIVE])).order.account_id == "acme"
    assert (await tenant.call("GetOrder", order_id="o/other")).order.account_id == "other"


async def test_a_method_that_another_calls_so_is_neither_met_nor_told_of(two):
    tenant, own, other, worlds = two
    for caller, account in ((own, "acme"), (other, "other")):
        made = (await caller.call("AttachMethod", method_id="card", **CARD)).method
        assert (made.account_id, made.method_id) == (account, f"{len(account)}/{account}/card")
        assert (await caller.call("AttachMethod", method_id="card", **CARD)).method == made
        assert (await caller.call("SetDefaultMethod", method_id="card")).method.method_id == made.method_id
    foreign = (await own.call("AttachMethod", method_id="card/other", **CARD)).method
    assert (foreign.account_id, foreign.method_id) == ("acme", "4/acme/card/other")
    paid = await own.call("Pay", invoice_id=worlds["acme"]["invoice"], method_id="card", attempt_id="try")
    assert (paid.attempt.method_id, paid.attempt.attempt_id) == ("4/acme/card", "4/acme/try")
    assert await failure(own.call("DetachMethod", method_id="5/other/card")) == (MISSING, "METHOD_NOT_FOUND")
    await own.call("DetachMethod", method_id="card")
    assert "5/other/card" in [one.method_id for one in (await tenant.call("ListMethods", **OTHER)).methods]


async def test_a_set_up_that_another_calls_so_is_not_met(two):
    """Nobody attaches what another has left behind at the gateway."""
    tenant, own, other, _ = two
    begun = [await each.call("BeginSetup", setup_id="portal") for each in (own, own, other)]
    assert [one.setup_id for one in begun] == ["4/acme/portal", "4/acme/portal", "5/other/portal"]
    assert begun[0].gateway_id == begun[1].gateway_id != begun[2].gateway_id
    assert (await tenant.call("BeginSetup", **OTHER, setup_id="portal")).gateway_id != begun[2].gateway_id


async def test_a_portal_renews_what_needs_no_approval(two):
    """A year from now on, then another one; what its seller is to approve is refused to it."""
    tenant, own, _, _ = two
    document = {**DOCUMENT, "plans": {**DOCUMENT["plans"], **{name: yearly(rule) for name, rule in YEARLY.items()}}}
    await tenant.apply(document)
    for plan in YEARLY:
        await tenant.call("UpsertAccount", account_id=plan)
        await tenant.call("CreateSubscription", account_id=plan, plan_key=plan)
    keys = [
        (await tenant.call("CreateApiKey", name="k", scopes=["SCOPE_SELF_SERVICE"], account_id=plan)).key
        for plan in YEARLY
    ]
    free, bound = (Tenant(own.channel, key) for key in keys)
    before = (await free.call("GetSubscription")).subscription
    after = (await free.call("RenewSubscription", end_time=before.end_time)).subscription
    again = (await free.call("RenewSubscription", end_time=before.end_time)).subscription
    year = after.end_time.seconds - before.end_time.seconds
    assert (year in {365 * 86400, 366 * 86400}, again.end_time) == (True, after.end_time)
    assert (await failure(bound.call("RenewSubscription")))[1] == "APPROVAL_REQUIRED"


def yearly(rule):
    prices = [{"recurring": {"amount": "290.00", "every": "year"}}]
    return {"version": 1, "prices": prices, "billing": {"every": "year", "renewal": "repeat", **rule}}


YEARLY = {"free-renewal": {}, "approved-renewal": {"renewal_approval": True}}


async def test_an_attempt_that_another_calls_so_is_neither_met_nor_told_of(two):
    _, own, other, worlds = two
    first = (await other.call("Pay", invoice_id=worlds["other"]["invoice"], attempt_id="try")).attempt
    second = (await own.call("Pay", invoice_id=worlds["acme"]["invoice"], attempt_id="try")).attempt
    assert (first.account_id, second.account_id) == ("other", "acme")
    assert (await own.call("Pay", invoice_id=worlds["acme"]["invoice"], attempt_id="try")).attempt == second
    assert (await own.call("Pay", invoice_id=worlds["acme"]["invoice"], attempt_id=second.attempt_id)).attempt == second


def test_no_two_accounts_names_are_alike():
    names = {own_name(account, name) for account, name in (("a", "b/x"), ("a/b", "x"), ("a", "x"), ("1", "a/x"))}
    assert len(names) == 4
    assert own_name("a", own_name("a", "x")) == own_name("a", "x")
