"""Rows about what is off by agreement, given for a referral, or sold by others; and orders that wait for money."""

import grpc
import pytest

from invoicing import DAY, at, catalog, dollars, invoices, run
from tallygate_api.v1.billing_service_pb2 import WalletEntryKind
from tallygate_api.v1.invoice_pb2 import Money
from tallygate_api.v1.order_service_pb2 import ORDER_STATE_COMPLETED, ORDER_STATE_EXPIRED, ORDER_STATE_UNPAID
from tenants import failure

ACME = {"account_id": "acme"}
PRO = {"recurring": {"amount": "29.00"}}
YEAR = {"type": "percentage", "value": "20", "length": 12}
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
TEN = Money(units=10, currency_code="USD")


async def shop(tenant, *prices, **parts):
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    await tenant.apply(catalog(*(prices or (PRO,)), **parts))
    for account in ("acme", "globex"):
        await tenant.call("UpsertAccount", account_id=account)
    await tenant.call("SetGateway", name="fake")


async def totals(tenant, account="acme"):
    await run(tenant)
    return [dollars(each.total) for each in await invoices(tenant, account_id=account)]


async def verified(tenant, account="acme"):
    for invoice in await invoices(tenant, account_id=account):
        assert not (await tenant.call("VerifyInvoice", invoice_id=invoice.invoice_id)).differences


async def wallet(tenant, account):
    found = (await tenant.call("GetWallet", account_id=account)).balances
    return [dollars(each) for each in found]


async def sound(tenant):
    assert not (await tenant.call("AuditLedger")).differences


async def test_what_was_agreed_comes_after_advance_and_before_coupons_as_the_line_shows(tenant):
    """A year for 278.00; a tenth by agreement is 27.80, of 250.20 a coupon of 25.00: 225.20."""
    await shop(tenant, advance_discounts=[YEAR])
    agreed = {"discount_id": "d1", **ACME, "text": "Partner", "percent_off": "10"}
    await tenant.call("GrantDiscount", discount=agreed)
    await tenant.call("CreateCoupon", coupon={"code": "C", "amount_off": Money(units=25)})
    asked = {"plan_key": "pro", "advance_length": 12, "coupon_codes": ["C"]}
    quote = await tenant.call("Quote", **ACME, **asked)
    await tenant.call("CreateSubscription", **ACME, **asked)
    assert await totals(tenant) == [225.20] == [dollars(each.total) for each in quote.opening]
    (invoice,) = await invoices(tenant)
    (line,) = (await tenant.call("GetInvoice", invoice_id=invoice.invoice_id)).invoice.lines
    assert [(each.code, dollars(each.amount)) for each in line.discounts] == [("Partner", 27.80), ("C", 25.00)]
    await verified(tenant)


async def test_an_agreed_discount_is_for_its_time_and_for_its_account_alone(tenant):
    await shop(tenant)
    agreed = {"discount_id": "d1", **ACME, "amount_off": Money(units=9)}
    first = (await tenant.call("GrantDiscount", discount=agreed)).discount
    assert (await tenant.call("GrantDiscount", discount=agreed)).discount == first
    other = await failure(tenant.call("GrantDiscount", discount={**agreed, "amount_off": Money(units=8)}))
    assert other[1] == "ALREADY_EXISTS"
    for account in ("acme", "globex"):
        await tenant.call("CreateSubscription", account_id=account, plan_key="pro")
    await tenant.advance_to(at("2024-04-10"))
    await tenant.call("EndDiscount", **ACME, discount_id="d1")
    await tenant.advance_to(at("2024-05-01"))
    assert (await totals(tenant), await totals(tenant, "globex")) == ([20.00, 20.00, 29.00], [29.00, 29.00, 29.00])
    ended = (await tenant.call("ListDiscounts", **ACME)).discounts
    assert [each.end_time for each in ended] == [at("2024-04-10")]
    foreign = await failure(tenant.call("EndDiscount", account_id="globex", discount_id="d1"))
    assert foreign == (grpc.StatusCode.NOT_FOUND, "DISCOUNT_NOT_FOUND")
    await verified(tenant)


async def test_ar_25_the_referrer_is_credited_when_the_first_invoice_is_paid_and_not_before(tenant):
    """10.00 for Globex, whose own month of 29.00 they pay in part: 19.00 are left."""
    await shop(tenant)
    named = {"referrer_account_id": "globex", "referee_account_id": "acme", "amount": TEN}
    await tenant.call("CreateReferral", **named)
    await tenant.call("CreateSubscription", **ACME, plan_key="pro")
    assert (await totals(tenant), await wallet(tenant, "globex")) == ([29.00], [])
    (invoice,) = await invoices(tenant, **ACME)
    await tenant.call("AttachMethod", **ACME, token="fake_ok")
    await run(tenant)
    (referral,) = (await tenant.call("ListReferrals", account_id="globex")).referrals
    assert (referral.invoice_id, referral.HasField("earn_time")) == (invoice.invoice_id, True)
    assert await wallet(tenant, "globex") == [10.00]
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert await wallet(tenant, "globex") == [10.00]  # once, however many are paid
    await tenant.call("CreateSubscription", account_id="globex", plan_key="pro")
    await run(tenant)
    (own,) = await invoices(tenant, account_id="globex")
    assert (dollars(own.wallet), dollars(own.due)) == (10.00, 19.00)
    await sound(tenant)


@pytest.mark.parametrize("how", ["disputed", "refunded", "credited"])
@pytest.mark.parametrize("spent", [False, True])
async def test_ar_25_what_is_taken_back_of_the_first_invoice_takes_the_credit_back(tenant, spent, how):
    """What was paid is taken back or given back: the credit leaves the wallet, or what it paid is charged again."""
    await shop(tenant)
    await tenant.call("CreateReferral", referrer_account_id="globex", referee_account_id="acme", amount=TEN)
    await tenant.call("CreateSubscription", **ACME, plan_key="pro")
    await tenant.call("AttachMethod", **ACME, token="fake_ok")
    await run(tenant)
    if spent:
        await tenant.call("CreateSubscription", account_id="globex", plan_key="pro")
        await run(tenant)
    (paid,) = (await tenant.call("ListPayments", **ACME)).payments
    (invoice,) = await invoices(tenant, **ACME)
    if how == "refunded":
        await tenant.call("RefundLine", invoice_id=invoice.invoice_id, line=1)
    elif how == "credited":
        await tenant.call("CreateCreditNote", invoice_id=invoice.invoice_id)
    else:
        dispute = {"payment_id": paid.payment_id, "dispute_id": "dp1", "amount": Money(units=29, currency_code="USD")}
        for state in ("DISPUTE_STATE_OPENED", "DISPUTE_STATE_LOST"):
            await tenant.call("RecordDispute", **dispute, state=state)
    (referral,) = (await tenant.call("ListReferrals", account_id="globex")).referrals
    assert referral.HasField("return_time")
    assert await wallet(tenant, "globex") in ([], [0.00])
    moved = {
        WalletEntryKind.Name(one.kind)[18:] for one in (await tenant.call("GetWallet", account_id="globex")).entries
    }
    assert moved == {"GIVEN", "SPENT" if spent else "TAKEN_BACK"}, "nothing of it expired"
    waiting = (await tenant.call("ListUninvoicedItems", account_id="globex")).lines
    assert [dollars(line.amount) for line in waiting] == ([10.00] if spent else [])
    await sound(tenant)


async def test_a_referral_is_of_another_account_that_was_charged_nothing_yet(tenant):
    await shop(tenant)
    named = {"referrer_account_id": "globex", "referee_account_id": "acme", "amount": TEN}
    invalid = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert await failure(tenant.call("CreateReferral", **{**named, "referee_account_id": "globex"})) == invalid
    first = (await tenant.call("CreateReferral", **named)).referral
    assert (await tenant.call("CreateReferral", **named)).referral == first
    twice = await failure(tenant.call("CreateReferral", **{**named, "amount": Money(units=5, currency_code="USD")}))
    assert twice[1] == "ALREADY_EXISTS"
    await tenant.call("UpsertAccount", account_id="hooli")
    await tenant.call("CreateSubscription", account_id="hooli", plan_key="pro")
    assert await totals(tenant, "hooli") == [29.00]
    assert await failure(tenant.call("CreateReferral", **{**named, "referee_account_id": "hooli"})) == invalid


async def test_dj_23_a_coupon_is_for_the_plans_of_its_owner(tenant):
    """By default all plans of its owner; another provider's plan has the usual price, however it is come to."""
    document = catalog(PRO)
    pro = document["plans"]["pro"]
    document["plans"] |= {"ours": {**pro, "provider": "press"}, "theirs": {**pro, "provider": "studio"}}
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    await tenant.apply(document)
    for account in ("a", "b", "c"):
        await tenant.call("UpsertAccount", account_id=account)
    await tenant.call(
        "CreateCoupon", coupon={"code": "PRESS", "percent_off": "50", "provider": "press", "forever": True}
    )
    await tenant.call("CreateCoupon", coupon={"code": "HOUSE", "percent_off": "50"})
    assert (await tenant.call("CheckCoupon", code="PRESS", plan_key="ours")).coupon.provider == "press"
    refusals = {("PRESS", "theirs"), ("PRESS", "pro"), ("HOUSE", "ours")}
    for code, plan in refusals:
        refused = await failure(tenant.call("CheckCoupon", code=code, plan_key=plan))
        assert refused == (PRECONDITION, "COUPON_NOT_APPLICABLE")
        again = tenant.call("CreateSubscription", account_id="b", plan_key=plan, coupon_codes=[code])
        assert await failure(again) == (PRECONDITION, "COUPON_NOT_APPLICABLE")
    await tenant.call("CreateSubscription", account_id="a", plan_key="ours", coupon_codes=["PRESS"])
    await tenant.call("CreateSubscription", account_id="c", plan_key="pro", coupon_codes=["HOUSE"])
    assert (await totals(tenant, "a"), await totals(tenant, "c")) == ([14.50], [14.50])
    await tenant.advance_to(at("2024-04-01"))
    await run(tenant)
    await tenant.call("ChangePlan", account_id="a", plan_key="theirs", when="CHANGE_WHEN_NOW")
    await tenant.advance_to(at("2024-05-01"))
    assert sum(await totals(tenant, "a")) == pytest.approx(14.50 + 29.00 + 29.00)  # what ours cost in April came back


async def order(tenant, *codes, **fields):
    items = [{"subscription": {"plan_key": "pro", **fields}}]
    await tenant.call("CreateOrder", **ACME, order_id="o1", items=items, coupon_codes=codes)
    return await tenant.call("CompleteOrder", order_id="o1", terms_version="1")


async def state(tenant):
    return (await tenant.call("GetOrder", order_id="o1")).order.state


async def test_a_subscription_that_waits_for_its_first_payment_serves_when_it_comes(tenant):
    await shop(tenant, activation="payment")
    done = await order(tenant)
    assert (done.order.state, done.order.pay_until_time) == (ORDER_STATE_UNPAID, at("2024-03-01 23:00:00"))
    assert not (await tenant.check("acme", "calls")).allowed
    await tenant.advance(22 * 3600)
    (invoice,) = done.invoices
    await tenant.call(
        "RecordOffline", **ACME, amount=Money(units=28, currency_code="USD"), invoice_id=invoice.invoice_id
    )
    assert not (await tenant.check("acme", "calls")).allowed
    await tenant.call(
        "RecordOffline", **ACME, amount=Money(units=1, currency_code="USD"), invoice_id=invoice.invoice_id
    )
    tenant.view_version = (await tenant.call("GetAccount", **ACME)).view_version
    assert (await tenant.check("acme", "calls")).allowed
    assert await state(tenant) == ORDER_STATE_COMPLETED
    await tenant.advance(2 * 3600)
    await run(tenant)
    assert await state(tenant) == ORDER_STATE_COMPLETED
    await tenant.advance_to(at("2024-04-01"))
    assert await totals(tenant) == [29.00, 29.00]
    await verified(tenant)
    await sound(tenant)


async def test_one_that_is_not_paid_in_23_hours_is_given_up_and_its_coupon_comes_back(tenant):
    await shop(tenant, activation="payment")
    await tenant.call("CreateCoupon", coupon={"code": "C", "percent_off": "50", "max_uses": 1})
    done = await order(tenant, "C")
    await tenant.advance_to(at("2024-03-01 22:59:59"))
    await run(tenant)
    assert await state(tenant) == ORDER_STATE_UNPAID
    await tenant.advance_to(at("2024-03-05"))
    await run(tenant)
    assert await state(tenant) == ORDER_STATE_EXPIRED
    again = tenant.call("CompleteOrder", order_id="o1", terms_version="1")
    assert await failure(again) == (PRECONDITION, "ORDER_CLOSED")
    missing = await failure(tenant.call("GetSubscription", **ACME))
    assert missing == (grpc.StatusCode.NOT_FOUND, "SUBSCRIPTION_NOT_FOUND")
    kept = (await tenant.call("GetInvoice", invoice_id=done.invoices[0].invoice_id)).invoice
    assert (kept.state, dollars(kept.due)) == (3, 0.00)  # void
    told = (await tenant.call("ListMessages", **ACME, type="invoice.voided")).messages
    assert [one.create_time for one in told] == [at("2024-03-01 23:00:00")], "as of when it fell due"
    (coupon,) = (await tenant.call("ListCoupons")).coupons
    assert coupon.used == 0
    await tenant.call("CreateSubscription", **ACME, plan_key="pro", coupon_codes=["C"])
    await tenant.advance_to(at("2024-04-01"))
    assert await totals(tenant) == [14.50, 14.50]  # the void one, and that of March the 5th; nothing is given back
    await sound(tenant)


async def test_dj_25_with_nothing_to_pay_it_serves_at_once_and_so_it_does_on_trial(tenant):
    await shop(tenant, activation="payment", trial={"days": 14})
    await tenant.call("CreateCoupon", coupon={"code": "FREE", "percent_off": "100"})
    done = await order(tenant, "FREE", trial_days=0)
    assert (done.order.state, [dollars(each.total) for each in done.invoices]) == (ORDER_STATE_COMPLETED, [0.00])
    assert (await tenant.check("acme", "calls")).allowed
    items = [{"subscription": {"plan_key": "pro"}}]
    await tenant.call("CreateOrder", account_id="globex", order_id="o2", items=items)
    second = await tenant.call("CompleteOrder", order_id="o2", terms_version="1")
    assert second.order.state == ORDER_STATE_COMPLETED
    assert (await tenant.check("globex", "calls")).allowed
