"""AR-26: what a quote says of coupons and periods paid at once is what the invoices say afterwards. By hand."""

import random

import grpc
import pytest

from invoicing import at, catalog, dollars, invoices, run
from tallygate_api.v1.invoice_pb2 import Money
from tenants import failure

ACME = {"account_id": "acme"}
PRO = {"recurring": {"amount": "29.00"}}
YEAR = {"type": "percentage", "value": "20", "length": 12}
HALF_YEAR = {"type": "period", "value": "1", "length": 6, "rounding": "none"}
PACK = {"pack": {"version": 1, "name": "Pack", "offered_on": ["pro"], "prices": [{"recurring": {"amount": "12.00"}}]}}


async def shop(tenant, *prices, **plan):
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    await tenant.apply(catalog(*(prices or (PRO,)), **plan))
    await tenant.call("UpsertAccount", **ACME)


async def coupon(tenant, code, **fields):
    await tenant.call("CreateCoupon", coupon={"code": code, **fields})


def taken(line):
    return [(each.code, dollars(each.amount)) for each in line.discounts]


def told(documents):
    return [
        (
            [
                (line.text, dollars(line.amount), [(d.code, dollars(d.amount)) for d in line.discounts])
                for line in each.lines
            ],
            dollars(each.subtotal),
            dollars(each.tax),
            dollars(each.total),
        )
        for each in documents
    ]


async def issued(tenant, account="acme"):
    await run(tenant)
    found = await invoices(tenant, account_id=account)
    return told([(await tenant.call("GetInvoice", invoice_id=each.invoice_id)).invoice for each in found])


async def test_ar_26_a_quote_with_a_coupon_and_a_year_at_once_is_the_later_invoice(tenant):
    """29.00 x 12 less 20 % is 278.40, whole 278.00; less 25.00 it is 253.00; and 10.00 once a half: 5.00 of them.

    The coupon of 25.00 is over both lines by largest remainder: 24.13 of 278.00 and 0.87 of 10.00.
    """
    await shop(tenant, PRO, {"setup": {"amount": "10.00", "label": "Set-up"}}, advance_discounts=[YEAR])
    await coupon(tenant, "off25", amount_off=Money(units=25))
    asked = {"plan_key": "pro", "coupon_codes": ["OFF25"], "advance_length": 12}
    quote = await tenant.call("Quote", **ACME, **asked)
    lines = [
        ("Pro (12 months, 20% off)", 253.87, [("OFF25", 24.13)]),
        ("Set-up", 9.13, [("OFF25", 0.87)]),
    ]
    assert told(quote.opening) == [(lines, 263.00, 0.0, 263.00)]
    anybody = await tenant.call("Quote", **asked)
    assert told(anybody.opening) == told(quote.opening)
    (only,) = (await tenant.call("ListCoupons")).coupons
    assert only.used == 0  # a quote reserves nothing
    await tenant.call("CreateSubscription", **ACME, **asked)
    assert await issued(tenant) == told(quote.opening)


async def test_dj_21_27_to_30_the_options_of_a_quote_are_those_of_the_pricing_page(tenant):
    """Six months less one at 29.00: 145.00, as it is; twelve less 20 % and the cents."""
    await shop(tenant, PRO, advance_discounts=[YEAR, HALF_YEAR])
    quote = await tenant.call("Quote", plan_key="pro")
    shown = [(one.length, dollars(one.amount), dollars(one.full_amount)) for one in quote.options]
    assert shown == [(1, 29.00, 29.00), (6, 145.00, 174.00), (12, 278.00, 348.00)]
    assert quote.options == (await tenant.call("ListPaymentOptions", plan_key="pro")).options
    await coupon(tenant, "free", percent_off="100")
    free = await tenant.call("Quote", plan_key="pro", coupon_codes=["free"])
    assert [one.length for one in free.options] == [1]  # DJ-25: never completely free
    assert not free.HasField("suggestion")


async def test_the_best_of_what_was_named_is_suggested_and_explained(tenant):
    """A year at 278.00: half of it less 5.00 is 134.00, 11.17 a month; 5.00 first would leave 136.50, 11.38 a month.

    By the month 29.00: half less 5.00 is 9.50; 5.00 first 12.00. So a month costs least of all here.
    """
    await shop(tenant, PRO, advance_discounts=[YEAR])
    await coupon(tenant, "five", amount_off=Money(units=5))
    await coupon(tenant, "half", percent_off="50")
    named = ["five", "half"]
    found = (await tenant.call("Quote", plan_key="pro", coupon_codes=named)).suggestion
    assert (found.advance_length, list(found.coupon_codes), dollars(found.total)) == (0, ["HALF", "FIVE"], 9.50)
    assert list(found.explanation) == [
        "by the period with HALF, then FIVE: $9.50",
        "12 periods at once with HALF, then FIVE: $134.00, $11.17 for each",
        "12 periods at once with FIVE, then HALF: $136.50, $11.38 for each",
        "by the period with FIVE, then HALF: $12.00",
    ]
    plain = (await tenant.call("Quote", plan_key="pro")).suggestion
    assert (plain.advance_length, dollars(plain.total)) == (12, 278.00)
    taken = {"coupon_codes": found.coupon_codes, "advance_length": found.advance_length}
    await tenant.call("CreateSubscription", **ACME, plan_key="pro", **taken)
    assert [total for *_, total in await issued(tenant)] == [9.50]


async def test_what_cannot_be_redeemed_or_paid_so_is_refused_as_when_it_is_bought(tenant):
    await shop(tenant, PRO, advance_discounts=[YEAR])
    await coupon(tenant, "short", percent_off="10", end_time=at("2024-03-02"))
    await tenant.advance_to(at("2024-03-02"))
    expired = await failure(tenant.call("Quote", plan_key="pro", coupon_codes=["short"]))
    assert expired == (grpc.StatusCode.FAILED_PRECONDITION, "COUPON_EXPIRED")
    invalid = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert await failure(tenant.call("Quote", plan_key="pro", advance_length=5)) == invalid
    assert await failure(tenant.call("Quote", plan_key="pro", coupon_codes=["a", "A"])) == invalid


@pytest.mark.parametrize("seed", range(4))
async def test_ar_26_random_quotes_are_the_later_invoices(tenant, seed):
    """Whatever is bought: plan, anchor, trial, add-ons, codes in any order, a length, tax, users, and what is used."""
    chance = random.Random(seed)
    several = seed % 2 == 1
    users = {"key": "users", "recurring": {"amount": "3.33", "quantity": {"users": True}}}
    calls = {"usage": {"feature_key": "calls", "unit_amount": "0.0333", "free_quota": "10"}}
    prices = [PRO, {"setup": {"amount": "10.01"}}, calls, *([users] if several else [])]
    parts = {"add_ons": PACK, "billing": {"tax": {}} if seed >= 2 else {}}
    parts |= {"trial": {"days": chance.randint(1, 20)}} if chance.random() < 0.5 else {}
    if several:
        parts["billing_rule"] = {"every": "month", "anchor": "calendar", "day": chance.randint(1, 28)}
    else:
        parts["advance_discounts"] = [YEAR, HALF_YEAR]
    await tenant.call("SetBillingProfile", party={"name": "Tally", "address": {"country": "DE"}})
    await shop(tenant, *prices, **parts)
    await coupon(tenant, "third", percent_off="33.3", invoices=chance.randint(1, 3), end_time=at("2025-03-01"))
    await coupon(tenant, "cents", amount_off=Money(units=7, nanos=770_000_000), end_time=at("2025-03-01"))
    for number in range(4):
        account = {"account_id": f"a{number}"}
        await tenant.call("UpsertAccount", **account)
        codes = chance.sample(["third", "cents"], chance.randint(0, 2))
        asked = {
            "plan_key": "pro",
            "coupon_codes": codes,
            "advance_length": 0 if several else chance.choice([0, 6, 12]),
            "add_ons": [{"add_on_key": "pack", "quantity": chance.randint(1, 4)}] if chance.random() < 0.5 else [],
            "users": chance.randint(0, 5) if several else 0,
        }
        used, events = chance.randint(1, 99), chance.randint(1, 3)
        usage = [{"feature_key": "calls", "quantity": used, "events": events}]
        quote = await tenant.call("Quote", **account, **asked, usage=usage)
        made = await tenant.call("CreateSubscription", **account, **asked)
        await tenant.advance_to(quote.start_time)
        assert await issued(tenant, account["account_id"]) == told(quote.opening)
        for _ in range(events):
            await tenant.consume(account["account_id"], "calls", used, min_view_version=made.view_version)
        await tenant.advance_to(quote.cut_time)
        assert (await issued(tenant, account["account_id"]))[1:] == told(quote.following)
