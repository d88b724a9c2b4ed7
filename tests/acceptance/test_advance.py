"""Rows about periods paid at once, with and without coupons. Figures by hand."""

import grpc
import pytest

from invoicing import DAY, at, catalog, dollars, invoices, lines, run
from tallygate.cli.explanations import explanation
from tallygate_api.v1.invoice_pb2 import Money
from tenants import failure

ACME = {"account_id": "acme"}
PRO = {"recurring": {"amount": "29.00"}}
YEAR = {"type": "percentage", "value": "20", "length": 12}


async def shop(tenant, *discounts, **plan):
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    await tenant.apply(catalog(PRO, advance_discounts=list(discounts or [YEAR]), **plan))
    await tenant.call("UpsertAccount", **ACME)


async def subscribe(tenant, *codes, length=12, **more):
    asked = {**ACME, "plan_key": "pro", "coupon_codes": codes, "advance_length": length, **more}
    return (await tenant.call("CreateSubscription", **asked)).subscription


async def issued(tenant):
    await run(tenant)
    return [await lines(tenant, each) for each in await invoices(tenant, **ACME)]


async def verified(tenant):
    for invoice in await invoices(tenant):
        assert not (await tenant.call("VerifyInvoice", invoice_id=invoice.invoice_id)).differences


async def test_dj_21_27_a_year_at_once_and_then_month_by_month(tenant):
    await shop(tenant)
    offered = (await tenant.call("ListPaymentOptions", plan_key="pro")).options
    assert [(one.length, dollars(one.amount)) for one in offered] == [(1, 29.00), (12, 278.00)]
    await subscribe(tenant)
    year = [("Pro (12 months, 20% off)", 278.00)]
    assert await issued(tenant) == [year]
    await tenant.advance_to(at("2025-02-28 23:59:59"))
    assert await issued(tenant) == [year]
    await tenant.advance_to(at("2025-03-01"))
    assert await issued(tenant) == [year, [("Pro", 29.00)]]
    await verified(tenant)


async def test_seats_go_on_by_the_month_beside_a_year_that_was_paid_at_once(tenant):
    """348.00 less 20 % is 278; a seat's 15.00 comes with each month."""
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    users = {"key": "users", "recurring": {"amount": "15.00", "quantity": {"seats": "seats"}, "label": "Users"}}
    await tenant.apply(catalog(PRO, users, advance_discounts=[YEAR]))
    await tenant.call("UpsertAccount", **ACME)
    await subscribe(tenant, seats={"seats": 2})
    year = [("Pro (12 months, 20% off)", 278.00), ("Users (2 @ $15.00)", 30.00)]
    assert await issued(tenant) == [year]
    await tenant.advance_to(at("2024-05-01"))
    assert await issued(tenant) == [year, [("Users (2 @ $15.00)", 30.00)], [("Users (2 @ $15.00)", 30.00)]]
    await tenant.advance_to(at("2025-03-01"))
    assert (await issued(tenant))[-1] == [("Pro", 29.00), ("Users (2 @ $15.00)", 30.00)]
    await verified(tenant)


@pytest.mark.parametrize(
    ("coupon", "total"),
    [({"amount_off": Money(units=25)}, 253.00), ({"percent_off": "50"}, 139.00)],
)
async def test_dj_02_dj_29_the_advance_discount_first_and_the_coupon_after(tenant, coupon, total):
    """278 less 25 is 253 (the other way around it would be 258.40); half of 278 is 139."""
    await shop(tenant)
    await tenant.call("CreateCoupon", coupon={"code": "C", **coupon})
    await subscribe(tenant, "C")
    assert await issued(tenant) == [[("Pro (12 months, 20% off)", total)]]
    await verified(tenant)


@pytest.mark.parametrize(
    ("discount", "total"),
    [
        pytest.param({"type": "currency", "value": "25", "length": 12}, 323.00, id="25 dollars off 348.00"),
        pytest.param({"type": "period", "value": "1", "length": 12}, 319.00, id="one month of 29.00 off 348.00"),
    ],
)
async def test_dj_28_a_years_price_is_off_by_an_amount_or_by_a_period(tenant, discount, total):
    await shop(tenant, discount)
    offered = (await tenant.call("ListPaymentOptions", plan_key="pro")).options
    assert [(one.length, dollars(one.amount)) for one in offered] == [(1, 29.00), (12, total)]
    await subscribe(tenant)
    ((_, charged),) = (await issued(tenant))[0]
    assert charged == total
    await verified(tenant)


async def test_dj_30_one_option_each_by_length_beside_the_standard_one(tenant):
    """Published with the longest first: 24 months at half are 348.00, 12 less 20 % 278.00, 3 less 10 % 78.30: 78.00."""
    half, tenth = ({"type": "percentage", "value": off, "length": count} for off, count in (("50", 24), ("10", 3)))
    await shop(tenant, half, tenth, YEAR)
    offered = (await tenant.call("ListPaymentOptions", plan_key="pro")).options
    assert [(one.length, dollars(one.amount)) for one in offered] == [
        (1, 29.00),
        (3, 78.00),
        (12, 278.00),
        (24, 348.00),
    ]


async def test_dj_25_with_a_coupon_for_all_there_is_nothing_to_pay_in_advance(tenant):
    await shop(tenant)
    await tenant.call("CreateCoupon", coupon={"code": "FREE", "percent_off": "100"})
    offered = (await tenant.call("ListPaymentOptions", plan_key="pro", coupon_code="free")).options
    assert [one.length for one in offered] == [1]
    refused = (grpc.StatusCode.FAILED_PRECONDITION, "COUPON_NOT_APPLICABLE")
    wanted = {"plan_key": "pro", "advance_length": 12}
    items = [{"subscription": wanted}]
    for method, fields in (
        ("Quote", {**wanted, "coupon_codes": ["FREE"]}),
        ("CreateOrder", {**ACME, "items": items, "coupon_codes": ["FREE"]}),
        ("CreateSubscription", {**ACME, **wanted, "coupon_codes": ["FREE"]}),
    ):
        assert await failure(tenant.call(method, **fields)) == refused, method
    await tenant.call("CreateCoupon", coupon={"code": "CALLS", "percent_off": "100", "feature_keys": ["calls"]})
    offered = (await tenant.call("ListPaymentOptions", plan_key="pro", coupon_code="calls")).options
    assert len(offered) > 1, "it is off usage alone"


async def test_a_cancelled_year_gives_back_its_rest_and_another_subscription_pays_by_the_month(tenant):
    """365 days from 1 March 2024; after 73 four fifths of 278.00 are left, 222.40."""
    await shop(tenant)
    await subscribe(tenant)
    await run(tenant)
    await tenant.advance(73 * DAY)
    await tenant.call("CancelSubscription", **ACME, when="CHANGE_WHEN_NOW")
    await subscribe(tenant, length=0)
    found = await issued(tenant)
    assert [("Credit: Pro (12 months, 20% off)", -222.40)] in found or [
        ("Credit: Pro (12 months, 20% off)", -222.40),
        ("Pro", 29.00),
    ] in found
    assert sum(amount for page in found for _, amount in page) == pytest.approx(278.00 - 222.40 + 29.00)


async def test_what_is_paid_once_ends_with_what_was_paid(tenant):
    await shop(tenant, billing_rule={"every": "month", "renewal": "one_time"})
    ends = (await subscribe(tenant)).end_time
    assert ends == at("2025-03-01")


async def test_what_is_not_offered_is_refused(tenant):
    await shop(tenant)
    refused = await failure(subscribe(tenant, length=6))
    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    missing = await failure(tenant.call("GetSubscription", **ACME))
    assert missing == (grpc.StatusCode.NOT_FOUND, "SUBSCRIPTION_NOT_FOUND")


@pytest.mark.parametrize("renewal", ["auto", "repeat"])
async def test_a_trial_that_is_moved_moves_what_is_paid_after_it(tenant, renewal):
    """A year for 278.00 from the end of the trial on, wherever that was moved to in between."""
    await shop(tenant, trial={"days": 14}, billing_rule={"every": "month", "renewal": renewal})
    await subscribe(tenant)
    for end in ("2024-03-25", "2024-03-20", "2024-03-25", "2024-04-01"):
        await tenant.call("ExtendTrial", **ACME, trial_end_time=at(end))
    await tenant.advance_to(at("2024-03-31 23:59:59"))
    assert await issued(tenant) == []
    await tenant.advance_to(at("2024-04-01"))
    year = [("Pro (12 months, 20% off)", 278.00)]
    assert await issued(tenant) == [year]
    await tenant.advance_to(at("2025-03-31 23:59:59"))
    assert await issued(tenant) == [year]
    held = (await tenant.call("GetSubscription", **ACME)).subscription
    assert held.HasField("end_time") == (renewal == "repeat")
    if renewal == "repeat":
        assert held.end_time == at("2025-04-01")
    await tenant.advance_to(at("2025-04-01"))
    assert await issued(tenant) == [year, [("Pro", 29.00)]][: 2 if renewal == "auto" else 1]
    await verified(tenant)


async def test_what_was_paid_in_advance_is_explained_from_what_its_months_cost(tenant):
    """Twelve at 29.00 are 348.00; a fifth off is 278.40, of which whole units are 278.00; and a tenth by agreement."""
    await shop(tenant)
    await tenant.call("GrantDiscount", discount={**ACME, "text": "Partner", "percent_off": "10", "discount_id": "d"})
    await subscribe(tenant)
    await run(tenant)
    (invoice,) = await invoices(tenant, **ACME)
    answer = await tenant.call("ExplainLine", invoice_id=invoice.invoice_id, line=1)
    assert [(step.kind, step.quantity, step.rate, step.amount) for step in answer.line.steps] == [
        ("charged", "1", "348", "348"),
        ("advance", "12", "20", "-70"),
    ]
    assert [(each.code, dollars(each.amount), each.negotiated) for each in answer.line.discounts] == [
        ("Partner", 27.80, True)
    ]
    told = explanation(answer, amount="250.20 USD").splitlines()
    assert told[-3:] == [
        "   a whole period costs 348.00; all of it is covered: 348.00",
        "   20 % off for paying 12 periods at once: -70.00",
        "   in minor units of the currency: 27,800; less 27.80 USD by discount Partner",
    ]
    await verified(tenant)
