"""Rows about what is paid for others, for later, or in advance. Figures by hand."""

import asyncio

import grpc
import pytest

from invoicing import DAY, at, catalog, dollars, invoices, run
from invoicing import lines as charged_lines
from tenants import failure

PRO = {"recurring": {"amount": "29.00"}}
YEAR = {"type": "percentage", "value": "20", "length": 12}
BOSS = {"account_id": "boss"}
INVALID = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


async def shop(tenant, *prices, **parts):
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    await tenant.apply(catalog(*(prices or (PRO,)), **parts))
    for account in ("boss", "ann", "bob"):
        await tenant.call("UpsertAccount", account_id=account)


async def buyer(tenant, *, allowed=True):
    await tenant.call("SetBillingProfile", **BOSS, party={"name": "Boss"}, group_buy=allowed)


async def order(tenant, *items, codes=(), order_id="o1"):
    return await tenant.call("CreateOrder", **BOSS, order_id=order_id, items=items, coupon_codes=codes)


async def complete(tenant, order_id="o1"):
    return await tenant.call("CompleteOrder", order_id=order_id, terms_version="1")


def charged(documents):
    return [[(line.text, dollars(line.amount), line.subscriber) for line in each.lines] for each in documents]


async def totals(tenant, account):
    await run(tenant)
    return [dollars(each.total) for each in await invoices(tenant, account_id=account)]


async def verified(tenant):
    for invoice in await invoices(tenant):
        assert not (await tenant.call("VerifyInvoice", invoice_id=invoice.invoice_id)).differences


def pro(**fields):
    ordered = {"plan_key": "pro", "advance_length": fields.pop("advance_length", 0)}
    return {"subscription": ordered, **fields}


async def test_dj_31_the_payer_has_the_invoice_and_the_subscriber_the_entitlement(tenant):
    """29.00 once and once 10.00 for Ann; she pays nothing for March, and her own April."""
    await shop(tenant, PRO, {"setup": {"amount": "10.00", "label": "Set-up"}})
    await buyer(tenant)
    made = await order(tenant, pro(account_id="ann"))
    done = await complete(tenant)
    lines = [("Pro for ann", 29.00, "ann"), ("Set-up for ann", 10.00, "ann")]
    assert charged(made.quote) == charged(done.invoices) == [lines]
    assert done.invoices[0].account_id == "boss"
    assert (await tenant.check("ann", "calls")).allowed
    assert not (await tenant.check("boss", "calls")).allowed
    assert await totals(tenant, "ann") == []
    await tenant.call("SetGateway", name="fake")
    await tenant.call("AttachMethod", **BOSS, token="fake_ok")
    await tenant.call("Pay", invoice_id=done.invoices[0].invoice_id)
    (paid,) = (await tenant.call("ListPayments", **BOSS)).payments
    assert dollars(paid.amount) == 39.00
    await tenant.advance_to(at("2024-04-01"))
    assert (await totals(tenant, "ann"), await totals(tenant, "boss")) == ([29.00], [39.00])
    await verified(tenant)


async def days(tenant, document):
    """Of each line the first day and the day after the last."""
    full = (await tenant.call("GetInvoice", invoice_id=document.invoice_id)).invoice
    spans = [(line.text, line.start_time, line.end_time) for line in full.lines]
    return [(text, *(stamp.ToJsonString()[:10] for stamp in span)) for text, *span in spans]


async def test_dj_31_what_is_bought_for_others_is_of_the_period_that_was_bought(tenant):
    """Ann's year from 1 March, Bob's month, and the set-up of both; a claim's period begins when it is redeemed."""
    await shop(tenant, PRO, {"setup": {"amount": "10.00", "label": "Set-up"}}, advance_discounts=[YEAR])
    await buyer(tenant)
    items = pro(account_id="ann", advance_length=12), pro(account_id="bob"), pro(email="c@d.example")
    made = await order(tenant, *items)
    done = await complete(tenant)
    (invoice,) = done.invoices
    year, month, once = ("2024-03-01", "2025-03-01"), ("2024-03-01", "2024-04-01"), ("2024-03-01", "2024-03-01")
    expected = [
        ("Pro (12 months, 20% off) for ann", *year),
        ("Set-up for ann", *once),
        ("Pro for bob", *month),
        ("Set-up for bob", *once),
        ("Pro for c@d.example", *once),
        ("Set-up for c@d.example", *once),
    ]
    assert await days(tenant, invoice) == expected
    assert [(line.text, line.start_time, line.end_time) for line in made.quote[0].lines] == [
        (line.text, line.start_time, line.end_time) for line in invoice.lines
    ]
    assert (invoice.start_time, invoice.end_time) == (at("2024-03-01"), at("2025-03-01"))
    html = (await tenant.call("RenderInvoice", invoice_id=invoice.invoice_id)).content.decode()
    assert "Mar 1, 2024 \N{EN DASH} Feb 28, 2025" in html
    explained = await tenant.call("ExplainLine", invoice_id=invoice.invoice_id, line=1)
    assert (explained.line.start_time, explained.line.end_time) == (at("2024-03-01"), at("2025-03-01"))
    await verified(tenant)


async def test_dj_31_a_renewal_is_of_the_period_that_it_adds(tenant):
    rule = {"every": "month", "renewal": "repeat"}
    await shop(tenant, PRO, billing_rule=rule)
    await buyer(tenant)
    await tenant.call("CreateSubscription", account_id="ann", plan_key="pro")
    await tenant.advance_to(at("2024-03-20"))
    await order(tenant, {"renewal": {}, "account_id": "ann"})
    (invoice,) = (await complete(tenant)).invoices
    assert await days(tenant, invoice) == [("Pro for ann", "2024-04-01", "2024-05-01")]


async def test_dj_38_a_year_that_was_bought_for_another_becomes_income_month_by_month(tenant):
    """278.00 / 12: 23.16 each month; after the first that is income, and 254.84 is not."""
    await shop(tenant, PRO, advance_discounts=[YEAR])
    await buyer(tenant)
    await order(tenant, pro(account_id="ann", advance_length=12))
    await complete(tenant)
    await tenant.advance_to(at("2024-04-02"))
    await run(tenant)
    found = (await tenant.call("GetTrialBalance")).balances
    stands = {one.ledger_account: dollars(one.balance) for one in found}
    assert {name: abs(stands[name]) for name in ("seller:Income", "seller:Backlog")} == {
        "seller:Income": pytest.approx(23.16),
        "seller:Backlog": pytest.approx(254.84),
    }


async def test_dj_31_who_may_not_buy_for_others_is_told_so_by_the_field(tenant):
    await shop(tenant)
    for allowed in (None, False):
        if allowed is not None:
            await buyer(tenant, allowed=allowed)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await order(tenant, pro(), pro(account_id="ann"))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "field=items[1].account_id" in caught.value.details()
    await buyer(tenant)
    await order(tenant, pro(account_id="ann"))
    await buyer(tenant, allowed=False)
    assert await failure(complete(tenant)) == INVALID


async def test_dj_31_an_unknown_e_mail_gets_a_claim_that_one_redeems_once_for_nothing(tenant):
    """A year for 278.00 in advance; who redeems it in May has it until next May."""
    await shop(tenant, PRO, advance_discounts=[YEAR])
    await buyer(tenant)
    await order(tenant, pro(email="new@acme.example", advance_length=12))
    done = await complete(tenant)
    assert charged(done.invoices) == [[("Pro (12 months, 20% off) for new@acme.example", 278.00, "new@acme.example")]]
    (claim,) = done.claims
    assert (claim.item, claim.email) == (0, "new@acme.example")
    assert not (await complete(tenant)).claims  # a code is shown once
    await tenant.advance_to(at("2024-05-01"))
    both = await asyncio.gather(
        *(tenant.call("RedeemClaim", code=claim.code.lower(), account_id=each) for each in ("ann", "bob")),
        return_exceptions=True,
    )
    (redeemed,) = [each for each in both if not isinstance(each, BaseException)]
    (refused,) = [each for each in both if isinstance(each, BaseException)]
    assert (refused.code(), redeemed.order_id) == (PRECONDITION, "o1")
    holder = redeemed.account_id
    again = await tenant.call("RedeemClaim", code=claim.code, account_id=holder)
    assert again.subscription_id == redeemed.subscription_id
    assert (await tenant.check(holder, "calls")).allowed
    assert await totals(tenant, holder) == []
    await tenant.advance_to(at("2025-05-01"))
    assert await totals(tenant, holder) == [29.00]
    kept = (await tenant.call("GetOrder", order_id="o1")).order.items[0]
    assert kept.subscription_id == redeemed.subscription_id
    await verified(tenant)


async def test_dj_32_one_invoice_renews_many_each_with_its_own_end(tenant):
    """A certificate of 100.00 a year that is renewed by hand: Ann's from March, Bob's from April."""
    rule = {"every": "year", "renewal": "repeat", "renewal_approval": True}
    await shop(tenant, {"recurring": {"amount": "100.00", "every": "year"}}, billing_rule=rule)
    await buyer(tenant)
    await tenant.call("CreateSubscription", account_id="ann", plan_key="pro")
    await tenant.advance_to(at("2024-04-01"))
    await tenant.call("CreateSubscription", account_id="bob", plan_key="pro")
    await run(tenant)
    await tenant.advance_to(at("2025-02-01"))
    missing = {"renewal": {"approved": False}}
    refused = await failure(order(tenant, {**missing, "account_id": "ann"}))
    assert refused == (PRECONDITION, "APPROVAL_REQUIRED")
    renewal = {"renewal": {"approved": True}}
    await order(tenant, {**renewal, "account_id": "ann"}, {**renewal, "account_id": "bob"})
    done = await complete(tenant)
    assert charged(done.invoices) == [[("Pro for ann", 100.00, "ann"), ("Pro for bob", 100.00, "bob")]]
    ends = [(await tenant.call("GetSubscription", account_id=each)).subscription.end_time for each in ("ann", "bob")]
    assert ends == [at("2026-03-01"), at("2026-04-01")]
    await tenant.advance_to(at("2025-06-01"))
    assert [await totals(tenant, each) for each in ("ann", "bob", "boss")] == [[100.00], [100.00], [200.00]]
    await tenant.advance_to(at("2026-03-01"))
    assert not (await tenant.check("ann", "calls")).allowed
    assert (await tenant.check("bob", "calls")).allowed
    await verified(tenant)


async def test_dj_39_quota_in_advance_is_kept_or_expires_and_is_not_charged_again(tenant):
    """0.50 a thousand: 4,000 units that stay for 2.00, and 2,000 until April for 1.00, which burn first.

    March uses 1,000 of the plan and 3,000 more: 2,000 of what expires and 1,000 of what stays. In April another 5,000:
    1,000 of the plan, 3,000 that were kept, and 1,000 are overage for 0.50.
    """
    usage = {"usage": {"feature_key": "calls", "unit_amount": "0.50", "per_units": 1000, "label": "Calls"}}
    await shop(tenant, PRO, usage, entitlements={"calls": {"limit": 1000, "overage": "allow"}})
    await tenant.call("CreateSubscription", **BOSS, plan_key="pro")
    kept = {"quota": {"feature_key": "calls", "quantity": 4000}}
    until = {"quota": {"feature_key": "calls", "quantity": 2000, "expire_time": at("2024-04-01")}}
    await order(tenant, kept, until)
    done = await complete(tenant)
    lines = [("Calls (4,000 in advance)", 2.00, "boss"), ("Calls (2,000 in advance)", 1.00, "boss")]
    assert charged(done.invoices) == [lines]
    assert (await tenant.consume("boss", "calls", 4000)).allowed
    await tenant.usage_reaches("boss", "calls", 4000)
    await tenant.advance_to(at("2024-04-01"))
    await run(tenant)
    assert (await tenant.consume("boss", "calls", 5000)).allowed
    await tenant.usage_reaches("boss", "calls", 5000)
    await tenant.advance_to(at("2024-05-01"))
    assert sorted(await totals(tenant, "boss")) == [3.00, 29.00, 29.00, 29.50]
    await verified(tenant)


async def test_a_coupon_is_for_all_that_an_order_sells_outright(tenant):
    """25.00 over two months of 29.00: 12.50 each."""
    await shop(tenant)
    await buyer(tenant)
    await tenant.call("CreateCoupon", coupon={"code": "C", "amount_off": {"units": 25}, "plan_keys": ["pro"]})
    made = await order(tenant, pro(account_id="ann"), pro(account_id="bob"), codes=["C"])
    done = await complete(tenant)
    lines = [("Pro for ann", 16.50, "ann"), ("Pro for bob", 16.50, "bob")]
    assert charged(made.quote) == charged(done.invoices) == [lines]
    await verified(tenant)


BY_SEAT = {"key": "seats", "recurring": {"amount": "15.00", "quantity": {"seats": "seats"}, "label": "Seats"}}
BY_USER = {"key": "users", "recurring": {"amount": "4.00", "quantity": {"users": True}, "label": "Users"}}


async def test_dj_31_seats_and_users_are_paid_for_others_and_the_holder_pays_those_beyond(tenant):
    """Two seats and three users of a month: 29.00 + 30.00 + 12.00 for the boss.

    Ann takes two seats for nothing more, and a third on 16 April, half a month for 7.50. May is hers: 29.00, three
    seats and three booked users: 29.00 + 45.00 + 12.00.
    """
    await shop(tenant, PRO, BY_SEAT, BY_USER)
    await buyer(tenant)
    await tenant.advance_to(at("2024-04-01"))
    booked = {"subscription": {"plan_key": "pro", "seats": {"seats": 2}, "users": 3}}
    made = await order(tenant, {**booked, "account_id": "ann"}, {**booked, "email": "new@acme.example"})
    done = await complete(tenant)
    lines = [("Pro", 29.00), ("Seats (2 @ $15.00)", 30.00), ("Users (3 @ $4.00)", 12.00)]
    expected = [(f"{text} for {who}", amount, who) for who in ("ann", "new@acme.example") for text, amount in lines]
    assert charged(made.quote) == charged(done.invoices) == [expected]
    await assigned(tenant, "ann", "u1", "u2")
    await tenant.advance_to(at("2024-04-16"))
    assert await totals(tenant, "ann") == []
    await assigned(tenant, "ann", "u3")
    await tenant.call("RedeemClaim", code=done.claims[0].code, account_id="bob")
    await tenant.advance_to(at("2024-05-01"))
    assert await totals(tenant, "ann") == [93.50]
    (invoice,) = await invoices(tenant, account_id="ann")
    assert sorted(await charged_lines(tenant, invoice)) == [
        ("Pro", 29.00),
        ("Seats (1)", 7.50),
        ("Seats (3 @ $15.00)", 45.00),
        ("Users (3 @ $4.00)", 12.00),
    ]
    assert await totals(tenant, "bob") == []
    await tenant.advance_to(at("2024-05-16"))
    assert await totals(tenant, "bob") == [71.00]
    await verified(tenant)


async def test_dj_32_a_renewal_for_others_pays_the_seats_that_they_have(tenant):
    """Ann booked one seat and has two from 16 March on, 15.00 x 16/31 = 7.74: the boss pays 29.00 and both for April.

    Her third seat in April is her own, 15.00.
    """
    await shop(tenant, PRO, BY_SEAT, billing_rule={"renewal": "repeat"})
    await buyer(tenant)
    await tenant.call("CreateSubscription", account_id="ann", plan_key="pro", seats={"seats": 1})
    assert await totals(tenant, "ann") == [44.00]
    await tenant.advance_to(at("2024-03-16"))
    await assigned(tenant, "ann", "u1", "u2")
    await order(tenant, {"renewal": {}, "account_id": "ann"})
    done = await complete(tenant)
    lines = [("Pro for ann", 29.00, "ann"), ("Seats (2 @ $15.00) for ann", 30.00, "ann")]
    assert charged(done.invoices) == [lines]
    await tenant.advance_to(at("2024-04-01"))
    assert await totals(tenant, "ann") == [44.00, 7.74]
    await assigned(tenant, "ann", "u3")
    await tenant.advance_to(at("2024-05-01"))
    assert await totals(tenant, "ann") == [44.00, 7.74, 15.00]
    await verified(tenant)


async def assigned(tenant, account, *users):
    for user in users:
        await tenant.call("AssignSeat", account_id=account, feature_key="seats", user_id=user)


async def test_what_cannot_be_bought_so_is_refused_by_its_field(tenant):
    seats = {"key": "seats", "recurring": {"amount": "5.00", "quantity": {"seats": "seats"}}}
    await shop(tenant, PRO, seats)
    await buyer(tenant)
    twice = (pro(account_id="ann"), {"renewal": {}, "account_id": "ann"})
    for items, field in [
        ((pro(account_id="ann"),), "items[0].subscription.seats[seats]"),
        (({"subscription": {"plan_key": "pro", "users": 2}, "account_id": "ann"},), "items[0].subscription.users"),
        (twice, "items[1]"),
        (({"quota": {"feature_key": "calls", "quantity": 5}},), "items[0].quota.feature_key"),
    ]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await order(tenant, *items)
        assert f"field={field}," in caught.value.details()
    none = await failure(order(tenant, {"renewal": {}, "account_id": "ann"}))
    assert none == (grpc.StatusCode.NOT_FOUND, "SUBSCRIPTION_NOT_FOUND")
    assert await failure(tenant.call("RedeemClaim", code="AAAA", account_id="ann")) == (
        grpc.StatusCode.NOT_FOUND,
        "CLAIM_NOT_FOUND",
    )


async def test_a_code_that_was_lost_is_replaced_and_refused_by_name(tenant):
    await shop(tenant)
    await buyer(tenant)
    await order(tenant, pro(email="new@acme.example"), pro(account_id="bob"))
    first = {"order_id": "o1", "item": 0}
    early = await failure(tenant.call("ReplaceClaimCode", **first))
    (lost,) = (await complete(tenant)).claims
    made = (await tenant.call("ReplaceClaimCode", **first)).claim
    assert (made.item, made.email, made.code == lost.code) == (0, "new@acme.example", False)
    redeemed = await tenant.call("RedeemClaim", code=made.code, account_id="ann")
    found = [
        early,
        *[
            await failure(tenant.call(method, **fields))
            for method, fields in (
                ("RedeemClaim", {"code": lost.code, "account_id": "ann"}),
                ("RedeemClaim", {"code": lost.code.lower(), "account_id": "bob"}),
                ("ReplaceClaimCode", first),
                ("ReplaceClaimCode", {**first, "item": 1}),
            )
        ],
    ]
    assert [reason for _, reason in found] == [
        "ORDER_CLOSED",
        "CLAIM_REPLACED",
        "CLAIM_REPLACED",
        "CLAIM_REDEEMED",
        "INVALID_FIELD",
    ]
    assert (await tenant.call("RedeemClaim", code=made.code, account_id="ann")) == redeemed


async def test_a_trial_comes_before_what_was_paid(tenant):
    await shop(tenant, trial={"days": 14})
    await buyer(tenant)
    await order(tenant, pro(account_id="ann"))
    assert charged((await complete(tenant)).invoices) == [[("Pro for ann", 29.00, "ann")]]
    await tenant.advance(14 * DAY)
    assert await totals(tenant, "ann") == []
    await tenant.advance_to(at("2024-04-15"))
    assert await totals(tenant, "ann") == [29.00]
