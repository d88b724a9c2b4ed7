"""Rows about orders. Figures by hand."""

import asyncio

import grpc
import pytest

from invoicing import DAY, at, catalog, dollars, invoices, run, seat
from tallygate_api.v1.invoice_pb2 import INVOICE_KIND_ORDER, Money
from tallygate_api.v1.order_service_pb2 import ORDER_STATE_COMPLETED, ORDER_STATE_OPEN
from tenants import failure

ACME = {"account_id": "acme"}
PRO = {"recurring": {"amount": "29.00"}}
SETUP = {"setup": {"amount": "10.00"}}
YEAR = {"type": "percentage", "value": "20", "length": 12}
REPORTS = {"reports": {"version": 1, "offered_on": ["pro"], "prices": [{"recurring": {"amount": "5.00"}}]}}
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


async def shop(tenant, *prices, **parts):
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    await tenant.apply(catalog(*(prices or (PRO,)), **parts))
    await tenant.call("UpsertAccount", **ACME)


async def coupon(tenant, code, **fields):
    await tenant.call("CreateCoupon", coupon={"code": code, **fields})


async def order(tenant, *codes, order_id="o1", account="acme", plan="pro", **subscription):
    items = [{"subscription": {"plan_key": plan, **subscription}}]
    return await tenant.call("CreateOrder", account_id=account, order_id=order_id, items=items, coupon_codes=codes)


async def complete(tenant, order_id="o1", **more):
    return await tenant.call("CompleteOrder", order_id=order_id, terms_version="2024-01", **more)


def charged(documents):
    return [[(line.text, dollars(line.amount)) for line in each.lines] for each in documents]


async def totals(tenant, account="acme"):
    await run(tenant)
    return [dollars(each.total) for each in await invoices(tenant, account_id=account)]


async def verified(tenant, account="acme"):
    for invoice in await invoices(tenant, account_id=account):
        assert not (await tenant.call("VerifyInvoice", invoice_id=invoice.invoice_id)).differences


async def test_a_yearly_order_with_a_set_up_an_add_on_and_a_coupon_is_what_was_quoted(tenant):
    """A year for 278.00 (29.00 x 12 less 20 %, rounded down), 10.00 once, 5.00 twice; a tenth off each."""
    await shop(tenant, PRO, SETUP, add_ons=REPORTS, advance_discounts=[YEAR])
    await coupon(tenant, "TENTH", percent_off="10")
    made = await order(tenant, "tenth", advance_length=12, add_ons=[{"add_on_key": "reports", "quantity": 2}])
    assert made.order.state == ORDER_STATE_OPEN
    assert made.order.items[0].subscription.plan_version == 1
    assert [sorted(amount for _, amount in each) for each in charged(made.quote)] == [[9.00, 9.00, 250.20]]
    done = await complete(tenant, accepted_total=made.quote[0].total)
    assert done.order.state == ORDER_STATE_COMPLETED
    assert charged(done.invoices) == charged(made.quote)
    (invoice,) = await invoices(tenant, **ACME)
    assert (invoice.kind, dollars(invoice.total)) == (INVOICE_KIND_ORDER, 268.20)
    assert done.order.invoice_ids == [invoice.invoice_id]
    held = (await tenant.call("GetSubscription", **ACME)).subscription
    assert held.subscription_id == done.order.items[0].subscription_id
    await tenant.advance_to(at("2024-04-01"))
    assert await totals(tenant) == [268.20, 10.00]  # nothing was left to open with, and the next month is the add-on's
    await verified(tenant)


async def test_an_order_is_completed_once_whoever_asks_how_often(tenant):
    await shop(tenant)
    await coupon(tenant, "ONCE", percent_off="50", max_uses=5)
    await order(tenant, "ONCE")
    both = await asyncio.gather(complete(tenant), complete(tenant))
    assert [each.order.invoice_ids for each in both] == [both[0].order.invoice_ids] * 2
    again = await complete(tenant)
    assert (again.order, again.invoices) == (both[0].order, both[0].invoices)
    assert [dollars(each.total) for each in await invoices(tenant)] == [14.50]
    (only,) = (await tenant.call("ListCoupons")).coupons
    assert only.used == 1


async def test_the_terms_that_were_accepted_are_kept_with_when_and_by_whom(tenant):
    await shop(tenant)
    await order(tenant)
    await tenant.advance(60)
    await complete(tenant)
    kept = (await tenant.call("GetOrder", order_id="o1")).order
    assert (kept.terms_version, kept.complete_time) == ("2024-01", at("2024-03-01 00:01:00"))
    assert kept.actor_key_id.startswith("key_")
    await tenant.call("CompleteOrder", order_id="o1", terms_version="2025-01")
    assert (await tenant.call("GetOrder", order_id="o1")).order == kept  # what was accepted stays what it was


async def test_dj_25_all_of_it_off_needs_no_card_and_is_an_invoice_of_nothing(tenant):
    await shop(tenant)
    await tenant.call("SetGateway", name="fake")
    await coupon(tenant, "FREE", percent_off="100")
    await order(tenant, "FREE")
    done = await complete(tenant)
    assert [dollars(each.total) for each in done.invoices] == [0.00]
    assert (await tenant.check("acme", "calls")).allowed
    await tenant.advance_to(at("2024-04-01"))
    assert await totals(tenant) == [0.00, 29.00]
    await verified(tenant)


async def test_an_order_that_costs_something_else_by_now_sells_nothing(tenant):
    await shop(tenant)
    await order(tenant)
    await tenant.call(
        "SetPriceOverride", **ACME, plan_key="pro", price={"key": "recurring", "recurring": {"amount": "39.00"}}
    )
    refused = await failure(complete(tenant, accepted_total=Money(units=29)))
    assert refused == (PRECONDITION, "ORDER_CHANGED")
    missing = await failure(tenant.call("GetSubscription", **ACME))
    assert missing == (grpc.StatusCode.NOT_FOUND, "SUBSCRIPTION_NOT_FOUND")
    assert not await invoices(tenant)
    assert [dollars(each.total) for each in (await complete(tenant, accepted_total=Money(units=39))).invoices] == [
        39.00
    ]


async def test_a_plan_that_has_a_newer_version_is_sold_as_it_was_ordered(tenant):
    await shop(tenant)
    await order(tenant)
    newer = catalog({"recurring": {"amount": "99.00"}})
    newer["plans"]["pro"]["version"] = 2
    await tenant.apply(newer)
    assert [dollars(each.total) for each in (await complete(tenant)).invoices] == [29.00]


async def test_what_changed_since_is_told_of_an_open_order_and_when_it_is_completed(tenant):
    """A coupon that expires at this microsecond, one that somebody else used up, and a subscription from elsewhere."""
    await shop(tenant)
    ends = at("2024-03-02")
    await coupon(tenant, "SHORT", percent_off="10", end_time=ends)
    await coupon(tenant, "LAST", percent_off="10", max_uses=1)
    await order(tenant, "SHORT", order_id="short")
    await order(tenant, "LAST", order_id="last")
    await tenant.call("UpsertAccount", account_id="globex")
    await tenant.call("CreateSubscription", account_id="globex", plan_key="pro", coupon_codes=["LAST"])
    assert await failure(complete(tenant, "last")) == (PRECONDITION, "COUPON_EXHAUSTED")
    await tenant.advance_to(ends)
    assert await failure(complete(tenant, "short")) == (PRECONDITION, "COUPON_EXPIRED")
    seen = await tenant.call("GetOrder", order_id="short")
    assert ("SHORT" in seen.obstacle, list(seen.quote)) == (True, [])
    await order(tenant, order_id="plain")
    await tenant.call("CreateSubscription", **ACME, plan_key="pro")
    assert await failure(complete(tenant, "plain")) == (PRECONDITION, "SUBSCRIPTION_CONFLICT")


async def test_the_same_order_again_is_the_same_and_another_of_its_id_a_conflict(tenant):
    await shop(tenant)
    first = await order(tenant)
    await tenant.advance(60)
    assert (await order(tenant)).order == first.order
    assert (await failure(order(tenant, advance_length=0, trial_days=3)))[1] == "ALREADY_EXISTS"
    made = [(await order(tenant, order_id=name)).order.order_id for name in ("o2", "o3")]
    page = await tenant.call("ListOrders", page_size=2)
    rest = await tenant.call("ListOrders", page_size=2, page_token=page.next_page_token)
    assert [each.order_id for each in (*page.orders, *rest.orders)] == [*made[::-1], "o1"]
    await complete(tenant, "o2")
    done = await tenant.call("ListOrders", **ACME, state=ORDER_STATE_COMPLETED)
    assert [each.order_id for each in done.orders] == ["o2"]


async def test_an_order_on_trial_is_charged_when_the_trial_ends(tenant):
    await shop(tenant, trial={"days": 14})
    made = await order(tenant)
    done = await complete(tenant)
    assert (list(made.quote), list(done.invoices), list(done.order.invoice_ids)) == ([], [], [])
    await tenant.advance(14 * DAY)
    assert await totals(tenant) == [29.00]
    await verified(tenant)


async def test_fees_and_credits_from_before_stay_for_the_next_invoice(tenant):
    await shop(tenant)
    await tenant.call("CreateFee", **ACME, text="A visit", amount=Money(units=7, currency_code="USD"))
    await order(tenant)
    assert charged((await complete(tenant)).invoices) == [[("Pro", 29.00)]]
    await tenant.advance_to(at("2024-04-01"))
    assert await totals(tenant) == [29.00, 36.00]
    await verified(tenant)


BY_SEAT = {"key": "seats", "recurring": {"amount": "15.00", "quantity": {"seats": "seats"}, "label": "Seats"}}


async def test_seats_are_bought_in_an_order_and_assigned_later(tenant):
    """Ten at 15.00 from the first on; of them three are taken for nothing more, the eleventh is half a month's 7.50.

    From the 16th on, too, five that are booked no more give back 5 x 7.50; those that are taken would still be charged.
    """
    await shop(tenant, PRO, BY_SEAT)
    await tenant.advance_to(at("2024-04-01"))
    asked = {"seats": {"seats": 10}}
    told = await tenant.call("Quote", plan_key="pro", **ACME, **asked)
    made = await order(tenant, **asked)
    expected = [[("Pro", 29.00), ("Seats (10 @ $15.00)", 150.00)]]
    assert charged(told.opening) == charged(made.quote) == expected
    done = await complete(tenant, accepted_total=made.quote[0].total)
    assert charged(done.invoices) == expected
    assert dict(done.order.items[0].subscription.seats) == {"seats": 10}
    await seat(tenant, "ann", "bob", "cat")
    await tenant.advance_to(at("2024-04-16"))
    assert await totals(tenant) == [179.00]
    fewer = {**ACME, "feature_key": "seats", "quantity": 5}
    preview = await tenant.call("PreviewChange", book={**fewer, "invoice": "CHANGE_INVOICE_NOW"})
    changed = await tenant.call("BookQuantity", **fewer, invoice="CHANGE_INVOICE_NOW")
    assert [dollars(line.amount) for line in preview.lines] == [-37.50]
    assert charged(changed.invoices) == [[(line.text, dollars(line.amount)) for line in preview.lines]]
    assert [each.quantity for each in changed.subscription.bookings] == [10, 5]
    await seat(tenant, "dan", "eve", "fay")
    await tenant.advance_to(at("2024-05-01"))
    assert await totals(tenant) == [179.00, -37.50, 126.50]  # 29.00, six at 15.00, and half of one for the sixth
    await verified(tenant)
    (newest, *_) = (await tenant.call("ListChanges", **ACME)).changes
    assert (newest.method, newest.after.bookings[-1].quantity) == ("BookQuantity", 5)


@pytest.mark.parametrize(
    ("price", "asked", "field"),
    [
        (PRO, {"seats": {"seats": 1}}, "seats[seats]"),
        (PRO, {"users": 1}, "users"),
        (BY_SEAT, {"seats": {"calls": 1}}, "seats[calls]"),
        (BY_SEAT, {"seats": {"seats": 6}}, "seats[seats]"),
        (BY_SEAT, {"seats": {"seats": -1}}, "seats[seats]"),
    ],
)
async def test_seats_that_nothing_charges_by_or_that_are_not_given_are_not_sold(tenant, price, asked, field):
    await shop(tenant, price, entitlements={"seats": {"limit": 5}})
    if asked == {"seats": {"seats": 6}}:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await tenant.call("Quote", plan_key="pro", **asked)
        assert f"field={field}" in caught.value.details(), "what is not sold is not quoted"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await order(tenant, **asked)
    assert f"field=items[0].subscription.{field}" in caught.value.details()
    if price is BY_SEAT:
        assert await order(tenant, seats={"seats": 5})


BAD = [
    ({"subscription": {"plan_key": "pro", "advance_length": 6}}, "items[0].subscription.advance_length"),
    ({"subscription": {"plan_key": "pro", "trial_days": 9999}}, "items[0].subscription.trial_days"),
    (
        {"quota": {"feature_key": "calls", "quantity": 5, "expire_time": at("2024-02-29")}},
        "items[0].quota.expire_time",
    ),
    (
        {"subscription": {"plan_key": "pro", "add_ons": [{"add_on_key": "other"}]}},
        "items[0].subscription.add_ons[0].add_on_key",
    ),
]


@pytest.mark.parametrize(("item", "field"), BAD, ids=[field for _, field in BAD])
async def test_what_is_wrong_with_an_item_is_named(tenant, item, field):
    other = {"other": {"version": 1, "prices": [{"recurring": {"amount": "5.00"}}]}}
    await shop(tenant, add_ons=other)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await tenant.call("CreateOrder", **ACME, items=[item])
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert f"field={field}" in caught.value.details()
