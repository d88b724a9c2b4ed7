"""Rows about what is charged when, at the dates and to the cent that they name. Figures by hand."""

from datetime import UTC, datetime

import pytest

from invoicing import DAY, at, catalog, dollars, invoices, lines, run, seat
from tallygate_api.v1.invoice_pb2 import INVOICE_KIND_OPENING
from tenants import reason_name

UNLIMITED = {"unlimited": True}


async def begins(tenant, text):
    """The tenant's clock shows this, and stands."""
    await tenant.call("SetTestClock", time=at(text), standing=True)


async def goes_to(tenant, text):
    await tenant.call("SetTestClock", time=at(text))
    await run(tenant)


def day(stamp):
    return datetime.fromtimestamp(stamp.seconds, UTC).strftime("%Y-%m-%d")


async def issued(tenant, account="acme"):
    """The day of issue and the lines of an account's documents."""
    found = await invoices(tenant, account_id=account, page_size=100)
    return [(day(one.issue_time), await lines(tenant, one)) for one in found]


async def used(tenant, prices, uses, features=None):
    """What each account's usage of one month comes to; `uses` are feature, quantity and dimensions by account."""
    await begins(tenant, "2031-04-01T00:00:00")
    metered = {key: {"kind": "metered"} for _, key, *_ in uses} | (features or {})
    await tenant.apply(catalog(*prices, features=metered, entitlements=dict.fromkeys(metered, UNLIMITED)))
    for account in dict.fromkeys(account for account, *_ in uses):
        await tenant.call("UpsertAccount", account_id=account, plan_key="pro")
    for account, feature, quantity, *more in uses:
        await tenant.consume(account, feature, quantity, **(more[0] if more else {}))
    await goes_to(tenant, "2031-05-01T00:00:00")
    found = {}
    for one in await invoices(tenant):
        if one.kind != INVOICE_KIND_OPENING:
            found[one.account_id] = dict(await lines(tenant, one))
    return found


async def test_bk_13_seats_that_come_and_go_within_a_month(tenant):
    """10 at $15; 2 more on 15 of 30 days: +15.00; 3 fewer with 10 days left: -15.00; then 9 x 15."""
    await begins(tenant, "2031-04-01T00:00:00")
    each = {"recurring": {"amount": "15.00", "quantity": {"seats": "seats"}, "label": "Monthly user fees"}}
    await tenant.apply(catalog(each))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await seat(tenant, *(f"u{number}" for number in range(10)))
    await tenant.advance(15 * DAY)
    await seat(tenant, "u10", "u11")
    await tenant.advance(5 * DAY)
    await seat(tenant, "u0", "u1", "u2", assign=False)
    await goes_to(tenant, "2031-05-01T00:00:00")
    charged = [amount for _, document in await issued(tenant) for _, amount in document]
    assert charged[-3:] == [15.00, -15.00, 135.00]
    assert sum(charged[:-3]) == 150.00  # of one line, or of more where a worker invoices while they take their seats


async def test_bk_21_thirty_days_from_the_accounts_creation(tenant):
    """Created on 1 January, subscribed on the 21st: 10 of 30 days, then whole ones from 31 January."""
    await begins(tenant, "2031-01-01T00:00:00")
    every = {"every": "day", "count": 30}
    price = {"recurring": {"amount": "30.00", **every}}
    document = catalog(price)
    document["plans"]["pro"] |= {"billing": {**every, "anchor": "account"}}
    await tenant.apply(document)
    await tenant.call("UpsertAccount", account_id="acme")
    await goes_to(tenant, "2031-01-21T00:00:00")
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    await goes_to(tenant, "2031-03-05T00:00:00")
    assert await issued(tenant) == [
        ("2031-01-21", [("Pro", 10.00)]),
        ("2031-01-31", [("Pro", 30.00)]),
        ("2031-03-02", [("Pro", 30.00)]),
    ]


async def test_ar_01_monthly_and_yearly_plans_renew_on_their_dates(tenant):
    """$29 a month, $290 a year from 29 February: renewed on the 28th where there is no 29th."""
    await begins(tenant, "2028-02-29T00:00:00")
    document = catalog({"recurring": {"amount": "29.00"}})
    yearly = {"name": "Year", "prices": [{"recurring": {"amount": "290.00", "every": "year"}}]}
    document["plans"]["year"] = {**document["plans"]["pro"], **yearly}
    await tenant.apply(document)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.call("UpsertAccount", account_id="globex", plan_key="year")
    await goes_to(tenant, "2032-03-01T00:00:00")
    month, year = await issued(tenant), await issued(tenant, "globex")
    assert {tuple(document) for _, document in month} == {(("Pro", 29.00),)}
    assert [when for when, _ in month[:4]] == ["2028-02-29", "2028-03-29", "2028-04-29", "2028-05-29"]
    assert [when for when, _ in month if "-02-" in when] == [
        "2028-02-29",
        "2029-02-28",
        "2030-02-28",
        "2031-02-28",
        "2032-02-29",
    ]
    assert {tuple(document) for _, document in year} == {(("Year", 290.00),)}
    assert [when for when, _ in year] == ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]


async def test_ar_02_pay_per_use(tenant):
    """10,500 calls at $0.002 are $21.00; 1.5 GB at $0.10 are $0.15."""
    prices = [
        {"usage": {"feature_key": "requests", "unit_amount": "0.002"}},
        {"usage": {"feature_key": "storage", "unit_amount": "0.10", "per_units": 1_000_000_000}},
    ]
    uses = [("acme", "requests", 10_500), ("acme", "storage", 1_500_000_000)]
    assert await used(tenant, prices, uses) == {"acme": {"requests": 21.00, "storage": 0.15}}


async def test_ar_04_impressions_and_clicks_are_income(tenant):
    """12,500 impressions at $4.00 a thousand are $50.00, 37 clicks at $0.25 are $9.25: both are income at once."""
    prices = [
        {"usage": {"feature_key": "impressions", "unit_amount": "4.00", "per_units": 1_000}},
        {"usage": {"feature_key": "clicks", "unit_amount": "0.25"}},
    ]
    uses = [("acme", "impressions", 12_500), ("acme", "clicks", 37)]
    assert await used(tenant, prices, uses) == {"acme": {"impressions": 50.00, "clicks": 9.25}}
    books = (await tenant.call("GetTrialBalance")).balances
    assert {one.ledger_account: dollars(one.balance) for one in books if dollars(one.balance)} == {
        "account:Receivable": 59.25,
        "seller:Income": -59.25,
    }


async def test_dj_06_every_two_weeks_from_a_monday(tenant):
    await begins(tenant, "2026-01-05T00:00:00")
    await tenant.apply(catalog({"recurring": {"amount": "29.00", "every": "week", "count": 2}}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await goes_to(tenant, "2026-02-02T00:00:00")
    assert [when for when, _ in await issued(tenant)] == ["2026-01-05", "2026-01-19", "2026-02-02"]


async def test_dj_07_a_quarter_keeps_its_anchor(tenant):
    await begins(tenant, "2026-01-31T00:00:00")
    await tenant.apply(catalog({"recurring": {"amount": "80.00", "every": "month", "count": 3}}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await goes_to(tenant, "2026-10-31T00:00:00")
    assert [when for when, _ in await issued(tenant)] == ["2026-01-31", "2026-04-30", "2026-07-31", "2026-10-31"]


PERIODS = {
    ("hour", 6): ["2028-02-28T06:00", "2028-02-28T12:00"],
    ("day", 10): ["2028-03-09T00:00", "2028-03-19T00:00"],
    ("week", 1): ["2028-03-06T00:00", "2028-03-13T00:00"],
    ("month", 2): ["2028-04-28T00:00", "2028-06-28T00:00"],
    ("year", 3): ["2031-02-28T00:00", "2034-02-28T00:00"],
}


async def test_dj_09_any_period_from_hours_to_years(tenant):
    await begins(tenant, "2028-02-28T00:00:00")
    document = catalog()
    for every, count in PERIODS:
        price = {"recurring": {"amount": "1.00", "every": every, "count": count}}
        document["plans"][every] = {**document["plans"]["pro"], "name": every, "prices": [price]}
    await tenant.apply(document)
    for every, _ in PERIODS:
        await tenant.call("UpsertAccount", account_id=every, plan_key=every)
    await run(tenant)
    for (every, _), (first, second) in sorted(PERIODS.items(), key=lambda one: one[1][1]):
        await goes_to(tenant, f"{second}:00")
        found = await invoices(tenant, account_id=every, page_size=100)
        whens = [datetime.fromtimestamp(one.issue_time.seconds, UTC).strftime("%Y-%m-%dT%H:%M") for one in found]
        assert (whens[:3], dollars(found[0].total)) == (["2028-02-28T00:00", first, second], 1.00)
        await tenant.call("CancelSubscription", account_id=every, when="CHANGE_WHEN_NOW")


async def test_dj_13_several_usage_charges_each_with_its_quota_and_its_maximum(tenant):
    """7 at $0.10 with 2 free are $0.50; 9 at $0.05, at most 6, are $0.30; 400 at $0.0001 are $0.04."""
    prices = [
        {"usage": {"feature_key": "scans", "unit_amount": "0.10", "free_quota": "2"}},
        {"usage": {"feature_key": "mails", "unit_amount": "0.05", "max_limit": "6"}},
        {"usage": {"feature_key": "requests", "unit_amount": "0.0001"}},
    ]
    uses = [("acme", "scans", 7), ("acme", "mails", 9), ("acme", "requests", 400)]
    assert await used(tenant, prices, uses) == {"acme": {"scans": 0.50, "mails": 0.30, "requests": 0.04}}


async def test_dj_16_past_a_maximum_that_cuts_the_service_is_denied(tenant):
    storage = {"feature_key": "storage", "unit_amount": "0.01", "free_quota": "10", "max_limit": "1010"}
    document = catalog(
        {"usage": {**storage, "limit_action": "cut"}},
        features={"storage": {"kind": "metered"}},
        entitlements={"storage": {"limit": 1010, "overage": "deny"}},
    )
    await tenant.apply(document)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    assert (await tenant.consume("acme", "storage", 1_010)).allowed
    asked = await tenant.check("acme", "storage", quantity=1)
    assert (asked.allowed, reason_name(asked)) == (False, "QUOTA_EXHAUSTED")


async def test_dj_17_without_a_maximum_there_is_none(tenant):
    """$29 with 10 GB free and $0.01 each: 1,000,010 GB are $10,029.00."""
    prices = [
        {"recurring": {"amount": "29.00", "due": "arrears"}},
        {"usage": {"feature_key": "storage", "unit_amount": "0.01", "free_quota": "10"}},
    ]
    amounts = {"a": (10, 29.00), "b": (11, 29.01), "c": (25, 29.15), "d": (1_010, 39.00), "e": (1_000_010, 10_029.00)}
    uses = [(account, "storage", gigabytes) for account, (gigabytes, _) in amounts.items()]
    found = await used(tenant, prices, uses)
    assert {account: round(sum(one.values()), 2) for account, one in found.items()} == {
        account: total for account, (_, total) in amounts.items()
    }


@pytest.mark.parametrize("base", [[], [{"recurring": {"amount": "10.00"}}]], ids=["charges only", "base fee"])
async def test_wx_09_charges_are_billed_at_the_end_of_each_monthly_cycle(tenant, base):
    await begins(tenant, "2031-04-01T00:00:00")
    await tenant.apply(catalog(*base, {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    for uses, end in ((3, "2031-05-01T00:00:00"), (5, "2031-06-01T00:00:00")):
        await tenant.consume("acme", "calls", uses)
        await goes_to(tenant, end)
    charged = [(when, amount) for when, found in await issued(tenant) for text, amount in found if text == "calls"]
    assert charged == [("2031-05-01", 1.50), ("2031-06-01", 2.50)]


async def test_wx_11_the_example_rules(tenant):
    """$0.50 an SMS; 0.75 % of $1,234.56: $9.26; $0.05 an order above 500; 1.0 % of $2,345.67: $23.46."""
    share = {"model": "percentage", "of": {"dimension": "amount"}}
    prices = [
        {"usage": {"feature_key": "sms", "unit_amount": "0.50"}},
        {"usage": {"feature_key": "revenue", "rate": "0.75", **share}},
        {"usage": {"feature_key": "orders", "unit_amount": "0.05", "free_quota": "500"}},
        {"usage": {"feature_key": "transactions", "rate": "1.0", **share}},
    ]
    features = {key: {"kind": "metered", "dimensions": ["amount"]} for key in ("revenue", "transactions")}
    uses = [
        ("none", "sms", 1),
        ("none", "orders", 500),
        ("one", "orders", 501),
        ("twelve", "orders", 512),
        ("twelve", "revenue", 1, {"dimensions": {"amount": "1234.56"}}),
        ("twelve", "transactions", 1, {"dimensions": {"amount": "2345.67"}}),
    ]
    assert await used(tenant, prices, uses, features) == {
        "none": {"sms": 0.50},
        "one": {"orders": 0.05},
        "twelve": {"orders": 0.60, "revenue": 9.26, "transactions": 23.46},
    }


async def test_a_commitment_counts_what_is_charged_of_a_revenue_and_not_the_revenue(tenant):
    """One per cent of $5,000.00 is $50.00: with the base fee of 29 it comes 71 short of 150."""
    prices = [
        {"recurring": {"amount": "29.00"}},
        {"usage": {"feature_key": "sales", "rate": "1", "model": "percentage", "of": {"dimension": "amount"}}},
        {"commitment": {"amount": "150.00", "label": "Least"}},
    ]
    features = {"sales": {"kind": "metered", "dimensions": ["amount"]}}
    uses = [("acme", "sales", 1, {"dimensions": {"amount": "5000.00"}})]
    assert await used(tenant, prices, uses, features) == {"acme": {"Pro": 29.00, "sales": 50.00, "Least": 71.00}}


async def test_wx_13_the_currency_is_dollars_where_none_is_given(tenant):
    await begins(tenant, "2031-04-01T00:00:00")
    document = catalog({"recurring": {"amount": "10.00"}})
    del document["currency"]
    await tenant.apply(document)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    (invoice,) = await invoices(tenant)
    assert (invoice.total.currency_code, invoice.total.units) == ("USD", 10)
