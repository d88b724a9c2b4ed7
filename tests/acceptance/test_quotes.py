"""Quotes and comparisons of plans: what is said before anybody buys is what the invoices say afterwards. By hand."""

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from invoicing import DAY, catalog, dollars, invoices, month_ahead, run, seat, thirty_days

ACME = {"account_id": "acme"}
PRICES = [
    {"recurring": {"amount": "20.00"}},
    {"key": "users", "recurring": {"amount": "15.00", "quantity": {"users": True}, "label": "Users"}},
    {"key": "seats", "recurring": {"amount": "5.00", "quantity": {"seats": "seats"}, "label": "Seats"}},
    {"setup": {"amount": "10.00", "label": "Set-up"}},
    {"usage": {"feature_key": "calls", "unit_amount": "0.50"}},
    {"usage": {"feature_key": "sales", "model": "percentage", "of": {"dimension": "amount"}, "rate": "1"}},
]
PACK = {"version": 1, "name": "Pack", "offered_on": ["pro"], "prices": [{"recurring": {"amount": "12.00"}}]}
EXPECTED = [
    {"feature_key": "calls", "quantity": 4, "events": 30},
    {"feature_key": "sales", "quantity": 1, "events": 2, "dimensions": {"amount": "150.00"}},
]


def document(**plan):
    found = catalog(*PRICES, add_ons={"pack": PACK})
    found["features"]["sales"] = {"kind": "metered", "dimensions": ["amount"]}
    entitlements = {"calls": {"limit": 100, "overage": "allow"}, "sales": {"unlimited": True}, "seats": {"limit": 9}}
    found["plans"]["pro"] |= {"entitlements": entitlements, **plan}
    return found


def shown(documents):
    return [(line.text, dollars(line.amount)) for each in documents for line in each.lines]


async def issued(tenant):
    return [(await tenant.call("GetInvoice", invoice_id=each.invoice_id)).invoice for each in await invoices(tenant)]


@pytest.mark.parametrize("trial", [0, 14])
async def test_ar_26_the_invoices_that_follow_equal_the_quote(tenant, trial):
    """20.00, three users at 15.00, two packs at 12.00, once 10.00; then 20 calls beyond 100, and 1 % of 300.00.

    Two seats at 5.00 are assigned while a trial lasts; without one the opening may be issued before that.
    """
    await thirty_days(tenant)
    await tenant.apply(document(**({"trial": {"days": trial}} if trial else {})))
    await tenant.call("SetTestClock", standing=True)
    add_ons = [{"add_on_key": "pack", "quantity": 2}]
    asked = {
        "plan_key": "pro",
        "add_ons": add_ons,
        "users": 3,
        "seats": {"seats": 2 if trial else 0},
        "usage": EXPECTED,
    }
    quote = await tenant.call("Quote", **asked)
    seats = [("Seats (2 @ $5.00)", 10.00)] if trial else []
    advance = [("Pack (2 @ $12.00)", 24.00), ("Pro", 20.00), *seats, ("Users (3 @ $15.00)", 45.00)]
    assert sorted(shown(quote.opening)) == sorted([*advance, ("Set-up", 10.00)])
    assert sorted(shown(quote.following)) == sorted([*advance, ("calls", 10.00), ("sales", 3.00)])
    more = 10.00 if trial else 0.00
    assert [dollars(each.total) for each in (*quote.opening, *quote.following)] == [99.00 + more, 102.00 + more]

    await tenant.call("UpsertAccount", **ACME)
    await tenant.call("AddUsers", **ACME, user_ids=["a", "b", "c"])
    again = await tenant.call("Quote", **ACME, **asked)
    assert (shown(again.opening), shown(again.following)) == (shown(quote.opening), shown(quote.following))
    created = await tenant.call("CreateSubscription", **ACME, plan_key="pro", add_ons=add_ons)
    held, seen = created.subscription, {"min_view_version": created.view_version}
    if trial:
        await seat(tenant, "a", "b")
    assert quote.start_time == (held.trial_end_time if trial else held.start_time)
    await tenant.advance(trial * DAY)
    for _ in range(30):
        await tenant.consume("acme", "calls", 4, **seen)
    for _ in range(2):
        await tenant.consume("acme", "sales", 1, dimensions={"amount": "150.00"})
    await tenant.advance(31 * DAY)
    await run(tenant)
    opening, following = await issued(tenant)
    assert (shown([opening]), shown([following])) == (shown(quote.opening), shown(quote.following))
    assert (opening.total, following.total) == (quote.opening[0].total, quote.following[0].total)
    assert (opening.start_time, opening.end_time) == (quote.opening[0].start_time, quote.opening[0].end_time)
    assert (following.start_time, following.end_time) == (quote.following[0].start_time, quote.following[0].end_time)


async def test_ar_26_a_quote_has_the_tax_of_where_the_buyer_is(tenant):
    """10.01 at 19 % in Germany, nothing beyond the Union; an account's own profile says where it is."""
    await thirty_days(tenant)
    await tenant.call("SetBillingProfile", party={"name": "Tally GmbH", "address": {"country": "DE"}})
    await tenant.apply(catalog({"recurring": {"amount": "10.01"}}, billing={"tax": {}}))
    await tenant.call("UpsertAccount", **ACME)
    await tenant.call("SetBillingProfile", **ACME, party={"name": "Acme", "address": {"country": "US"}})
    asked = [{}, {"country": "DE"}, {"country": "US"}, ACME, {**ACME, "country": "DE"}]
    quotes = [(await tenant.call("Quote", plan_key="pro", **each)).opening[0] for each in asked]
    assert [dollars(each.tax) for each in quotes] == [1.90, 1.90, 0.00, 0.00, 1.90]
    assert [dollars(each.total) for each in quotes] == [11.91, 11.91, 10.01, 10.01, 11.91]


async def test_the_same_usage_is_compared_under_every_plan(tenant):
    """April with 120 calls: 20.00 and 20 at 0.50; 30.00 and 120 at 0.10; 5.00, but it grants only 50 calls."""
    start = await thirty_days(tenant, standing=True)
    found = document()
    found["plans"]["pro"]["prices"] = [PRICES[0], PRICES[4]]
    calls = {"feature_key": "calls", "unit_amount": "0.10", "units": "all"}
    pro = found["plans"]["pro"]["entitlements"]
    found["plans"]["big"] = {
        "version": 1,
        "name": "Big",
        "entitlements": {**pro, "calls": {"unlimited": True}},
        "prices": [{"recurring": {"amount": "30.00"}}, {"usage": calls}],
    }
    found["plans"]["tiny"] = {
        "version": 1,
        "entitlements": {"calls": {"limit": 50}},
        "prices": [{"recurring": {"amount": "5.00"}}],
    }
    await tenant.apply(found)
    await tenant.call("UpsertAccount", **ACME, plan_key="pro")
    await tenant.consume("acme", "calls", 70)
    await tenant.advance(10 * DAY)
    await tenant.consume("acme", "calls", 50)
    await tenant.advance(21 * DAY)
    await run(tenant)
    compared = await tenant.call("ComparePlans", **ACME)
    assert (compared.start_time.seconds, compared.end_time.seconds) == (start.seconds, start.seconds + 30 * DAY)
    totals = {
        each.plan_key: (
            [dollars(one.total) for one in each.invoices],
            each.current,
            list(each.exceeded_features),
        )
        for each in compared.plans
    }
    assert totals == {
        "big": ([42.00], False, []),
        "pro": ([30.00], True, []),
        "tiny": ([5.00], False, ["calls"]),
    }
    first = {"start_time": start, "end_time": Timestamp(seconds=start.seconds + 3 * DAY)}
    (big, own, _) = (await tenant.call("ComparePlans", **ACME, **first)).plans
    assert (shown(big.invoices), shown(own.invoices)) == ([("Big", 3.00), ("calls", 7.00)], [("Pro", 2.00)])
    with pytest.raises(grpc.aio.AioRpcError, match="field=start_time"):
        await tenant.call("ComparePlans", **ACME, start_time=first["end_time"], end_time=start)


YEAR = {"type": "percentage", "value": "20", "length": 12}


async def after_trial(tenant, **trial):
    """Pro at 20.00 with a trial; free costs 3.00 a month."""
    await month_ahead(tenant)
    document = catalog({"recurring": {"amount": "20.00"}}, trial={"days": 14, **trial}, advance_discounts=[YEAR])
    free = {"version": 4, "name": "Free", "prices": [{"recurring": {"amount": "3.00"}}]}
    document["plans"]["free"] = {"entitlements": document["plans"]["pro"]["entitlements"], **free}
    await tenant.apply(document)
    await tenant.call("SetTestClock", standing=True)
    await tenant.call("UpsertAccount", **ACME)


@pytest.mark.parametrize(
    ("trial", "asked", "plan", "lines"),
    [
        ({"ends_in": "free"}, {}, ("free", 4), [("Free", 3.00)]),
        ({"ends_in": "free", "on_end": "convert"}, {}, ("pro", 1), [("Pro", 20.00)]),
        ({"ends_in": "free", "on_end": "convert"}, {"payment_method": False}, ("free", 4), [("Free", 3.00)]),
        ({"ends_in": "free", "on_end": "convert"}, ACME, ("free", 4), [("Free", 3.00)]),
        ({"ends_in": "free", "on_end": "convert"}, {**ACME, "payment_method": True}, ("pro", 1), [("Pro", 20.00)]),
        ({"ends_in": "free"}, {"trial_days": 0}, ("pro", 1), [("Pro", 20.00)]),
        ({"on_end": "notify"}, {}, ("", 0), []),
        ({}, {}, ("pro", 1), [("Pro", 20.00)]),
    ],
)
async def test_a_quote_names_the_plan_that_is_charged_when_its_trial_ends(tenant, trial, asked, plan, lines):
    await after_trial(tenant, **trial)
    now = await tenant.now()
    found = await tenant.call("Quote", plan_key="pro", **asked)
    assert (found.plan_key, found.plan_version) == plan
    assert shown(found.opening) == lines
    assert found.HasField("trial_end_time") == ("trial_days" not in asked)
    if found.HasField("trial_end_time"):
        assert found.trial_end_time.seconds - int(now) == 14 * DAY
        assert found.start_time == found.trial_end_time


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        (
            {"ends_in": "free"},
            "0: plan free, which follows the trial of pro, is paid by its period; with trial_days 0 one of 12",
        ),
        (
            {"ends_in": "free", "on_end": "convert"},
            (
                "0: plan free, which follows the trial of pro, is paid by its period; "
                "with trial_days 0, or a payment method, one of 12"
            ),
        ),
        ({"on_end": "notify"}, "0: it ends before anything is charged; with trial_days 0 one of 12"),
        ({}, "0 or one of 12"),
    ],
)
async def test_periods_at_once_are_refused_with_the_reason_that_is_so(tenant, trial, expected):
    await after_trial(tenant, **trial)
    for method in ("Quote", "CreateSubscription"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await tenant.call(method, **ACME, plan_key="pro", advance_length=7)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert f"expected={expected}, got=7" in refused.value.details()
