"""Rows about coupons. Figures by hand."""

import asyncio

import grpc
import pytest

from invoicing import DAY, at, catalog, dollars, invoices, lines, run
from tallygate_api.v1.discount_service_pb2 import Coupon
from tallygate_api.v1.invoice_pb2 import Money
from tenants import failure

ACME = {"account_id": "acme"}
PRO = {"recurring": {"amount": "29.00"}}
HALF = {"code": "Welcome", "percent_off": "50"}


async def shop(tenant, *prices, **parts):
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    await tenant.apply(catalog(*(prices or (PRO,)), **parts))


async def coupon(tenant, **fields):
    return (await tenant.call("CreateCoupon", coupon=Coupon(**fields))).coupon


async def subscribe(tenant, account="acme", *codes, plan="pro"):
    await tenant.call("UpsertAccount", account_id=account)
    made = await tenant.call("CreateSubscription", account_id=account, plan_key=plan, coupon_codes=codes)
    return made.subscription


async def totals(tenant, account="acme"):
    await run(tenant)
    return [dollars(each.total) for each in await invoices(tenant, account_id=account)]


async def verified(tenant, account="acme"):
    for invoice in await invoices(tenant, account_id=account):
        assert not (await tenant.call("VerifyInvoice", invoice_id=invoice.invoice_id)).differences


async def test_dj_20_a_code_at_the_start_takes_from_the_first_invoice_alone(tenant):
    await shop(tenant)
    await coupon(tenant, **HALF)
    await subscribe(tenant, "acme", "welcome")
    assert await totals(tenant) == [14.50]
    (first,) = await invoices(tenant)
    line = (await tenant.call("GetInvoice", invoice_id=first.invoice_id)).invoice.lines[0]
    assert [(each.code, dollars(each.amount)) for each in line.discounts] == [("WELCOME", 14.50)]
    await tenant.advance(31 * DAY)
    assert await totals(tenant) == [14.50, 29.00]
    await verified(tenant)


async def test_users_who_were_charged_for_less_give_back_what_they_cost(tenant):
    """Four at 4.04 for half: 8.08. Two go in the middle of the month: 1.01 each; then the other two with all else."""
    await tenant.call("SetTestClock", time=at("2024-04-01"), standing=True)
    await tenant.apply(catalog({"key": "users", "recurring": {"amount": "4.04", "quantity": {"users": True}}}))
    await coupon(tenant, **HALF)
    await tenant.call("UpsertAccount", **ACME)
    await tenant.call("AddUsers", **ACME, user_ids=["a", "b", "c", "d"])
    await subscribe(tenant, "acme", "welcome")
    assert await totals(tenant) == [8.08]
    await tenant.advance(15 * DAY)
    for user in ("a", "b"):
        await tenant.call("RemoveUsers", **ACME, user_ids=[user], invoice="CHANGE_INVOICE_NOW")
    assert await totals(tenant) == [8.08, -1.01, -1.01]
    await tenant.call("CancelSubscription", **ACME, when="CHANGE_WHEN_NOW")
    assert sorted(await totals(tenant)) == [-2.02, -1.01, -1.01, 8.08]
    await verified(tenant)


@pytest.mark.parametrize(("off", "total"), [("25", 4.00), ("35", 0.00)])
async def test_dj_22_a_value_is_never_below_nothing(tenant, off, total):
    await shop(tenant)
    await coupon(tenant, code="V", amount_off=Money(units=int(off)))
    await subscribe(tenant, "acme", "V")
    assert await totals(tenant) == [total]
    await verified(tenant)


async def test_dj_25_all_of_it_off_is_an_invoice_of_nothing_and_then_the_usual_price(tenant):
    await shop(tenant)
    await coupon(tenant, code="FREE", percent_off="100")
    await subscribe(tenant, "acme", "FREE")
    assert await totals(tenant) == [0.00]
    assert (await invoices(tenant, state="INVOICE_STATE_PAID"))[0].number
    await tenant.advance(31 * DAY)
    assert await totals(tenant) == [0.00, 29.00]


async def test_dj_24_by_date_plan_uses_and_account_and_any_combination(tenant):
    await shop(tenant)
    document = catalog(PRO)
    document["plans"]["big"] = {**document["plans"]["pro"], "name": "Big"}
    await tenant.apply(document)
    ends = at("2024-03-10")
    made = await coupon(tenant, code="Ten", percent_off="10", plan_keys=["big"], end_time=ends, max_uses=2)
    assert (made.code, made.used, made.max_uses_per_account) == ("TEN", 0, 1)
    usual = await coupon(tenant, code="usual", percent_off="10")
    assert usual.end_time.seconds - usual.start_time.seconds == 30 * DAY
    precondition = grpc.StatusCode.FAILED_PRECONDITION
    assert await failure(subscribe(tenant, "acme", "ten")) == (precondition, "COUPON_NOT_APPLICABLE")
    assert await failure(subscribe(tenant, "acme", "none")) == (grpc.StatusCode.NOT_FOUND, "COUPON_NOT_FOUND")
    missing = await failure(tenant.call("GetSubscription", **ACME))
    assert missing == (grpc.StatusCode.NOT_FOUND, "SUBSCRIPTION_NOT_FOUND")  # all of it, or nothing
    await subscribe(tenant, "acme", "TEN", plan="big")
    again = tenant.call("CheckCoupon", code="ten", **ACME)
    assert await failure(again) == (precondition, "COUPON_EXHAUSTED")
    await subscribe(tenant, "globex", "TEN", plan="big")
    assert await failure(subscribe(tenant, "hooli", "TEN", plan="big")) == (precondition, "COUPON_EXHAUSTED")
    await coupon(tenant, code="last", percent_off="10", end_time=ends)
    await tenant.advance_to(at("2024-03-09 23:59:59"))
    assert (await tenant.call("CheckCoupon", code="last")).coupon.code == "LAST"
    await tenant.advance_to(ends)
    assert await failure(tenant.call("CheckCoupon", code="last")) == (precondition, "COUPON_EXPIRED")
    await tenant.call("ArchiveCoupon", code="usual")
    assert await failure(tenant.call("CheckCoupon", code="usual")) == (grpc.StatusCode.NOT_FOUND, "COUPON_NOT_FOUND")
    known = {each.code: each.archived for each in (await tenant.call("ListCoupons")).coupons}
    assert known == {"LAST": False, "USUAL": True, "TEN": False}


async def test_dj_24_defect_17_fifty_at_once_on_ten_uses_are_ten(tenant):
    await shop(tenant)
    await coupon(tenant, code="FIRST", percent_off="10", max_uses=10)
    for index in range(50):
        await tenant.call("UpsertAccount", account_id=f"a{index}")

    async def one(index):
        asked = {"account_id": f"a{index}", "plan_key": "pro", "coupon_codes": ["first"]}
        try:
            await tenant.call("CreateSubscription", **asked)
        except grpc.aio.AioRpcError as error:
            return error.code()
        return None

    outcomes = await asyncio.gather(*map(one, range(50)))
    assert outcomes.count(None) == 10
    assert set(outcomes) == {None, grpc.StatusCode.FAILED_PRECONDITION}
    (only,) = (await tenant.call("ListCoupons")).coupons
    assert only.used == 10


async def test_a_cancelled_month_gives_back_what_it_cost_in_fact(tenant):
    """Half of 30.00 for a month of 30 days; cancelled after ten days two thirds of 15.00 come back."""
    await tenant.call("SetTestClock", time=at("2024-04-01"), standing=True)
    await tenant.apply(catalog({"recurring": {"amount": "30.00"}}))
    await coupon(tenant, **HALF)
    await subscribe(tenant, "acme", "WELCOME")
    assert await totals(tenant) == [15.00]
    await tenant.advance(10 * DAY)
    await tenant.call("CancelSubscription", **ACME, when="CHANGE_WHEN_NOW")
    assert await totals(tenant) == [15.00, -10.00]
    note = (await invoices(tenant))[-1]
    assert await lines(tenant, note) == [("Credit: Pro", -10.00)]
    await verified(tenant)


async def test_what_ends_at_the_instant_of_its_invoice_gives_back_what_it_cost_in_fact(tenant):
    """14.50 for March; another plan from the very instant of April's invoice on gives back 14.50, not 29.00."""
    await shop(tenant)
    document = catalog(PRO)
    document["plans"]["big"] = {**document["plans"]["pro"], "name": "Big"}
    await tenant.apply(document)
    await coupon(tenant, code="H", percent_off="50", plan_keys=["pro"], forever=True)
    await subscribe(tenant, "acme", "H")
    await tenant.advance_to(at("2024-04-01"))
    assert await totals(tenant) == [14.50, 14.50]
    await tenant.call("ChangePlan", **ACME, plan_key="big", when="CHANGE_WHEN_NOW", invoice="CHANGE_INVOICE_NOW")
    assert await totals(tenant) == [14.50, 14.50, 14.50]
    (change,) = await invoices(tenant, kind="INVOICE_KIND_CHANGE")  # issued at the instant of April's
    assert sorted(await lines(tenant, change)) == [("Big", 29.00), ("Credit: Pro", -14.50)]
    await verified(tenant)


BAD = [
    ({"code": "x"}, "coupon.off"),
    ({"code": "x", "percent_off": "0"}, "coupon.percent_off"),
    ({"code": "x", "percent_off": "101"}, "coupon.percent_off"),
    ({"code": "x", "percent_off": "many"}, "coupon.percent_off"),
    ({"code": "x", "amount_off": Money(units=-1)}, "coupon.amount_off"),
    ({"code": "x", "amount_off": Money(units=1, nanos=1_000_000)}, "coupon.amount_off"),
    ({"code": "x", "amount_off": Money(units=1, currency_code="EUR")}, "coupon.amount_off.currency_code"),
    ({"code": "x", "percent_off": "5", "invoices": 0}, "coupon.invoices"),
    ({"code": "x", "percent_off": "5", "forever": False}, "coupon.forever"),
    ({"code": "x", "percent_off": "5", "max_uses": 0}, "coupon.max_uses"),
    ({"code": "x", "percent_off": "5", "end_time": at("2001-01-01")}, "coupon.end_time"),
    ({"code": "", "percent_off": "5"}, "coupon.code"),
    ({"code": "two words", "percent_off": "5"}, "coupon.code"),
]


@pytest.mark.parametrize(("fields", "field"), BAD, ids=[f"{field}-{index}" for index, (_, field) in enumerate(BAD)])
async def test_what_is_wrong_with_a_coupon_is_named(tenant, fields, field):
    await shop(tenant)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await coupon(tenant, **fields)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert f"'{field}'" in repr(caught.value.details()) or field in caught.value.details()


async def test_the_same_coupon_again_is_the_same_and_another_of_its_code_a_conflict(tenant):
    await shop(tenant)
    first = await coupon(tenant, **HALF)
    await subscribe(tenant, "acme", "welcome")
    again = await coupon(tenant, **HALF)
    assert (again.create_time, again.used) == (first.create_time, 1)
    other = await failure(coupon(tenant, **{**HALF, "percent_off": "60"}))
    assert other[1] == "ALREADY_EXISTS"
    twice = await failure(subscribe(tenant, "globex", "welcome", "WELCOME"))
    assert twice == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


@pytest.mark.parametrize(("days", "back"), [(0, -32.67), (15, -16.86)], ids=["at its opening", "after 15 of 31 days"])
async def test_a_preview_of_an_end_gives_back_what_was_paid_and_shows_the_credit_note(tenant, days, back):
    """49.00 less 33.333 % is 32.67: all of it, or 16 of 31 days, 25.2903 less 8.4300."""
    await shop(tenant, {"recurring": {"amount": "49.00"}})
    await coupon(tenant, code="Third", percent_off="33.333")
    await subscribe(tenant, "acme", "third")
    assert await totals(tenant) == [32.67]
    await tenant.advance(days * DAY)
    cancel = {**ACME, "when": "CHANGE_WHEN_NOW"}
    told = await tenant.call("PreviewChange", cancel=cancel)
    assert [(line.text, dollars(line.amount)) for line in told.lines] == [("Credit: Pro", back)]
    (announced,) = told.invoices
    assert dollars(announced.total) == back
    await tenant.call("CancelSubscription", **cancel)
    if not days:
        (left,) = (await tenant.call("PreviewInvoice", **ACME)).invoices
        assert dollars(left.total) == back
    assert sorted(await totals(tenant)) == [back, 32.67]
    note = (await tenant.call("GetInvoice", invoice_id=announced.invoice_id)).invoice
    assert list(note.lines) == list(announced.lines) == list(told.lines)
    assert not (await tenant.call("PreviewInvoice", **ACME)).invoices


async def test_a_preview_of_another_plan_shows_its_lines_as_they_will_be(tenant):
    """A tenth is off: of 36.00 for April half comes back, of 100.00 for the other plan half is charged, for 45.00."""
    await tenant.call("SetTestClock", time=at("2024-04-01"), standing=True)
    document = catalog({"recurring": {"amount": "40.00"}})
    document["plans"]["big"] = {**document["plans"]["pro"], "name": "Big", "prices": [{"recurring": {"amount": "100"}}]}
    await tenant.apply(document)
    await tenant.call("UpsertAccount", **ACME)
    await tenant.call("GrantDiscount", discount={**ACME, "text": "Partner", "percent_off": "10", "discount_id": "d"})
    await subscribe(tenant)
    assert await totals(tenant) == [36.00]
    await tenant.advance(15 * DAY)
    change = {**ACME, "plan_key": "big", "when": "CHANGE_WHEN_NOW"}
    told = await tenant.call("PreviewChange", change_plan=change)
    shown = sorted((line.text, dollars(line.amount)) for line in told.lines)
    assert shown == [("Big", 45.00), ("Credit: Pro", -18.00)]
    await tenant.call("ChangePlan", **change)
    await tenant.advance(15 * DAY)
    assert (await totals(tenant))[1:] == [dollars(told.invoices[0].total)] == [117.00]
    issued = (await tenant.call("GetInvoice", invoice_id=told.invoices[0].invoice_id)).invoice
    assert all(line in issued.lines for line in told.lines)
