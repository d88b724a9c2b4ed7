"""What users of other billing engines reported, each once through the API: none of it happens here. Figures by hand.

Those of gateways' events, dunning and coupons stand beside these: 13, 16 and 17.
"""

import asyncio
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

import invoicing
from tallygate_api.v1 import invoice_pb2
from tallygate_api.v1.subscription_pb2 import SubscriptionState
from tenants import failure, reason_name

CALLS = {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}
MONTHLY = {"every": "month", "anchor": "calendar"}


def at(*when, zone="UTC"):
    return Timestamp(seconds=int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp()))


async def stand(tenant, *when, zone="UTC"):
    await tenant.call("SetTestClock", time=at(*when, zone=zone), standing=True)


async def publish(tenant, *prices, others=None, currency="USD", **plan):
    """Plans of these prices: `pro`, and others by key."""

    def version(key, own, **more):
        entitlements = {"calls": {"unlimited": True}}
        return {"version": 1, "name": key.title(), "entitlements": entitlements, "prices": list(own), **more}

    plans = {"pro": version("pro", prices, **plan)}
    plans |= {key: version(key, own, **plan) for key, own in (others or {}).items()}
    features = {"calls": {"kind": "metered"}}
    await tenant.apply({"currency": currency, "billing": {"grace": "0s"}, "features": features, "plans": plans})


async def subscribe(tenant, account="acme", plan="pro", **more):
    await tenant.call("UpsertAccount", account_id=account, plan_key=plan, **more)


async def run(tenant):
    """Issue all that is due; then every document, in order of number, with its lines."""
    await invoicing.run(tenant)
    found = (await tenant.call("ListInvoices", page_size=100)).invoices
    whole = [(await tenant.call("GetInvoice", invoice_id=one.invoice_id)).invoice for one in found]
    return sorted(whole, key=lambda one: one.number)


def cents(money):
    return money.units * 100 + money.nanos // 10_000_000


def lines(*documents):
    return [(line.text, cents(line.amount)) for one in documents for line in one.lines]


def local(stamp, zone="UTC"):
    return datetime.fromtimestamp(stamp.seconds, ZoneInfo(zone)).strftime("%m-%d %H:%M")


async def test_defect_01_a_day_that_a_month_lacks_moves_no_later_one(tenant):
    await stand(tenant, 2026, 1, 31)
    await publish(tenant, {"recurring": {"amount": "29"}})
    await subscribe(tenant)
    await stand(tenant, 2026, 5, 1)
    found = await run(tenant)
    assert [local(one.end_time) for one in found] == ["02-28 00:00", "02-28 00:00", "03-31 00:00", "04-30 00:00"]
    assert {cents(one.total) for one in found} == {2900}


async def test_defect_02_a_month_in_the_accounts_zone_is_billed_once(tenant):
    """Tokyo's April begins at 15:00 on 31 March UTC: both dates are another month's in UTC."""
    await stand(tenant, 2026, 3, 10, zone="Asia/Tokyo")
    await publish(tenant, {"recurring": {"amount": "10.00"}}, billing=MONTHLY)
    await subscribe(tenant, time_zone="Asia/Tokyo")
    await stand(tenant, 2026, 3, 31, 14, 59, 59)
    assert len(await run(tenant)) == 1
    for hour in (15, 16, 23):
        await stand(tenant, 2026, 3, 31, hour, 0, 1)
        assert len(await run(tenant)) == 2
    await stand(tenant, 2026, 4, 30, 14, 59, 59)
    assert len(await run(tenant)) == 2


async def test_defect_03_usage_counts_in_the_accounts_month_up_to_its_last_hour(tenant):
    """3 calls at 23:30 on 31 March in Los Angeles are March's, 5 at 00:30 are April's; 4 on the day of the end, too."""
    zone = "America/Los_Angeles"
    await stand(tenant, 2026, 3, 1, zone=zone)
    await publish(tenant, CALLS, billing=MONTHLY)
    await subscribe(tenant, time_zone=zone)
    await stand(tenant, 2026, 3, 31, 23, 30, zone=zone)
    await tenant.consume("acme", "calls", 3)
    await stand(tenant, 2026, 4, 1, 0, 30, zone=zone)
    await tenant.consume("acme", "calls", 5)
    assert lines(*await run(tenant)) == [("calls", 150)]
    await stand(tenant, 2026, 4, 20, 17, zone=zone)
    await tenant.consume("acme", "calls", 4)
    await stand(tenant, 2026, 4, 20, 18, zone=zone)
    await tenant.call("CancelSubscription", account_id="acme", when="CHANGE_WHEN_NOW")
    await stand(tenant, 2026, 5, 2, zone=zone)
    assert lines(*await run(tenant)) == [("calls", 150), ("calls", 450)]


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 6, 23), (10, 30, 25)])
async def test_defect_04_a_clock_change_makes_neither_a_loop_nor_another_amount(tenant, month, day, hours):
    """New York's clocks change on 8 March and 1 November 2026: five days, five invoices beside the opening one."""
    zone = "America/New_York"
    await stand(tenant, 2026, month, day, zone=zone)
    await publish(
        tenant,
        {"recurring": {"amount": "1.00", "every": "day"}},
        billing={"every": "day", "anchor": "calendar"},
    )
    await subscribe(tenant, time_zone=zone)
    end = datetime(2026, month, day, tzinfo=ZoneInfo(zone)).toordinal() + 5
    last = datetime.fromordinal(end)
    await stand(tenant, last.year, last.month, last.day, 0, 0, 1, zone=zone)
    found = await run(tenant)
    assert [cents(one.total) for one in found] == [100] * 6
    assert {local(one.end_time, zone)[-5:] for one in found} == {"00:00"}
    ends = [one.end_time.seconds for one in found[1:]]
    assert found[0].end_time == found[1].end_time
    days = [ends[0] - found[0].start_time.seconds, *(later - one for one, later in pairwise(ends))]
    assert sorted({each // 3600 for each in days}) == sorted({24, hours})
    assert await run(tenant) == found


async def test_defect_05_from_nothing_to_three_on_one_day_is_charged_once(tenant):
    await stand(tenant, 2026, 4, 1, 10)
    free, paid = {"recurring": {"amount": "0.00"}}, {"recurring": {"amount": "3.00"}}
    await publish(tenant, free, others={"paid": [paid]})
    await subscribe(tenant)
    await run(tenant)
    await stand(tenant, 2026, 4, 1, 15)
    await tenant.call("ChangePlan", account_id="acme", plan_key="paid", when="CHANGE_WHEN_NOW")
    await run(tenant)
    await stand(tenant, 2026, 5, 1, 11)
    assert lines(*await run(tenant)) == [("Paid", 300), ("Paid", 300)]  # April's and May's
    assert lines(*await run(tenant)) == [("Paid", 300), ("Paid", 300)]


async def test_defect_08_a_currency_without_minor_units_is_not_charged_a_hundredfold(tenant):
    """500 yen a month; 3 calls at half a yen are 1.5, to the even one: 2."""
    await stand(tenant, 2026, 4, 1)
    await publish(tenant, {"recurring": {"amount": "500"}}, CALLS, currency="JPY")
    await subscribe(tenant)
    await tenant.consume("acme", "calls", 3)
    await stand(tenant, 2026, 5, 1)
    opening, second = await run(tenant)
    assert (opening.total.currency_code, opening.total.units, opening.total.nanos) == ("JPY", 500, 0)
    assert [(line.text, line.amount.units, line.amount.nanos) for line in second.lines] == [
        ("Pro", 500, 0),
        ("calls", 2, 0),
    ]


async def test_defect_09_a_use_that_is_reported_again_is_charged_once(tenant):
    await stand(tenant, 2026, 4, 1)
    await publish(tenant, CALLS)
    await subscribe(tenant)
    for _ in range(3):
        await tenant.consume("acme", "calls", 7, request_id="same")
    use = {"account_id": "acme", "feature_key": "calls", "quantity": 7, "request_id": "same"}
    await tenant.call("RecordUsage", items=[use, use])
    await stand(tenant, 2026, 5, 1)
    assert lines(*await run(tenant)) == [("calls", 350)]


async def test_defect_10_usage_that_comes_after_the_invoice_is_an_adjustment_with_its_own_period(tenant):
    await stand(tenant, 2026, 4, 1)
    await publish(tenant, CALLS)
    await subscribe(tenant)
    await tenant.consume("acme", "calls", 10)
    await stand(tenant, 2026, 5, 2)
    (first,) = await run(tenant)
    use = {"account_id": "acme", "feature_key": "calls", "quantity": 4, "request_id": "late"}
    (outcome,) = (await tenant.call("RecordUsage", items=[{**use, "occurred_time": at(2026, 4, 20)}])).outcomes
    assert outcome.decision.allowed
    await stand(tenant, 2026, 6, 1)
    before, adjusted = await run(tenant)
    assert (before, lines(adjusted)) == (first, [("Adjustment: calls", 200)])
    (line,) = adjusted.lines
    assert (line.start_time, line.end_time) == (at(2026, 4, 1), at(2026, 5, 1))


async def test_defect_11_a_change_in_between_charges_no_use_twice(tenant):
    """10 calls before and 5 after, at $0.50 each: $7.50."""
    await stand(tenant, 2026, 4, 1)
    await publish(tenant, CALLS, others={"big": [CALLS, {"recurring": {"amount": "1.00", "due": "arrears"}}]})
    await subscribe(tenant)
    await tenant.consume("acme", "calls", 10)
    await stand(tenant, 2026, 4, 16)
    await tenant.call("ChangePlan", account_id="acme", plan_key="big", when="CHANGE_WHEN_NOW")
    await tenant.consume("acme", "calls", 5)
    await stand(tenant, 2026, 5, 1)
    charged = [amount for text, amount in lines(*await run(tenant)) if text == "calls"]
    assert sorted(charged) == [250, 500]


async def test_defect_18_numbers_are_given_once_and_without_gaps_whoever_runs(tenant):
    await stand(tenant, 2026, 4, 1)
    await publish(tenant, {"recurring": {"amount": "1.00"}})
    for number in range(10):
        await subscribe(tenant, f"a{number}")
    await stand(tenant, 2026, 6, 15)
    await asyncio.gather(*(tenant.call("RunBilling") for _ in range(4)))
    found = await run(tenant)
    assert [int(one.number[-6:]) for one in found] == list(range(1, 31))


async def test_defect_21_no_use_is_lost_in_silence(tenant):
    """Before a subscription a use is refused with its reason, and after it charged: there is no third."""
    await stand(tenant, 2026, 4, 1)
    await publish(tenant, CALLS)
    await tenant.call("UpsertAccount", account_id="acme")
    refused = await tenant.consume("acme", "calls", 9)
    assert (refused.allowed, reason_name(refused)) == (False, "NO_SUBSCRIPTION")
    await subscribe(tenant)
    assert (await tenant.consume("acme", "calls", 2)).allowed
    await stand(tenant, 2026, 5, 1)
    assert lines(*await run(tenant)) == [("calls", 100)]


async def test_defect_23_looking_at_an_invoice_again_and_again_changes_nothing(tenant):
    """The same lines, and none covers more than its own month."""
    await stand(tenant, 2026, 4, 1)
    await publish(tenant, {"recurring": {"amount": "10.00"}}, CALLS)
    await subscribe(tenant)
    await tenant.consume("acme", "calls", 4)
    await tenant.usage_reaches("acme", "calls", 4)
    await run(tenant)
    shown = [await tenant.call("PreviewInvoice", account_id="acme") for _ in range(3)]
    assert shown[0].invoices == shown[1].invoices == shown[2].invoices
    await stand(tenant, 2026, 5, 1)
    for _ in range(3):
        _, second = await run(tenant)
        assert list(second.lines) == list(shown[0].invoices[0].lines)
    spans = {line.text: (local(line.start_time), local(line.end_time)) for line in second.lines}
    assert spans == {"calls": ("04-01 00:00", "05-01 00:00"), "Pro": ("05-01 00:00", "06-01 00:00")}


async def test_defect_06_stubs_ends_and_fees_are_by_the_days_of_the_accounts_zone(tenant):
    """In Tokyo it is the 10th, 22 days of 31 are left; a fee of half past midnight is April's; 15 of 30 come back."""
    zone = "Asia/Tokyo"
    await stand(tenant, 2026, 3, 10, 0, 30, zone=zone)
    await publish(tenant, {"recurring": {"amount": "31.00"}}, billing=MONTHLY)
    await subscribe(tenant, time_zone=zone)
    await stand(tenant, 2026, 4, 1, 0, 30, zone=zone)
    await run(tenant)
    amount = {"currency_code": "USD", "units": 7}
    await tenant.call("CreateFee", account_id="acme", amount=amount, text="Help", fee_id="help")
    await stand(tenant, 2026, 4, 16, 0, 30, zone=zone)
    await tenant.call("CancelSubscription", account_id="acme", when="CHANGE_WHEN_NOW")
    await stand(tenant, 2026, 5, 2, zone=zone)
    found = await run(tenant)
    assert sorted(lines(*found)) == [("Credit: Pro", -1550), ("Help", 700), ("Pro", 2200), ("Pro", 3100)]
    (fee,) = [one for one in found if any(line.text == "Help" for line in one.lines)]
    assert local(fee.end_time, zone) == "04-16 00:30"


async def test_defect_07_tax_is_rounded_once_on_the_sum(tenant):
    """Three fees of 0.33 in France: 20 % of 0.99 is 0.20, not three times 0.07; the lines' parts sum to it."""
    await stand(tenant, 2026, 4, 1)
    home = {"name": "Tally SAS", "address": {"country": "FR"}}
    await tenant.call("SetBillingProfile", party=home)
    document = {"grace": "0s", "tax": {}}
    await tenant.apply({"currency": "USD", "billing": document, "features": {}, "plans": {}})
    await tenant.call("UpsertAccount", account_id="acme")
    amount = {"currency_code": "USD", "nanos": 330_000_000}
    for number in range(3):
        await tenant.call("CreateFee", account_id="acme", amount=amount, text="Fee", fee_id=f"fee-{number}")
    await stand(tenant, 2026, 5, 1)
    (one,) = await run(tenant)
    assert (cents(one.subtotal), cents(one.tax), cents(one.total)) == (99, 20, 119)
    assert sorted(cents(line.tax.amount) for line in one.lines) == [6, 7, 7]


async def test_defect_12_an_upgrade_that_was_used_and_undone_is_not_given_back(tenant):
    """Half of $50 less half of $20; a downgrade waits for the month's end, and unprorated it gives nothing back."""
    await stand(tenant, 2026, 4, 1)
    await publish(tenant, {"recurring": {"amount": "20.00"}}, others={"big": [{"recurring": {"amount": "50.00"}}]})
    for account in ("acme", "other"):
        await subscribe(tenant, account)
    await run(tenant)
    await stand(tenant, 2026, 4, 16)
    for account in ("acme", "other"):
        await tenant.call("ChangePlan", account_id=account, plan_key="big", when="CHANGE_WHEN_NOW")
    await stand(tenant, 2026, 4, 17)
    await tenant.call("ChangePlan", account_id="acme", plan_key="pro")
    unprorated = {"when": "CHANGE_WHEN_NOW", "proration": "CHANGE_PRORATION_NONE"}
    await tenant.call("ChangePlan", account_id="other", plan_key="pro", **unprorated)
    await stand(tenant, 2026, 5, 1)
    found = await run(tenant)
    for account in ("acme", "other"):
        mine = [one for one in found if one.account_id == account]
        assert sorted(lines(*mine)) == [("Big", 2500), ("Credit: Pro", -1000), ("Pro", 2000), ("Pro", 2000)]


async def test_defect_19_a_cap_on_what_is_spent_is_one_whatever_comes_late(tenant):
    """200 calls at $0.50 would be $100; of $60 at most nothing is left for 10 late ones."""
    await stand(tenant, 2026, 4, 1)
    await publish(tenant, {"usage": {**CALLS["usage"], "max_spend": "60.00"}})
    await subscribe(tenant)
    await tenant.consume("acme", "calls", 200)
    await stand(tenant, 2026, 5, 2)
    assert lines(*await run(tenant)) == [("calls", 6000)]
    use = {"account_id": "acme", "feature_key": "calls", "quantity": 10, "request_id": "late"}
    (outcome,) = (await tenant.call("RecordUsage", items=[{**use, "occurred_time": at(2026, 4, 20)}])).outcomes
    assert outcome.decision.allowed
    await stand(tenant, 2026, 6, 2)
    assert lines(*await run(tenant)) == [("calls", 6000)]


async def test_defect_20_nobody_is_taxed_otherwise_than_known_and_rates_are_those_of_the_day(tenant):
    """A number that nobody has verified shifts no tax, and that is said; Estonia has 24 % since July of 2025."""
    await stand(tenant, 2025, 5, 1)
    await tenant.call("SetBillingProfile", party={"name": "Tally GmbH", "address": {"country": "DE"}})
    document = {"grace": "0s", "tax": {"collect_in": ["EE", "FI", "RO", "SK"]}}
    await tenant.apply({"currency": "USD", "billing": document, "features": {}, "plans": {}})
    numbers = {"EE": "EE100931558", "FI": "FI20774740", "RO": "RO18547290", "SK": "SK2022749619"}
    for country, number in numbers.items():
        await tenant.call("UpsertAccount", account_id=country)
        party = {"name": country, "address": {"country": country}, "tax_ids": [{"value": number}]}
        await tenant.call("SetBillingProfile", account_id=country, party=party)
    taxes = []
    for month in (6, 8):
        await stand(tenant, 2025, month, 1)
        for country in numbers:
            amount = {"currency_code": "USD", "units": 100}
            await tenant.call("CreateFee", account_id=country, amount=amount, text="Fee")
        await stand(tenant, 2025, month + 1, 1)
        found = (await run(tenant))[-4:]
        assert [list(one.tax_notices) for one in found] == [[invoice_pb2.TAX_NOTICE_TAX_ID_UNVERIFIED]] * 4
        taxes.append({one.account_id: cents(one.tax) for one in found})
    assert taxes == [
        {"EE": 2200, "FI": 2550, "RO": 1900, "SK": 2300},
        {"EE": 2400, "FI": 2550, "RO": 2100, "SK": 2300},
    ]


async def test_defect_22_and_24_every_unit_of_a_line_is_an_event_and_usage_says_the_same(tenant):
    await stand(tenant, 2026, 4, 1)
    await publish(tenant, CALLS)
    await subscribe(tenant)
    for number in range(4):
        await tenant.consume("acme", "calls", number + 1, request_id=f"call-{number}")
    await stand(tenant, 2026, 5, 2)
    (one,) = await run(tenant)
    events = (await tenant.call("ListLineEvents", invoice_id=one.number, line=1)).events
    assert [(event.request_id, event.quantity) for event in events] == [(f"call-{n}", n + 1) for n in range(4)]
    assert one.lines[0].quantity == "10"
    april = {"start_time": at(2026, 4, 1), "end_time": at(2026, 5, 1)}
    rows = (await tenant.call("GetUsage", account_id="acme", feature_key="calls", range=april)).rows
    assert [row.quantity for row in rows] == [10]


async def test_defect_25_an_expired_code_is_expired_for_its_plan_too_and_no_day_is_worth_nothing(tenant):
    """One of 31 days of $0.93 is $0.03: nothing is cut off on the way."""
    await stand(tenant, 2026, 3, 31)
    await publish(tenant, {"recurring": {"amount": "0.93"}}, billing=MONTHLY)
    coupon = {"code": "OLD", "percent_off": "50", "plan_keys": ["pro"], "end_time": at(2026, 4, 1)}
    await tenant.call("CreateCoupon", coupon=coupon)
    await subscribe(tenant)
    assert lines(*await run(tenant)) == [("Pro", 3)]
    await stand(tenant, 2026, 4, 1)
    refused = await failure(tenant.call("CheckCoupon", code="old", plan_key="pro"))
    assert refused[1] == "COUPON_EXPIRED"


async def test_defect_14_an_invoice_is_told_once_however_often_it_is_charged(tenant):
    """Refused on day 0 and tried again after 2, 5, 7 and 7 days: one invoice.created, five attempts."""
    await stand(tenant, 2026, 4, 1)
    await tenant.call("SetGateway", name="fake")
    await publish(tenant, {"recurring": {"amount": "29", "every": "year"}})
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.call("AttachMethod", account_id="acme", token="fake_later_9")
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    await stand(tenant, 2026, 4, 30)
    await run(tenant)
    told = [one.type for one in (await tenant.call("ListMessages", account_id="acme", page_size=100)).messages]
    assert (told.count("invoice.created"), told.count("payment.failed")) == (1, 5)


async def test_defect_15_whoever_charges_at_the_same_time_charges_once(tenant):
    """By hand three times, by two runs, and because a method came: one payment, and nobody is dunned who paid."""
    await stand(tenant, 2026, 4, 1)
    await tenant.call("SetGateway", name="fake")
    await publish(tenant, {"recurring": {"amount": "29"}})
    await subscribe(tenant)
    (invoice,) = await run(tenant)
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok")
    by_hand = [tenant.call("Pay", invoice_id=invoice.number) for _ in range(3)]
    await asyncio.gather(*by_hand, *(tenant.call("RunBilling") for _ in range(2)), return_exceptions=True)
    (paid,) = await run(tenant)
    payments = (await tenant.call("ListPayments", account_id="acme")).payments
    assert [cents(one.amount) for one in payments] == [2900]
    assert (paid.state, cents(paid.paid)) == (invoice_pb2.INVOICE_STATE_PAID, 2900)
    held = (await tenant.call("GetSubscription", account_id="acme")).subscription
    assert held.state == SubscriptionState.SUBSCRIPTION_STATE_ACTIVE
