"""Rows about invoices: from what is held and used to a finalised document. Figures by hand."""

from datetime import UTC, datetime

import grpc
import pytest

from invoicing import DAY, at, catalog, dollars, invoices, lines, month_ahead, run, seat, thirty_days
from tallygate_api.v1 import invoice_pb2
from tenants import Tenant, after, eventually, failure

BASE = {"recurring": {"amount": "10.00"}}
SMS = {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}


async def test_wx_06_a_base_fee_and_usage_make_one_cycle(tenant):
    """$10.00 at once, 37 at $0.50 at the cycle's end: $28.50 for the cycle."""
    await month_ahead(tenant)
    await tenant.apply(catalog(BASE, SMS))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    (opening,) = await invoices(tenant)
    assert await lines(tenant, opening) == [("Pro", 10.00)]
    assert opening.kind == invoice_pb2.INVOICE_KIND_OPENING
    await tenant.consume("acme", "calls", 37)
    await tenant.advance(31 * DAY)
    await run(tenant)
    _, second = await invoices(tenant)
    assert await lines(tenant, second) == [("Pro", 10.00), ("calls", 18.50)]
    assert second.kind == invoice_pb2.INVOICE_KIND_PERIOD
    assert dollars(opening.total) + 18.50 == 28.50
    await run(tenant)  # running it again changes nothing
    assert [one.number[-6:] for one in await invoices(tenant)] == ["000001", "000002"]


async def test_wx_08_without_a_base_fee_nothing_is_billed_at_first(tenant):
    await month_ahead(tenant)
    await tenant.apply(catalog(SMS))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    assert await invoices(tenant) == []


async def test_wx_01_usage_is_charged_monthly(tenant):
    """37 at $0.50; 1 % of $2,345.67 is $23.4567."""
    await month_ahead(tenant)
    share = {"usage": {"feature_key": "sales", "model": "percentage", "of": {"dimension": "amount"}, "rate": "1"}}
    features = {"sales": {"kind": "metered", "dimensions": ["amount"]}}
    await tenant.apply(catalog(SMS, share, features=features, entitlements={"sales": {"unlimited": True}}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.consume("acme", "calls", 37)
    await tenant.consume("acme", "sales", 1, dimensions={"amount": "2345.67"})
    await tenant.advance(31 * DAY)
    await run(tenant)
    (invoice,) = await invoices(tenant)
    assert sorted(await lines(tenant, invoice)) == [("calls", 18.50), ("sales", 23.46)]


async def test_bk_06_a_percentage_of_a_transaction_rounds_once(tenant):
    """3.5 % of $123.45 is 432.075 cents."""
    await month_ahead(tenant)
    share = {"usage": {"feature_key": "sales", "model": "percentage", "of": {"quantity": True}, "rate": "3.5"}}
    features = {"sales": {"kind": "metered"}}
    await tenant.apply(catalog(share, features=features, entitlements={"sales": {"unlimited": True}}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.consume("acme", "sales", 12_345)
    await tenant.advance(31 * DAY)
    await run(tenant)
    (invoice,) = await invoices(tenant)
    (line,) = (await tenant.call("GetInvoice", invoice_id=invoice.invoice_id)).invoice.lines
    assert (dollars(line.amount), line.exact_amount) == (4.32, "432.075")


async def test_dj_04_a_price_by_the_month(tenant):
    start = await month_ahead(tenant, standing=True)
    await tenant.apply(catalog({"recurring": {"amount": "29"}}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.advance(95 * DAY)
    await run(tenant)
    found = await invoices(tenant)
    assert [dollars(one.total) for one in found] == [29.00] * 4
    assert found[0].issue_time == found[0].start_time  # it opens the first month, the others close one each
    assert found[0].issue_time.seconds == start.seconds
    assert found[0].end_time == found[1].end_time


async def test_dj_06_every_two_weeks(tenant):
    start = await month_ahead(tenant, standing=True)
    await tenant.apply(catalog({"recurring": {"amount": "29", "every": "week", "count": 2}}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.advance(28 * DAY)
    await run(tenant)
    assert [one.end_time.seconds - start.seconds for one in await invoices(tenant)] == [14 * DAY, 14 * DAY, 28 * DAY]


async def test_dj_33_a_setup_amount_comes_once(tenant):
    await month_ahead(tenant)
    await tenant.apply(catalog({"recurring": {"amount": "29"}}, {"setup": {"amount": "10"}}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert [dollars(one.total) for one in await invoices(tenant)] == [39.00, 29.00]


@pytest.mark.parametrize(("gigabytes", "total"), [(10, 29.00), (11, 29.01), (25, 29.15), (1010, 39.00), (5000, 39.00)])
async def test_dj_16_beyond_a_maximum_limit_nothing_is_charged(tenant, gigabytes, total):
    """$29 with 10 GB free, $0.01 each, at most 1,010."""
    await month_ahead(tenant)
    storage = {"feature_key": "calls", "unit_amount": "0.01", "free_quota": "10", "max_limit": "1010"}
    await tenant.apply(catalog({"recurring": {"amount": "29", "due": "arrears"}}, {"usage": storage}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.consume("acme", "calls", gigabytes)
    await tenant.advance(31 * DAY)
    await run(tenant)
    (invoice,) = await invoices(tenant)
    assert dollars(invoice.total) == total


async def test_ar_08_a_trial_is_free_and_the_first_invoice_is_at_its_end(tenant):
    start = await month_ahead(tenant, standing=True)
    await tenant.apply(catalog(BASE, SMS, trial={"days": 14}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.consume("acme", "calls", 5)
    await tenant.advance(13 * DAY)
    await run(tenant)
    await tenant.advance(1 * DAY)
    await run(tenant)
    (invoice,) = await invoices(tenant)
    assert await lines(tenant, invoice) == [("Pro", 10.00)]
    assert invoice.issue_time.seconds == start.seconds + 14 * DAY
    await tenant.advance(31 * DAY)
    await run(tenant)
    _, second = await invoices(tenant)
    assert await lines(tenant, second) == [("Pro", 10.00)]  # what the trial used is not charged


async def test_bk_08_items_of_two_accounts_never_meet(tenant):
    await month_ahead(tenant)
    await tenant.apply(catalog(BASE, SMS))
    for account in ("acme", "globex"):
        await tenant.call("UpsertAccount", account_id=account, plan_key="pro")
    await tenant.consume("globex", "calls", 2)
    await tenant.advance(31 * DAY)
    await run(tenant)
    found = await invoices(tenant)
    assert sorted((one.account_id, dollars(one.total)) for one in found) == [
        ("acme", 10.00),
        ("acme", 10.00),
        ("globex", 10.00),
        ("globex", 11.00),
    ]


async def test_bk_16_a_version_change_half_way_adjusts_the_invoice(tenant):
    """$20 to $50 after half of a month of 30 days: -$10.00 + $25.00."""
    await thirty_days(tenant)
    document = catalog({"recurring": {"amount": "20.00"}})
    document["plans"]["big"] = {
        **document["plans"]["pro"],
        "name": "Big",
        "prices": [{"recurring": {"amount": "50.00"}}],
    }
    await tenant.apply(document)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.advance(15 * DAY)
    await tenant.call("ChangePlan", account_id="acme", plan_key="big")
    await tenant.advance(15 * DAY)
    await run(tenant)
    _, second = await invoices(tenant)
    assert await lines(tenant, second) == [("Big", 25.00), ("Credit: Pro", -10.00), ("Big", 50.00)]


USERS = {
    "key": "users",
    "recurring": {"amount": "15.00", "quantity": {"seats": "seats"}, "label": "Monthly user fees"},
}


async def test_bk_13_the_amount_follows_the_users(tenant):
    """10 at $15; 2 more after 15 of 30 days: 2 x 15 x 15/30; the next month 12; 3 fewer with 10 days left."""
    await thirty_days(tenant)
    await tenant.apply(catalog(USERS))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await seat(tenant, *(f"u{number}" for number in range(10)))
    await tenant.advance(15 * DAY)
    await seat(tenant, "u10", "u11")
    await tenant.advance(15 * DAY)
    await run(tenant)
    (second,) = await invoices(tenant)
    assert await lines(tenant, second) == [
        ("Monthly user fees (10 @ $15.00)", 150.00),
        ("Monthly user fees (2 @ $15.00)", 15.00),
        ("Monthly user fees (12 @ $15.00)", 180.00),
    ]
    days = 30 if await month_has(tenant, 30) else 31
    await tenant.advance((days - 10) * DAY)
    await seat(tenant, "u0", "u1", "u2", assign=False)
    await tenant.advance(10 * DAY)
    await run(tenant)
    third = (await invoices(tenant))[1]
    fewer = round(-3 * 15 * 10 / days, 2)
    assert (await lines(tenant, third))[0] == ("Monthly user fees (-3 @ $15.00)", fewer)
    assert (await lines(tenant, third))[1] == ("Monthly user fees (9 @ $15.00)", 135.00)


async def month_has(tenant, days):
    return datetime.fromtimestamp(await tenant.now() + days * DAY, UTC).day == 1


async def test_bk_12_a_fee_by_the_user_counts_the_accounts_users(tenant):
    await thirty_days(tenant)
    each = {"recurring": {"amount": "4.00", "quantity": {"users": True}}}
    await tenant.apply(catalog(each))
    await tenant.call("UpsertAccount", account_id="acme", user_ids=["ada", "bob", "cyd"], plan_key="pro")
    await tenant.call("RemoveUsers", account_id="acme", user_ids=["bob"])
    await tenant.advance(31 * DAY)
    await run(tenant)
    opening, second = await invoices(tenant)
    assert dollars(opening.total) in {8.00, 12.00}  # as many as there were when it was made
    assert ("Pro (2 @ $4.00)", 8.00) in await lines(tenant, second)


async def test_bk_17_an_optional_feature_carries_its_own_fee(tenant):
    """$12.34 a month on for 10 of 30 days: $4.11."""
    await thirty_days(tenant)
    reports = {"version": 1, "offered_on": ["pro"], "name": "Reports", "prices": [{"recurring": {"amount": "12.34"}}]}
    await tenant.apply(catalog(BASE, add_ons={"reports": reports}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.advance(20 * DAY)
    await tenant.call("SetAddOn", account_id="acme", add_on_key="reports", quantity=1)
    await tenant.advance(10 * DAY)
    await run(tenant)
    _, second = await invoices(tenant)
    assert ("Reports", 4.11) in await lines(tenant, second)


async def test_mn_22_an_invoice_is_read_by_its_id_and_by_nobody_else(tenant, live_server):
    await month_ahead(tenant)
    await tenant.apply(catalog(BASE))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    (invoice,) = await invoices(tenant, account_id="acme")
    read = (await tenant.call("GetInvoice", invoice_id=invoice.invoice_id)).invoice
    assert (read.number, read.total) == (invoice.number, invoice.total)
    other = Tenant(tenant.channel, live_server.new_test_tenant())
    assert (await tenant.call("GetInvoice", invoice_id=invoice.number)).invoice == read
    foreign = await failure(other.call("GetInvoice", invoice_id=invoice.invoice_id))
    assert foreign == (grpc.StatusCode.NOT_FOUND, "INVOICE_NOT_FOUND")
    assert await invoices(other) == []
    assert await invoices(tenant, account_id="nobody") == []
    assert len(await invoices(tenant, state=invoice_pb2.INVOICE_STATE_OPEN)) == 1
    assert await invoices(tenant, state=invoice_pb2.INVOICE_STATE_PAID) == []
    missing = await failure(tenant.call("GetInvoice", invoice_id="inv_none"))
    assert missing == (grpc.StatusCode.NOT_FOUND, "INVOICE_NOT_FOUND")


async def test_a_leap_of_a_year_gives_the_books_of_its_steps(tenant, live_server):
    """Twelve months at once, or day by day in steps: the same documents."""

    async def books(leaps):
        own = Tenant(tenant.channel, live_server.new_test_tenant())
        start = await month_ahead(own, standing=True)
        document = catalog(BASE, SMS)
        document["plans"]["weekly"] = {
            **document["plans"]["pro"],
            "prices": [{"recurring": {"amount": "3.00", "every": "week"}}],
        }
        await own.apply(document)
        await own.call("UpsertAccount", account_id="acme", plan_key="pro")
        await own.call("UpsertAccount", account_id="globex", plan_key="weekly")
        await own.consume("acme", "calls", 37)
        for leap in leaps:
            await own.advance(leap * DAY)
            await run(own)
        await run(own)
        found = sorted(await invoices(own, page_size=100), key=lambda one: one.number)
        assert [one.number[-6:] for one in found] == [f"{number:06}" for number in range(1, len(found) + 1)]
        told = [(one.issue_time.seconds - start.seconds, one.account_id, one.total.units) for one in found]
        assert [when for when, *_ in told] == sorted(when for when, *_ in told)
        return sorted(told)

    at_once = await books([365])
    assert at_once == await books([73] * 5)
    assert len(at_once) == 13 + 53


async def test_a_period_closes_by_a_clock_that_stands(tenant):
    """On real time it is never due; on the tenant's it is."""
    await tenant.call("SetTestClock", time=at("2024-03-01T00:00:00"), standing=True)
    await tenant.apply(catalog(BASE))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    for count, when in ((1, "2024-03-31T23:59:59"), (2, "2024-04-01T00:00:00")):
        await tenant.call("SetTestClock", time=at(when))

        async def closed(count=count):
            return len(await invoices(tenant)) == count

        await eventually(closed, what=f"{count} invoices by themselves")


def usd(text):
    units, _, decimals = text.lstrip("-").partition(".")
    sign = -1 if text.startswith("-") else 1
    return {"currency_code": "USD", "units": sign * int(units), "nanos": sign * int(decimals.ljust(9, "0"))}


async def test_bk_07_every_fee_is_on_one_invoice(tenant):
    """Version $49.00, 10 users at $15.00, optional feature $12.34, custom $4.32: one invoice of $215.66, four lines."""
    await thirty_days(tenant)
    reports = {"version": 1, "offered_on": ["pro"], "name": "Reports", "prices": [{"recurring": {"amount": "12.34"}}]}
    arrears = {"recurring": {**USERS["recurring"], "due": "arrears"}}
    base = {"recurring": {"amount": "49.00", "due": "arrears"}}
    reports["prices"][0]["recurring"]["due"] = "arrears"
    await tenant.apply(catalog(base, arrears, add_ons={"reports": reports}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.call("SetAddOn", account_id="acme", add_on_key="reports", quantity=1)
    await seat(tenant, *(f"u{number}" for number in range(10)))
    charge = {"of": usd("123.45"), "rate": "3.5"}
    await tenant.call("CreateFee", account_id="acme", text="Percent of charge number chg_1", percent=charge)
    await tenant.advance(31 * DAY)
    await run(tenant)
    (invoice,) = await invoices(tenant)
    assert sorted(await lines(tenant, invoice)) == [
        ("Monthly user fees (10 @ $15.00)", 150.00),
        ("Percent of charge number chg_1", 4.32),
        ("Pro", 49.00),
        ("Reports", 12.34),
    ]
    assert dollars(invoice.total) == 215.66


async def test_bk_19_a_fee_for_any_event_once(tenant):
    await month_ahead(tenant)
    await tenant.apply(catalog())
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    for _ in range(2):
        fee = (await tenant.call("CreateFee", account_id="acme", fee_id="f1", text="Call", amount=usd("5.00"))).fee
        assert (fee.fee_id, dollars(fee.amount)) == ("f1", 5.00)
    with pytest.raises(grpc.aio.AioRpcError, match=r"fee_id=f1, differs=amount: 5 USD -> 6 USD") as raised:
        await tenant.call("CreateFee", account_id="acme", fee_id="f1", text="Call", amount=usd("6.00"))
    assert raised.value.code() is grpc.StatusCode.ALREADY_EXISTS
    await tenant.call("CreateFee", account_id="acme", text="Goodwill", amount=usd("-1.25"))
    items = (await tenant.call("ListUninvoicedItems", account_id="acme")).lines
    assert [(item.text, dollars(item.amount)) for item in items] == [("Call", 5.00), ("Goodwill", -1.25)]
    await tenant.advance(31 * DAY)
    await run(tenant)
    (invoice,) = await invoices(tenant)
    assert dollars(invoice.total) == 3.75
    assert list((await tenant.call("ListUninvoicedItems", account_id="acme")).lines) == []


async def test_bk_20_an_issued_item_is_corrected_by_an_offset_on_the_next_invoice(tenant):
    await month_ahead(tenant)
    await tenant.apply(catalog(BASE))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.call("CreateFee", account_id="acme", fee_id="f1", text="Call", amount=usd("5.00"))
    await tenant.advance(31 * DAY)
    await run(tenant)
    before = await invoices(tenant)
    offset = (await tenant.call("OffsetFee", fee_id="f1")).fee
    assert (await tenant.call("OffsetFee", fee_id="f1")).fee == offset
    assert (offset.offsets, dollars(offset.amount)) == ("f1", -5.00)
    await tenant.advance(31 * DAY)
    await run(tenant)
    found = await invoices(tenant)
    assert found[: len(before)] == before
    assert ("Offset: Call", -5.00) in await lines(tenant, found[-1])
    missing = await failure(tenant.call("OffsetFee", fee_id="nothing"))
    assert missing == (grpc.StatusCode.NOT_FOUND, "FEE_NOT_FOUND")


@pytest.mark.parametrize("quantity", ["0", "0.5", "-1", "x", ""])
async def test_dj_18_a_quantity_is_one_or_more(tenant, quantity):
    await tenant.apply(catalog())
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    charge = {"quantity": quantity, "unit_amount": "0.01"}
    refused = await failure(tenant.call("CreateFee", account_id="acme", text="x", quantity=charge))
    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_dj_18_what_is_added_lands_in_the_next_cycle(tenant):
    await month_ahead(tenant)
    await tenant.apply(catalog())
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    charge = {"quantity": "150", "unit_amount": "0.01"}
    await tenant.call("CreateFee", account_id="acme", text="Requests", quantity=charge)
    await tenant.advance(31 * DAY)
    await run(tenant)
    (invoice,) = await invoices(tenant)
    assert await lines(tenant, invoice) == [("Requests", 1.50)]


async def test_mn_07_all_are_invoiced_on_the_25th_for_what_came_since(tenant):
    """What comes at the 24th's last moment is on this invoice, what comes at midnight on the next."""
    start = await month_ahead(tenant)
    await tenant.call("SetTestClock", standing=True)
    document = catalog()
    document["plans"]["pro"]["billing"] = {"every": "month", "anchor": "calendar", "day": 25}
    await tenant.apply(document)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.advance_to(after(start, 24 * DAY - 0.001))
    await tenant.call("CreateFee", account_id="acme", text="before", amount=usd("1.00"))
    await tenant.advance_to(after(start, 24 * DAY))
    await tenant.call("CreateFee", account_id="acme", text="after", amount=usd("2.00"))
    await run(tenant)
    (invoice,) = await invoices(tenant)
    assert (await lines(tenant, invoice), invoice.end_time) == ([("before", 1.00)], after(start, 24 * DAY))


async def test_a_fee_without_a_subscription_is_invoiced_at_the_months_end(tenant):
    start = await month_ahead(tenant)
    await tenant.apply(catalog())
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.call("CreateFee", account_id="acme", text="Call", amount=usd("5.00"))
    await tenant.advance(20 * DAY)
    await run(tenant)
    await month_ahead(tenant)
    await run(tenant)
    (invoice,) = await invoices(tenant)
    assert (dollars(invoice.total), invoice.end_time.seconds > start.seconds) == (5.00, True)


async def test_a_preview_equals_the_later_invoice(tenant):
    await month_ahead(tenant)
    await tenant.apply(catalog(BASE, SMS))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.consume("acme", "calls", 37)
    await tenant.usage_reaches("acme", "calls", 37)
    await run(tenant)
    preview = await tenant.call("PreviewInvoice", account_id="acme")
    await tenant.advance(31 * DAY)
    await run(tenant)
    invoice = (await tenant.call("GetInvoice", invoice_id=(await invoices(tenant))[-1].invoice_id)).invoice
    (shown,) = preview.invoices
    assert list(shown.lines) == list(invoice.lines)
    assert (shown.total, shown.invoice_id) == (invoice.total, invoice.invoice_id)
    assert preview.cut_time == invoice.end_time


async def test_invoices_are_listed_page_by_page(tenant):
    await month_ahead(tenant)
    await tenant.apply(catalog(BASE))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.advance(65 * DAY)
    await run(tenant)
    found, token = [], None
    while token != "":
        page = await tenant.call("ListInvoices", page_size=1, page_token=token or "")
        found += page.invoices
        token = page.next_page_token
    assert [one.invoice_id for one in found] == [one.invoice_id for one in (await invoices(tenant))[::-1]]
    assert len(found) == 3


async def test_a_setup_amount_comes_once_whatever_the_billing_rule_becomes(tenant):
    """Another plan with another rule and back: the account goes on being invoiced, and the set-up amount is not."""
    await month_ahead(tenant)
    document = catalog(BASE, {"setup": {"amount": "5.00"}})
    yearly = {"recurring": {"amount": "99.00", "every": "year"}}
    document["plans"]["biz"] = {**document["plans"]["pro"], "name": "Biz", "prices": [yearly]}
    await tenant.apply(document)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    for plan in ("biz", "pro"):
        await tenant.advance(20 * DAY)
        await tenant.call("ChangePlan", account_id="acme", plan_key=plan, when="CHANGE_WHEN_NOW")
    await tenant.advance(40 * DAY)
    await run(tenant)
    every = [line for one in await invoices(tenant) for line in await lines(tenant, one)]
    assert [amount for text, amount in every if amount == 5.00] == [5.00]
    assert (await tenant.call("PreviewInvoice", account_id="acme")).HasField("cut_time")


async def test_another_zone_charges_no_month_twice(tenant):
    await month_ahead(tenant)
    document = catalog(BASE)
    document["plans"]["pro"]["billing"] = {"every": "month", "anchor": "calendar"}
    await tenant.apply(document)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    for zone in ("America/New_York", "Asia/Kolkata"):
        await tenant.advance(5 * DAY)
        await tenant.call("UpsertAccount", account_id="acme", time_zone=zone)
    await tenant.advance(12 * DAY)
    await run(tenant)
    assert [dollars(one.total) for one in await invoices(tenant)] == [10.00]
    await tenant.advance(12 * DAY)
    await run(tenant)
    assert [dollars(one.total) for one in await invoices(tenant)] == [10.00, 10.00]
