"""Rows about apps whose plans charge for usage: what may be published, and how it is listed. Figures by hand.

The platform's pages are what ProductService answers: a listing is its page, a preview the page before it is saved.
"""

from copy import deepcopy

import grpc
import pytest

from invoicing import at, dollars, invoices, lines, run
from tallygate_api.v1.catalog_pb2 import BUSINESS_MODEL_FREEMIUM, BUSINESS_MODEL_PREMIUM
from tallygate_api.v1.order_service_pb2 import ORDER_STATE_COMPLETED
from tallygate_api.v1.product_service_pb2 import (
    BILLING_CYCLE_MONTHLY,
    BILLING_CYCLE_YEARLY,
    USAGE_APPROVAL_APPROVED,
    USAGE_APPROVAL_NONE,
    USAGE_APPROVAL_REQUESTED,
)
from tenants import failure
from worlds import catalog_message

PRECONDITION, INVALID = grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT
PER_SMS = {"usage": {"feature_key": "sms", "unit_amount": "0.50"}}
TEN = {"recurring": {"amount": "10.00"}}
RULE = {"text": "{0.5} per SMS", "unit": "SMS", "trigger": "each SMS that is sent"}
APP = {"name": "Texts", "business_model": "freemium", "pricing_url": "https://texts.example.com/pricing"}


def plan(*prices, **fields):
    more = {"product": "texts", "usage_based": True, "charges": [RULE], **fields}
    return {"version": 1, "name": "Texts", "entitlements": {"sms": {"unlimited": True}}, "prices": [*prices], **more}


def document(plans=None, **parts):
    return {
        "billing": {"grace": "0s"},
        "features": {"sms": {"kind": "metered"}},
        "products": {"texts": APP},
        **({"plans": plans} if plans else {}),
        **parts,
    }


async def approved(tenant, plans=None, **parts):
    """The app is known and may charge for usage; then its plans are published."""
    await tenant.apply(document())
    await tenant.call("RequestUsagePlan", product_key="texts")
    await tenant.call("ApproveUsagePlan", product_key="texts")
    if plans:
        await tenant.apply(document(plans, **parts))


async def refused(tenant, plans, **parts):
    """The field that a document is refused for."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await tenant.apply(document(plans, **parts))
    assert error.value.code() is INVALID
    return error.value.details().partition("field=")[2].partition(",")[0]


async def listing(tenant, **asked):
    return (await tenant.call("GetListing", product_key="texts", **asked)).listing


async def test_wx_02_charges_for_usage_are_mandatory_and_a_base_fee_is_not(tenant):
    await approved(tenant)
    assert await refused(tenant, {"metered": plan(TEN)}) == "plans.metered.prices"
    assert await refused(tenant, {"metered": plan(TEN, PER_SMS, charges=[])}) == "plans.metered.charges"
    yearly = {"recurring": {"amount": "10.00", "every": "year"}}
    assert await refused(tenant, {"metered": plan(yearly, PER_SMS)}) == "plans.metered.prices[0].recurring.every"
    assert not (await tenant.call("ListPlans")).plans
    await tenant.apply(document({"metered": plan(PER_SMS)}))
    await tenant.apply(document({"metered": plan(TEN, PER_SMS) | {"version": 2}}))
    newest = (await tenant.call("GetPlan", plan_key="metered")).plan
    assert [price.WhichOneof("charge") for price in newest.plan.prices] == ["recurring", "usage"]


async def test_wx_03_a_usage_plan_is_published_once_it_was_asked_for_and_approved(tenant):
    await tenant.apply(document())
    usage = document({"metered": plan(PER_SMS)})
    not_approved = (PRECONDITION, "USAGE_PLAN_NOT_APPROVED")
    assert (await listing(tenant)).approval == USAGE_APPROVAL_NONE
    assert await failure(tenant.call("ApproveUsagePlan", product_key="texts")) == not_approved
    assert await failure(tenant.apply(usage)) == not_approved
    asked = await tenant.call("RequestUsagePlan", product_key="texts")
    assert asked.approval == USAGE_APPROVAL_REQUESTED
    assert await failure(tenant.apply(usage)) == not_approved
    await tenant.apply(document())  # what a document says of the app takes nothing back
    assert (await tenant.call("ApproveUsagePlan", product_key="texts")).approval == USAGE_APPROVAL_APPROVED
    await tenant.apply(usage)
    assert (await listing(tenant)).plans[0].usage_based
    assert (await tenant.call("RequestUsagePlan", product_key="texts")).approval == USAGE_APPROVAL_APPROVED


async def test_wx_03_billings_key_asks_and_does_not_approve(tenant):
    await tenant.apply(document())
    key = (await tenant.call("CreateApiKey", name="app", scopes=["SCOPE_BILLING"])).key
    app = type(tenant)(tenant.channel, key)
    await app.call("RequestUsagePlan", product_key="texts")
    refusal = await failure(app.call("ApproveUsagePlan", product_key="texts"))
    assert refusal == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")


async def test_wx_04_an_app_has_one_usage_plan_and_no_other(tenant):
    await approved(tenant, {"metered": plan(PER_SMS)})
    assert await refused(tenant, {"second": plan(PER_SMS)}) == "plans.second.product"
    flat = plan(TEN, usage_based=False, charges=[])
    assert await refused(tenant, {"flat": flat}) == "plans.flat.product"
    both = {"one": plan(PER_SMS, product="other"), "two": plan(PER_SMS, product="other")}
    assert (await refused(tenant, both, products={"other": APP})).endswith(".product")
    await tenant.apply(document({"metered": plan(PER_SMS) | {"version": 2}}))  # its next version is no second plan


async def test_wx_04_no_usage_plan_comes_to_an_app_that_has_another_plan(tenant):
    await approved(tenant, {"flat": plan(TEN, usage_based=False, charges=[])})
    assert await refused(tenant, {"metered": plan(PER_SMS)}) == "plans.metered.product"
    flat = plan(TEN, usage_based=False, charges=[], archived=True)
    await tenant.apply(document({"flat": flat}))
    await tenant.apply(document({"metered": plan(PER_SMS)}))
    assert [one.plan_key for one in (await listing(tenant)).plans] == ["metered"]


async def test_wx_05_a_usage_plan_is_of_a_freemium_or_premium_app(tenant):
    await approved(tenant)
    without = {"texts": {key: value for key, value in APP.items() if key != "business_model"}}
    wanted = {"metered": plan(PER_SMS)}
    assert await refused(tenant, wanted, products=without) == "products.texts.business_model"
    for word, known in (("premium", BUSINESS_MODEL_PREMIUM), ("freemium", BUSINESS_MODEL_FREEMIUM)):
        await tenant.apply(document(wanted, products={"texts": {**APP, "business_model": word}}))
        assert (await listing(tenant)).business_model == known


async def test_wx_07_without_a_base_fee_it_is_free_to_install(tenant):
    await approved(tenant, {"metered": plan(PER_SMS)})
    assert [one.headline for one in (await listing(tenant)).plans] == ["Free to install"]
    nothing = {"recurring": {"amount": "0"}}
    await tenant.apply(document({"metered": plan(nothing, PER_SMS) | {"version": 2}}))
    assert [one.headline for one in (await listing(tenant)).plans] == ["Free to install"]
    await tenant.apply(document({"metered": plan(TEN, PER_SMS) | {"version": 3}}))
    assert [one.headline for one in (await listing(tenant)).plans] == ["$10.00 every month"]


async def test_wx_10_what_is_charged_is_kept_and_shown_with_its_unit_and_trigger(tenant):
    await approved(tenant, {"metered": plan(PER_SMS)})
    kept = (await tenant.call("GetPlan", plan_key="metered")).plan.plan.charges
    assert [(rule.text, rule.unit, rule.trigger) for rule in kept] == [
        ("{0.5} per SMS", "SMS", "each SMS that is sent"),
    ]
    shown = (await listing(tenant)).plans[0].charges
    assert [(rule.text, rule.unit, rule.trigger) for rule in shown] == [
        ("$0.5 per SMS", "SMS", "each SMS that is sent"),
    ]


async def test_wx_12_prices_in_braces_are_shown_in_the_currency_that_is_asked_for(tenant):
    """0.5 x 0.92 = 0.46, 0.25 x 0.92 = 0.23, 3 x 0.92 = 2.76; 0.5 x 151.2 = 75.6: no digit is added or lost."""
    texts = ["{0.5} per SMS", "0.5 credits: {0.25} for one, {3} for a dozen", "additional charges may apply", "{0.50}"]
    rates = {"EUR": {"rate": "0.92"}, "JPY": {"rate": "151.2"}, "CHF": {"rate": "0.9"}}
    charges = [{"text": text} for text in texts]
    await approved(tenant, {"metered": plan(TEN, PER_SMS, charges=charges)}, exchange_rates=rates)

    async def shown(**asked):
        return [rule.text for rule in (await listing(tenant, **asked)).plans[0].charges]

    own = ["$0.5 per SMS", "0.5 credits: $0.25 for one, $3 for a dozen", "additional charges may apply", "$0.50"]
    assert await shown() == own
    assert await shown(currency="USD") == own
    assert await shown(currency="EUR") == [
        "€0.46 per SMS",
        "0.5 credits: €0.23 for one, €2.76 for a dozen",
        "additional charges may apply",
        "€0.46",
    ]
    assert (await shown(currency="JPY"))[0] == "¥75.6 per SMS"
    assert (await shown(currency="CHF"))[0] == "CHF 0.45 per SMS"
    assert [one.headline for one in (await listing(tenant, currency="EUR")).plans] == ["€9.20 every month"]
    unknown = await failure(tenant.call("GetListing", product_key="texts", currency="GBP"))
    assert unknown == (INVALID, "INVALID_FIELD")
    for broken in ("{0,5} per SMS", "{} per SMS", "0.5} per SMS", "{0.5 per SMS", "{{0.5}} per SMS"):
        wrong = {"metered": plan(TEN, PER_SMS, charges=[{"text": broken}]) | {"version": 2}}
        assert await refused(tenant, wrong) == "plans.metered.charges[0].text"


async def test_wx_14_a_preview_is_what_the_listing_will_be_and_changes_nothing(tenant):
    await approved(tenant, {"metered": plan(PER_SMS)}, exchange_rates={"EUR": {"rate": "0.92"}})
    before, published = await listing(tenant), await tenant.call("GetCatalog")
    wanted = deepcopy(document({"metered": plan(TEN, PER_SMS, name="Texts, more of them") | {"version": 2}}))
    wanted["plans"]["metered"]["charges"] = [{"text": "{0.75} per SMS"}, {"text": "{0.1} per MMS", "unit": "MMS"}]
    wanted["exchange_rates"] = {"EUR": {"rate": "0.9"}}
    wanted["products"]["texts"] = {**APP, "name": "More texts"}
    previews = [await listing(tenant, catalog=catalog_message(wanted), currency=code) for code in ("", "USD", "EUR")]
    assert [one.plans[0].charges[0].text for one in previews] == ["$0.75 per SMS"] * 2 + ["€0.675 per SMS"]
    assert await listing(tenant) == before
    assert await tenant.call("GetCatalog") == published
    await tenant.apply(wanted)
    assert [await listing(tenant, currency=code) for code in ("", "USD", "EUR")] == previews


async def test_wx_19_an_app_shows_its_prices_itself_for_monthly_cycles(tenant):
    await approved(tenant, {"metered": plan(PER_SMS)})
    page = await tenant.call("GetPricingPage", product_key="texts", billing_cycle=BILLING_CYCLE_MONTHLY)
    url = "https://texts.example.com/pricing?product=texts&billing_cycle=MONTHLY"
    assert (page.url, page.billing_cycle) == (url, BILLING_CYCLE_MONTHLY)
    assert (await tenant.call("GetPricingPage", product_key="texts")).url == url
    yearly = tenant.call("GetPricingPage", product_key="texts", billing_cycle=BILLING_CYCLE_YEARLY)
    assert await failure(yearly) == (INVALID, "INVALID_FIELD")
    shown = await listing(tenant)
    assert (shown.own_pricing, shown.pricing_url) == (True, "https://texts.example.com/pricing")


async def test_wx_19_the_platforms_own_page_is_for_plans_without_usage(tenant):
    await approved(tenant, {"flat": plan(TEN, usage_based=False, charges=[])})
    assert not (await listing(tenant)).own_pricing
    yearly = await tenant.call("GetPricingPage", product_key="texts", billing_cycle=BILLING_CYCLE_YEARLY)
    assert yearly.url.endswith("&billing_cycle=YEARLY")


async def test_wx_19_the_address_is_one_of_https(tenant):
    for wrong in (
        "http://texts.example.com",
        "https://",
        "texts.example.com",
        "https://a:b@texts.example.com",
        "https://x/?q",
    ):
        asked = {"products": {"texts": {**APP, "pricing_url": wrong}}}
        assert await refused(tenant, None, **asked) == "products.texts.pricing_url"


async def test_wx_21_the_base_fee_is_billed_at_checkout_with_the_terms_that_were_accepted(tenant):
    """$10.00 at once, and 37 x $0.50 = $18.50 with the end of the month, beside the next month's $10.00."""
    await tenant.call("SetTestClock", time=at("2031-04-01"), standing=True)
    await approved(tenant, {"metered": plan(TEN, PER_SMS)})
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.call(
        "CreateOrder", account_id="acme", order_id="o1", items=[{"subscription": {"plan_key": "metered"}}]
    )
    assert await failure(tenant.call("CompleteOrder", order_id="o1")) == (INVALID, "INVALID_FIELD")
    assert not await invoices(tenant)
    await tenant.advance(60)
    done = await tenant.call("CompleteOrder", order_id="o1", terms_version="2031-03")
    assert [[dollars(line.amount) for line in one.lines] for one in done.invoices] == [[10.00]]
    kept = (await tenant.call("GetOrder", order_id="o1")).order
    assert (kept.state, kept.terms_version) == (ORDER_STATE_COMPLETED, "2031-03")
    assert kept.complete_time == at("2031-04-01 00:01:00")
    assert kept.actor_key_id
    await tenant.consume("acme", "sms", 37)
    await tenant.call("SetTestClock", time=at("2031-05-01 00:01:00"))
    await run(tenant)
    second = (await invoices(tenant, account_id="acme"))[1]
    assert sorted(amount for _, amount in await lines(tenant, second)) == [10.00, 18.50]


async def test_wx_28_a_usage_plan_has_no_downgrade(tenant):
    flat = plan({"recurring": {"amount": "5.00"}}, product="", usage_based=False, charges=[])
    more = plan({"recurring": {"amount": "90.00"}}, product="", usage_based=False, charges=[])
    metered = plan(TEN, PER_SMS, upgrades_to=["more"])
    await approved(tenant, {"metered": metered, "flat": flat, "more": more})
    await tenant.call("UpsertAccount", account_id="acme", plan_key="metered")
    before = (await tenant.call("GetSubscription", account_id="acme")).subscription
    for when in ("CHANGE_WHEN_UNSPECIFIED", "CHANGE_WHEN_NOW", "CHANGE_WHEN_PERIOD_END"):
        down = tenant.call("ChangePlan", account_id="acme", plan_key="flat", when=when)
        assert await failure(down) == (PRECONDITION, "USAGE_PLAN_KEPT")
    preview = tenant.call("PreviewChange", change_plan={"account_id": "acme", "plan_key": "flat"})
    assert await failure(preview) == (PRECONDITION, "USAGE_PLAN_KEPT")
    assert (await tenant.call("GetSubscription", account_id="acme")).subscription == before
    up = await tenant.call("ChangePlan", account_id="acme", plan_key="more")
    assert up.subscription.plan_key == "more"


async def test_wx_29_a_recurring_plan_and_a_usage_plan_are_not_mixed_in_one_app(tenant):
    await approved(tenant)
    both = {"metered": plan(PER_SMS), "flat": plan(TEN, usage_based=False, charges=[])}
    assert (await refused(tenant, both)).endswith(".product")
    assert not (await tenant.call("ListPlans")).plans
    both["flat"]["product"] = "mails"
    mails = {"name": "Mails", "business_model": "premium"}
    await tenant.apply(document(both, products={"texts": APP, "mails": mails}))  # another app's is no matter
    assert len((await tenant.call("ListPlans")).plans) == 2
