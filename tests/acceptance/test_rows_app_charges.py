"""Rows about charges that apps tell themselves: asked for at the end of a period, checked, invoiced. Figures by hand.

The app is a server of the test's own, asked by https as any other; what it is told of is in the messages of its tenant.
"""

import grpc
import pytest

from invoicing import at, dollars, invoices
from tallygate_api.v1.charge_service_pb2 import (
    CHARGE_RUN_STATE_REJECTED,
    REJECT_REASON_CHARGE_LIMIT_EXCEEDED,
    REJECT_REASON_INVALID_FORMAT,
    REJECT_REASON_TOO_MANY_CHARGES,
    REJECT_REASON_UNKNOWN,
)
from tallygate_api.v1.invoice_pb2 import Money
from tenants import eventually, failure

PRECONDITION, INVALID = grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT
ACME = {"account_id": "acme"}
APRIL, MAY, JUNE = "2031-04-01T00:00:00Z", "2031-05-01T00:00:00Z", "2031-06-01T00:00:00Z"
SELDOM = {"charges": {"every": "2592000s"}}
"""Every 30 days: at the end of April, and not before."""
REJECT = {"charges": {"at_limit": "reject", **SELDOM["charges"]}}
WIXES = ("AUD", "BRL", "CAD", "EUR", "GBP", "ILS", "INR", "JPY", "MXN", "PLN", "RUB", "TRY", "USD")


def document(app, *prices, plan=True, billing=None, **parts):
    metered = {
        "version": 1,
        "name": "Texts",
        "product": "texts",
        "usage_based": True,
        "charges": [{"text": "{0.5} per SMS"}],
        "entitlements": {"sms": {"unlimited": True}},
        "prices": list(prices),
    }
    return {
        "billing": {"grace": "0s", **(SELDOM if billing is None else billing)},
        "features": {"sms": {"kind": "metered"}},
        "products": {"texts": {"name": "Texts", "business_model": "freemium", "charge_service": app.address}},
        **({"plans": {"metered": metered}} if plan else {}),
        **parts,
    }


async def opened(tenant, app, *prices, subscribe=True, **parts):
    """On 1 April an account subscribes to the app."""
    await tenant.call("SetTestClock", time=at(APRIL[:-1]), standing=True)
    await tenant.apply(document(app, *prices, plan=False, **parts))
    await tenant.call("RequestUsagePlan", product_key="texts")
    await tenant.call("ApproveUsagePlan", product_key="texts")
    await tenant.apply(document(app, *prices, **parts))
    await tenant.call("UpsertAccount", **ACME, **({"plan_key": "metered"} if subscribe else {}))
    await settled(tenant)


async def settled(tenant):
    """All that is due is done."""
    while (await tenant.call("RunBilling")).more:
        pass


async def goes_to(tenant, text):
    await tenant.call("SetTestClock", time=at(text))
    await settled(tenant)


async def documents(tenant):
    """Whole documents, the oldest first."""
    found = await invoices(tenant, **ACME, page_size=100)
    return [(await tenant.call("GetInvoice", invoice_id=one.invoice_id)).invoice for one in found]


async def charged(tenant):
    """The lines that an app's charges became, of each document."""
    found = await documents(tenant)
    lines = [[(line.charge_id, dollars(line.amount)) for line in one.lines if line.charge_id] for one in found]
    return [each for each in lines if each]


async def charge_runs(tenant):
    return (await tenant.call("ListChargeRuns", **ACME)).runs


async def told(tenant, kind):
    return [dict(one.facts) for one in (await tenant.call("ListMessages", type=kind, page_size=100)).messages]


async def limit(tenant):
    found = (await tenant.call("GetChargeLimit", **ACME, product_key="texts")).limit
    return dollars(found.limit) if found.HasField("limit") else None


async def test_wx_15_a_charge_service_is_registered_by_its_https_address(tenant, apps):
    app = apps.open(charges=[("sms", "18.50")])
    await opened(tenant, app)
    kept = (await tenant.call("GetCatalog")).catalog.products["texts"]
    assert kept.charge_service == app.address
    await goes_to(tenant, "2031-05-01")
    assert await charged(tenant) == [[("sms", 18.50)]]
    for wrong in ("http://texts.example.com", "texts.example.com", "https://", "ftp://texts.example.com"):
        broken = document(app)
        broken["products"]["texts"]["charge_service"] = wrong
        with pytest.raises(grpc.aio.AioRpcError, match="charge_service") as error:
            await tenant.apply(broken)
        assert error.value.code() is INVALID


async def test_wx_16_the_apps_charges_are_on_the_invoice_that_is_sent(tenant, apps):
    """$10.00 at first; with the end of April 18.50 and 31.50 of the app beside May's $10.00: 60.00 in all."""
    app = apps.open(charges=[("sms", "18.50"), ("mms", "31.50")])
    await opened(tenant, app, {"recurring": {"amount": "10.00"}})
    await goes_to(tenant, "2031-05-01")
    first, second = await documents(tenant)
    assert dollars(first.total) == 10.00
    assert sorted((line.text, dollars(line.amount)) for line in second.lines) == [
        ("Texts", 10.00),
        ("mms", 31.50),
        ("sms", 18.50),
    ]
    assert dollars(second.total) == 60.00
    assert not (await tenant.call("VerifyInvoice", invoice_id=second.invoice_id)).differences


async def test_wx_17_the_app_is_told_of_rejected_charges_invoices_and_limits(tenant, apps):
    """51.00 of 50.00 is refused, the limit raised to 60.00, and 51.00 invoiced."""
    app = apps.open(charges=[("sms", "51.00")])
    await opened(tenant, app)
    await goes_to(tenant, "2031-05-01")
    (rejected,) = await told(tenant, "charges.rejected")
    assert (rejected["charge_id_1"], rejected["charge_limit"], rejected["reasons"]) == (
        "sms", "50.00", "CHARGE_LIMIT_EXCEEDED",
    )  # fmt: skip
    await tenant.call("RaiseChargeLimit", **ACME, limit=Money(units=60))
    (raised,) = await told(tenant, "charges.limit_raised")
    assert (raised["charge_limit"], raised["currency"], raised["product_key"]) == ("60.00", "USD", "texts")
    await settled(tenant)

    async def created():
        return (await tenant.call("ListMessages", type="invoice.created")).messages

    (message,) = await eventually(created, what="the message of the invoice")
    assert [(line.charge_id, dollars(line.amount)) for line in message.invoice.lines] == [("sms", 51.00)]


async def test_wx_18_the_charges_so_far_are_shown_and_nothing_else_happens(tenant, apps):
    app = apps.open(charges=[("sms", "18.50"), ("mms", "1.25")])
    await opened(tenant, app)
    await tenant.advance(3_600)
    head = (await tenant.call("ListMessages", page_size=100)).next_after_sequence
    runs = await charge_runs(tenant)
    for _ in range(3):
        shown = await tenant.call("ListCharges", **ACME)
        assert [(one.charge_id, dollars(one.amount)) for one in shown.charges] == [("sms", 18.50), ("mms", 1.25)]
        assert (dollars(shown.total), dollars(shown.limit.limit), list(shown.reasons)) == (19.75, 50.00, [])
    asked = app.listed("DISPLAY_ONLY")[-1]
    assert (asked["periodStart"], asked["periodEnd"]) == (APRIL, "2031-04-01T01:00:00Z")
    assert (asked["currency"], asked["accountId"]) == ("USD", "acme")
    assert not app.listed("CREATE_INVOICE")
    assert not await invoices(tenant)
    assert not (await tenant.call("ListUninvoicedItems", **ACME)).lines
    assert (await tenant.call("ListMessages", page_size=100)).next_after_sequence == head
    assert await charge_runs(tenant) == runs


async def test_wx_20_every_upgrade_asks_for_the_charge_limit(tenant, apps):
    app = apps.open(limit="50.00")
    await opened(tenant, app, subscribe=False)
    assert not app.asked
    before = (await tenant.call("GetChargeLimit", **ACME, product_key="texts")).limit
    assert (before.subscription_id, dollars(before.limit)) == ("", 50.00)
    assert app.limits() == [{"accountId": "acme", "subscriptionId": None, "currency": "USD"}]
    app.asked.clear()
    for amount in ("50.00", "75.00"):
        app.limit = amount
        made = (await tenant.call("CreateSubscription", **ACME, plan_key="metered")).subscription
        await settled(tenant)
        asked = {"accountId": "acme", "subscriptionId": made.subscription_id, "currency": "USD"}
        assert app.limits() == [asked]
        assert await limit(tenant) == float(amount)
        app.asked.clear()
        await tenant.call("CancelSubscription", **ACME, when="CHANGE_WHEN_NOW")
        await tenant.advance(60)


async def test_wx_20_an_upgrade_by_an_order_or_from_another_plan_asks_too(tenant, apps):
    app = apps.open(limit="50.00")
    free = {"free": {"version": 1, "upgrades_to": ["metered"], "entitlements": {"sms": {"limit": 1}}}}
    await opened(tenant, app, subscribe=False)
    await tenant.apply({**document(app), "plans": {**document(app)["plans"], **free}})
    await tenant.call("CreateSubscription", **ACME, plan_key="free")
    await settled(tenant)
    assert not app.asked
    await tenant.call("ChangePlan", **ACME, plan_key="metered")
    await settled(tenant)
    assert len(app.limits()) == 1
    await tenant.call("UpsertAccount", account_id="bob")
    await tenant.call("CreateOrder", account_id="bob", order_id="o", items=[{"subscription": {"plan_key": "metered"}}])
    await tenant.call("CompleteOrder", order_id="o", terms_version="1")
    await settled(tenant)
    assert [asked["accountId"] for asked in app.limits()] == ["acme", "bob"]


async def test_wx_22_the_limit_is_raised_by_its_account_and_never_lowered(tenant, apps):
    app = apps.open(limit="50.00")
    await opened(tenant, app)
    assert await limit(tenant) == 50.00
    made = await tenant.call("CreateApiKey", name="acme", scopes=["SCOPE_SELF_SERVICE"], account_id="acme")
    acme = type(tenant)(tenant.channel, made.key)
    for _ in range(2):  # delivered once
        raised = (await acme.call("RaiseChargeLimit", limit=Money(units=75, currency_code="USD"))).limit
        assert dollars(raised.limit) == 75.00
    (once,) = await told(tenant, "charges.limit_raised")
    assert (once["subscription_id"], once["currency"], once["charge_limit"]) == (raised.subscription_id, "USD", "75.00")
    for less in (Money(units=74, nanos=990_000_000), Money(units=50), Money(units=0)):
        refused = await failure(acme.call("RaiseChargeLimit", limit=less))
        assert refused == (PRECONDITION, "CHARGE_LIMIT_LOWERED")
    assert await limit(tenant) == 75.00
    app.limit = "90.00"  # what the app says later changes nothing
    await goes_to(tenant, "2031-06-01")
    assert await limit(tenant) == 75.00
    assert len(app.limits()) == 1


async def test_wx_23_charges_that_come_to_their_limit_are_taken(tenant, apps):
    """18.50 + 31.50 = 50.00 of 50.00."""
    app = apps.open(charges=[("sms", "18.50"), ("mms", "31.50")])
    await opened(tenant, app)
    await goes_to(tenant, "2031-05-01")
    (asked,) = app.listed("CREATE_INVOICE")
    assert (asked["currency"], asked["periodStart"], asked["periodEnd"]) == ("USD", APRIL, MAY)
    assert [sorted(each) for each in await charged(tenant)] == [[("mms", 31.50), ("sms", 18.50)]]
    await goes_to(tenant, "2031-05-02")
    assert len(app.listed("CREATE_INVOICE")) == 1
    assert len(await charged(tenant)) == 1


@pytest.mark.parametrize(
    ("mms", "billing"), [("31.51", None), ("31.50", {"charges": {"at_limit": "reject", **SELDOM["charges"]}})]
)
async def test_wx_23_charges_beyond_their_limit_are_refused(tenant, apps, mms, billing):
    """50.01 of 50.00; by `at_limit: reject` 50.00, too."""
    app = apps.open(charges=[("sms", "18.50"), ("mms", mms)])
    await opened(tenant, app, billing=billing)
    await goes_to(tenant, "2031-05-01")
    assert not await invoices(tenant)
    newest = [one for one in await charge_runs(tenant) if one.period_end == at(MAY[:-1])]
    assert [(one.state, list(one.reasons)) for one in newest] == [
        (CHARGE_RUN_STATE_REJECTED, [REJECT_REASON_CHARGE_LIMIT_EXCEEDED]),
    ]


async def test_wx_24_refused_charges_are_asked_for_again_until_they_can_be_taken(tenant, apps):
    """Six ids of which five are told; refused daily, and taken on the third day, when there are less."""
    many = [(f"c{number}", "10.00") for number in range(6)]
    app = apps.open(charges=many)
    await opened(tenant, app, billing={})
    await goes_to(tenant, "2031-05-01")
    (rejected,) = await told(tenant, "charges.rejected")
    assert [rejected.get(f"charge_id_{number}") for number in range(1, 7)] == ["c0", "c1", "c2", "c3", "c4", None]
    assert rejected["charge_limit"] == "50.00"
    assert rejected["reasons"].split() == ["TOO_MANY_CHARGES", "CHARGE_LIMIT_EXCEEDED"]
    await goes_to(tenant, "2031-05-02")
    assert not await invoices(tenant)
    april = [(asked["periodStart"], asked["periodEnd"]) for asked in app.listed("CREATE_INVOICE")]
    assert april == [(APRIL, MAY)] * 2
    app.charges = many[:4]
    await goes_to(tenant, "2031-05-02 23:59:59")
    assert len(app.listed("CREATE_INVOICE")) == 2
    await goes_to(tenant, "2031-05-03")
    assert await charged(tenant) == [[("c0", 10.00), ("c1", 10.00), ("c2", 10.00), ("c3", 10.00)]]
    await goes_to(tenant, "2031-05-05")
    assert len(app.listed("CREATE_INVOICE")) == 3
    assert len(await told(tenant, "charges.rejected")) == 1


async def test_wx_24_how_often_they_are_asked_for_again_is_a_setting(tenant, apps):
    app = apps.open(charges=[("sms", "60.00")])
    await opened(tenant, app, billing={"charges": {"every": "432000s"}})
    await goes_to(tenant, "2031-05-15")
    assert [one.attempts for one in await charge_runs(tenant) if one.state == CHARGE_RUN_STATE_REJECTED] == [
        5 + 1 + 2,  # shown on the 6th, 11th, 16th, 21st, 26th of April; refused on 1, 6 and 11 May
    ]
    assert len(app.listed("CREATE_INVOICE")) == 3


@pytest.mark.parametrize("answer", ["nothing that can be read", "no limit"])
async def test_wx_24_what_cannot_be_read_is_refused(tenant, apps, answer):
    app = apps.open(charges=answer if answer.startswith("nothing") else [("sms", "18.50")])
    if answer == "no limit":
        app.limit = None
    await opened(tenant, app)
    await goes_to(tenant, "2031-05-01")
    wanted = REJECT_REASON_UNKNOWN if answer == "no limit" else REJECT_REASON_INVALID_FORMAT
    refused = [list(one.reasons) for one in await charge_runs(tenant) if one.state == CHARGE_RUN_STATE_REJECTED]
    assert refused == [[wanted]]
    assert not await invoices(tenant)


async def test_wx_24_an_app_that_does_not_answer_is_asked_again(tenant, apps):
    app = apps.open(charges=[("sms", "18.50")])
    await opened(tenant, app)
    app.status = 503
    await tenant.call("SetTestClock", time=at(MAY[:-1]))
    failed = await tenant.call("RunBilling")
    assert {one.kind for one in failed.failures} <= {"charges"}
    assert not await invoices(tenant)
    refused = await failure(tenant.call("ListCharges", **ACME))
    assert refused == (PRECONDITION, "CHARGES_NOT_TOLD")
    app.status = 200
    await settled(tenant)
    assert await charged(tenant) == [[("sms", 18.50)]]


@pytest.mark.parametrize(
    ("charges", "reason"),
    [
        ([(f"c{number}", "1.00") for number in range(6)], REJECT_REASON_TOO_MANY_CHARGES),
        ([("x" * 65, "1.00")], REJECT_REASON_INVALID_FORMAT),
        ([("", "1.00")], REJECT_REASON_INVALID_FORMAT),
        ([("a", "1,50")], REJECT_REASON_INVALID_FORMAT),
        ([("a", "0.49")], REJECT_REASON_INVALID_FORMAT),
        ([("a", "-1.00")], REJECT_REASON_INVALID_FORMAT),
        ([("a", 1.5)], REJECT_REASON_INVALID_FORMAT),
        ([("a", "1.00"), ("a", "2.00")], REJECT_REASON_INVALID_FORMAT),
    ],
    ids=lambda value: str(value)[:24],
)
async def test_wx_25_charges_of_another_form_are_refused(tenant, apps, charges, reason):
    app = apps.open(charges=charges)
    await opened(tenant, app)
    assert list((await tenant.call("ListCharges", **ACME)).reasons) == [reason]
    await goes_to(tenant, "2031-05-01")
    refused = [list(one.reasons) for one in await charge_runs(tenant) if one.state == CHARGE_RUN_STATE_REJECTED]
    assert refused == [[reason]]
    assert not await invoices(tenant)


async def test_wx_25_five_charges_with_long_ids_and_amounts_that_are_cut(tenant, apps):
    """1.999 is 1.99, 0.509 is 0.50; the ids come back on the lines."""
    app = apps.open(charges=[("x" * 64, "1.999"), ("a", "0.509"), ("b", "0.50"), ("c", "2"), ("d", "3.1")])
    await opened(tenant, app)
    await goes_to(tenant, "2031-05-01")
    (document_,) = await charged(tenant)
    assert sorted(document_) == [("a", 0.50), ("b", 0.50), ("c", 2.00), ("d", 3.10), ("x" * 64, 1.99)]


async def test_wx_25_yen_have_no_decimals(tenant, apps):
    """ "10.9" is 10 yen."""
    app = apps.open(charges=[("sms", "10.9")])
    await opened(tenant, app, currency="JPY")
    await goes_to(tenant, "2031-05-01")
    (invoice,) = await documents(tenant)
    assert [(line.charge_id, line.amount.units, line.amount.nanos) for line in invoice.lines] == [("sms", 10, 0)]
    assert invoice.total.currency_code == "JPY"


async def test_wx_26_only_usage_inside_of_the_period_is_charged(tenant, apps):
    """Events a second before May, at its start and a second before its end; one at its end is June's."""
    events = {"2031-04-30T23:59:59Z": 7, MAY: 2, "2031-05-31T23:59:59Z": 3, JUNE: 11}

    def within(asked):
        total = sum(amount for time, amount in events.items() if asked["periodStart"] <= time < asked["periodEnd"])
        return [("events", f"{total}.00")] if total else []

    app = apps.open(charges=within)
    await opened(tenant, app)
    await goes_to(tenant, "2031-07-01")
    assert await charged(tenant) == [[("events", 7.00)], [("events", 5.00)], [("events", 11.00)]]
    periods = [(asked["periodStart"], asked["periodEnd"]) for asked in app.listed("CREATE_INVOICE")]
    assert periods == [(APRIL, MAY), (MAY, JUNE), (JUNE, "2031-07-01T00:00:00Z")]


async def test_wx_26_so_is_what_the_catalogue_prices(tenant, apps):
    """$1 each: 7 a second before May are April's, 2 at its start are May's."""
    await opened(tenant, apps.open(), {"usage": {"feature_key": "sms", "unit_amount": "1.00"}})
    await tenant.call("SetTestClock", time=at("2031-04-30 23:59:59"), standing=True)
    await tenant.consume("acme", "sms", 7)
    await goes_to(tenant, "2031-05-01")
    await tenant.consume("acme", "sms", 2)
    await goes_to(tenant, "2031-06-01")
    assert [dollars(one.total) for one in await invoices(tenant, **ACME)] == [7.00, 2.00]


@pytest.mark.parametrize("currency", WIXES)
async def test_wx_30_apps_charge_in_thirteen_currencies(tenant, apps, currency):
    app = apps.open(charges=[("sms", "12")])
    await opened(tenant, app, currency=currency)
    await goes_to(tenant, "2031-05-01")
    assert {asked["currency"] for _, asked in app.asked} == {currency}
    (invoice,) = await invoices(tenant, **ACME)
    assert (invoice.total.units, invoice.total.nanos, invoice.total.currency_code) == (12, 0, currency)


async def test_wx_30_an_answer_in_another_currency_is_refused(tenant, apps):
    app = apps.open(charges=[("sms", "12.00")], currency="EUR")
    await opened(tenant, app)
    await goes_to(tenant, "2031-05-01")
    assert list((await charge_runs(tenant))[-1].reasons) == [REJECT_REASON_INVALID_FORMAT]
    assert not await invoices(tenant)


async def test_wx_30_the_list_of_currencies_can_be_extended(tenant, apps):
    app = apps.open(charges=[("sms", "12.00")])
    with pytest.raises(grpc.aio.AioRpcError, match="charge_service"):
        await opened(tenant, app, currency="CHF")
    await opened(tenant, app, currency="CHF", billing={"charges": {"currencies": ["CHF", "USD"], **SELDOM["charges"]}})
    await goes_to(tenant, "2031-05-01")
    assert [one.total.currency_code for one in await invoices(tenant, **ACME)] == ["CHF"]


async def test_wx_31_an_account_is_told_when_80_and_100_per_cent_of_its_limit_are_charged(tenant, apps):
    """Of 50.00: 39.99 is nothing to tell, 40.00 is 80 %, 50.00 all of it; each is told once a period."""
    amounts = {"2031-04-02": "39.99", "2031-04-03": "40.00", "2031-04-04": "49.99", "2031-04-05": "50.00"}
    app = apps.open(charges=lambda asked: [("sms", amounts.get(asked["periodEnd"][:10], "50.00"))])
    await opened(tenant, app, billing={})
    seen = []
    for day in (2, 3, 4, 5, 6):
        await goes_to(tenant, f"2031-04-{day:02}")
        seen.append([one["percent"] for one in await told(tenant, "usage.limit")])
    assert seen == [[], ["80"], ["80"], ["80", "100"], ["80", "100"]]
    first, second = await told(tenant, "usage.limit")
    assert (first["used"], first["limit"], first["product_key"]) == ("40.00 USD", "50.00 USD", "texts")
    assert (second["used"], second["start_time"], second["end_time"]) == ("50.00 USD", APRIL, MAY)
    await goes_to(tenant, "2031-05-02")
    assert [one["percent"] for one in await told(tenant, "usage.limit")] == ["80", "100", "100"]
