"""Rows about those who earn beside the tenant: providers, other accounts and the platform. Figures by hand."""

import secrets

import grpc
import pytest

from conftest import testing_settings
from invoicing import at, catalog, dollars, invoices, lines, run, seat
from tallygate.app import Application
from tallygate.domain.credential import ENTROPY_BYTES, mint_key
from tallygate.settings import BillingSettings
from tallygate_api.v1 import partner_service_pb2 as wire
from tallygate_api.v1.invoice_pb2 import Money
from tenants import Tenant, failure, reason_name

ACME = {"account_id": "acme"}
ON_THE_25TH = {"every": "month", "anchor": "calendar", "day": 25}
POLICY = {"payment": {"due": {"day_of_month": 2}}}
USERS = {"amount": "15.00", "quantity": {"seats": "seats"}, "due": "arrears", "label": "Monthly user fees"}
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


def usd(amount):
    units, _, cents = f"{amount:.2f}".partition(".")
    return Money(units=int(units), nanos=int(cents) * 10_000_000, currency_code="USD")


async def shop(tenant, *prices, time="2026-01-01", **parts):
    """Nothing is collected by itself, so that a test says when money comes."""
    await tenant.call("SetTestClock", time=at(time), standing=True)
    document = catalog(*prices, billing_rule=ON_THE_25TH, billing=POLICY, **parts)
    await tenant.apply(document)
    await tenant.call("UpsertAccount", **ACME, **({} if prices else {"plan_key": "pro"}))


async def agree(tenant, kind, accepted=None, **more):
    share = {"kind": f"SHARE_KIND_{kind}", **({} if accepted is None else {"accepted_percent": accepted}), **more}
    return (await tenant.call("SetShare", share=share)).share


async def bill(tenant, amount, provider="maps", **more):
    wanted = {"provider": provider, **ACME, "text": "Maps", "price": usd(amount), **more}
    return (await tenant.call("SubmitBill", bill=wanted)).bill


async def pay(tenant, amount, account="acme"):
    await tenant.call("RecordOffline", account_id=account, amount=usd(amount))


def earned(shares):
    names = {
        (wire.PartnerKind.Name(one.kind).removeprefix("PARTNER_KIND_").lower(), one.partner_id): one for one in shares
    }
    return {f"{kind} {name}".strip(): dollars(one.commission_amount) for (kind, name), one in names.items()}


async def statement(tenant, run_date):
    return earned([one.share for one in (await tenant.call("ListStatements", run_date=run_date)).statements])


async def shared(tenant, run_date):
    return (await tenant.call("ListSharedInvoices", run_date=run_date)).invoices


async def test_mn_02_a_provider_has_a_percentage_of_what_its_products_bring_in(tenant):
    """70 per cent of 100.00 for its plan, and of the 10.00 of its bill; nothing of the tenant's own 5.00."""
    await shop(tenant, {"recurring": {"amount": "100.00", "due": "arrears"}}, provider="maps")
    await agree(tenant, "PROVIDER", "70", provider="maps")
    await tenant.advance_to(at("2026-01-25"))
    await tenant.call("CreateSubscription", **ACME, plan_key="pro")
    await bill(tenant, 10.00)
    await tenant.call("CreateFee", **ACME, text="Call", amount=usd(5.00))
    await tenant.advance_to(at("2026-02-25"))
    await run(tenant)
    await pay(tenant, 115.00)
    assert await statement(tenant, "2026-03-17") == {"provider maps": 77.00, "tenant": 38.00}


async def test_mn_06_what_everybody_has_of_a_paid_invoice_sums_to_it(tenant):
    """Odd amounts: of each invoice the parts of providers, tenant, platform and a parent come to what was paid."""
    await shop(tenant)
    await tenant.call("UpsertAccount", account_id="parent")
    for kind, percent, of in (
        ("PROVIDER", "33.33", {"provider": "maps"}),
        ("BROKER", "7.77", {"provider": "mail"}),
        ("PROCESSING", "2.9", {"provider": "mail"}),
        ("PORTION", "41.7", {}),
        ("LICENCE", "12.345", {}),
        ("ACCOUNT", "1.5", {**ACME, "partner_account_id": "parent"}),
    ):
        await agree(tenant, kind, percent, **of)
    for count, day in enumerate(("2026-01-25", "2026-02-25", "2026-03-25"), start=1):
        await bill(tenant, 33.33 * count)
        await bill(tenant, 5.07 * count, provider="mail")
        await bill(tenant, 1.01 * count, third_party=True)
        await tenant.call("CreateFee", **ACME, text="Call", amount=usd(0.99 * count))
        await tenant.advance_to(at(day))
        await run(tenant)
        invoice = (await invoices(tenant, **ACME))[-1]
        await pay(tenant, dollars(invoice.due))
    found = [one for day in ("2026-02-17", "2026-03-17", "2026-04-17") for one in await shared(tenant, day)]
    totals = {one.invoice_id: dollars(one.total) for one in await invoices(tenant, **ACME)}
    assert len(found) == len(totals) == 3
    for one in found:
        parts = [dollars(each.commission_amount) + dollars(each.non_commissionable_amount) for each in one.shares]
        assert sum(parts) == pytest.approx(totals[one.invoice_id])
        assert len(parts) == 6, "each of them has something"


async def test_mn_11_what_partners_have_is_told_on_the_17th_by_what_was_agreed(tenant):
    """Paid on 10 February by 70 per cent; what is agreed a day later is for what is paid from then on."""
    await shop(tenant)
    await agree(tenant, "PROVIDER", "70", provider="maps")
    await agree(tenant, "PORTION", "50")
    await bill(tenant, 1000.00)
    await tenant.advance_to(at("2026-02-10"))
    await run(tenant)
    await pay(tenant, 1000.00)
    await tenant.advance_to(at("2026-02-11"))
    await agree(tenant, "PROVIDER", "10", provider="maps")
    told = await tenant.call("ListStatements", run_date="2026-02-17")
    assert (told.start_time, told.end_time, told.final) == (at("2026-01-17"), at("2026-02-17"), False)
    await tenant.advance_to(at("2026-02-17"))
    told = await tenant.call("ListStatements")
    assert (told.run_date, told.final) == ("2026-02-17", True), "the last run that has come"
    expected = {"provider maps": 700.00, "tenant": 150.00, "platform": 150.00}
    assert earned([one.share for one in told.statements]) == expected


async def test_mn_12_what_is_not_paid_is_in_no_statement(tenant):
    """Two invoices of 100.00: of the one that is paid 70.00, of the other nothing, nor of a part of it."""
    await shop(tenant)
    await tenant.call("UpsertAccount", account_id="globex", plan_key="pro")
    await agree(tenant, "PROVIDER", "70", provider="maps")
    for account in ("acme", "globex"):
        await bill(tenant, 100.00, account_id=account)
    await tenant.advance_to(at("2026-02-10"))
    await run(tenant)
    await pay(tenant, 100.00)
    await pay(tenant, 99.99, account="globex")
    assert await statement(tenant, "2026-02-17") == {"provider maps": 70.00, "tenant": 30.00}
    await pay(tenant, 0.01, account="globex")
    assert await statement(tenant, "2026-02-17") == {"provider maps": 140.00, "tenant": 60.00}


@pytest.mark.parametrize(("paid", "told"), [("2026-02-10", "2026-02-17"), ("2026-02-20", "2026-03-17")])
async def test_mn_13_a_late_payment_is_in_the_next_run_and_never_in_two(tenant, paid, told):
    """The invoice of 25 January: paid on 10 February it is in the run of the 17th, paid on the 20th in March's."""
    await shop(tenant)
    await agree(tenant, "PROVIDER", "70", provider="maps")
    await bill(tenant, 100.00)
    await tenant.advance_to(at("2026-01-25"))
    await run(tenant)
    (invoice,) = await invoices(tenant, **ACME)
    assert (invoice.issue_time, invoice.due_time) == (at("2026-01-25"), at("2026-02-02"))
    await tenant.advance_to(at(paid))
    await pay(tenant, 100.00)
    runs = ("2026-01-17", "2026-02-17", "2026-03-17", "2026-04-17")
    found = {day: await statement(tenant, day) for day in runs}
    assert found == {**{day: {} for day in runs}, told: {"provider maps": 70.00, "tenant": 30.00}}


async def test_mn_13_what_is_given_back_later_is_in_the_run_of_then_below_zero(tenant):
    """100.00 paid on 10 February, 40.00 of it given back on 1 March: 28.00 of 70.00 and 12.00 of 30.00 return."""
    await shop(tenant)
    await agree(tenant, "PROVIDER", "70", provider="maps")
    await bill(tenant, 100.00)
    await tenant.advance_to(at("2026-02-10"))
    await run(tenant)
    await pay(tenant, 100.00)
    await tenant.advance_to(at("2026-03-01"))
    (invoice,) = await invoices(tenant, **ACME)
    back = {"lines": [{"line": 1, "amount": usd(40.00)}], "reason": "Outage"}
    await tenant.call("CreateCreditNote", invoice_id=invoice.invoice_id, **back)
    assert await statement(tenant, "2026-02-17") == {"provider maps": 70.00, "tenant": 30.00}
    assert await statement(tenant, "2026-03-17") == {"provider maps": -28.00, "tenant": -12.00}


async def test_mn_14_the_providers_part_comes_first(tenant):
    """1,000.00 at 70/30: 700.00 for the provider, 300.00 stay with the platform, which leaves the tenant nothing."""
    await shop(tenant)
    await agree(tenant, "PROVIDER", "70", provider="maps")
    await agree(tenant, "PORTION", "0")
    await bill(tenant, 1000.00)
    await tenant.advance_to(at("2026-02-10"))
    await run(tenant)
    await pay(tenant, 1000.00)
    assert await statement(tenant, "2026-02-17") == {"provider maps": 700.00, "platform": 300.00, "tenant": 0.00}


@pytest.mark.parametrize(
    ("app", "licence", "expected"),
    [
        (1000.00, 400.00, {"provider maps": 700.00, "tenant": 310.00, "platform": 390.00}),
        (333.33, 0, {"provider maps": 233.33, "tenant": 50.00, "platform": 50.00}),
    ],
)
async def test_mn_15_then_the_tenants_of_its_licences_and_of_what_the_provider_leaves(tenant, app, licence, expected):
    """40 per cent of 400.00 and half of 300.00 are 310.00; of 333.33 the provider leaves 100.00, half for each."""
    await shop(tenant)
    await agree(tenant, "PROVIDER", "70", provider="maps")
    await agree(tenant, "PORTION", "50")
    await agree(tenant, "LICENCE", "40")
    await bill(tenant, app)
    if licence:
        await tenant.call("CreateFee", **ACME, text="Licence", amount=usd(licence))
    await tenant.advance_to(at("2026-02-10"))
    await run(tenant)
    await pay(tenant, app + licence)
    found = await statement(tenant, "2026-02-17")
    assert found == expected
    assert sum(found.values()) == pytest.approx(app + licence)


async def test_mn_16_a_provider_sends_bills_and_each_new_one_is_submitted_whatever_is_sent(tenant):
    """A monthly subscription and three purchases in the app at 2.50; one of them says that it is invoiced."""
    await shop(tenant)
    monthly = await bill(tenant, 9.90, text="Maps, January", bill_id="m-1", state="BILL_STATE_INVOICED")
    bought = await bill(tenant, 2.50, text="Tiles", units="3", state="BILL_STATE_CANCELLED")
    assert (monthly.state, bought.state) == (wire.BILL_STATE_SUBMITTED, wire.BILL_STATE_SUBMITTED)
    assert bought.bill_id.startswith("bill_")
    assert (await bill(tenant, 9.90, text="Maps, January", bill_id="m-1")) == monthly, "the same once more"
    assert (await failure(bill(tenant, 9.91, text="Maps, January", bill_id="m-1")))[1] == "ALREADY_EXISTS"
    await tenant.advance_to(at("2026-01-25"))
    await run(tenant)
    (invoice,) = await invoices(tenant, **ACME)
    assert sorted(await lines(tenant, invoice)) == [("Maps, January", 9.90), ("Tiles", 7.50)]


async def test_mn_17_a_bill_is_invoiced_on_the_25th_or_cancelled_before_by_its_provider(tenant):
    await shop(tenant)
    kept, gone = await bill(tenant, 10.00), await bill(tenant, 20.00)

    def cancel(one, provider="maps"):
        return tenant.call("CancelBill", provider=provider, bill_id=one.bill_id)

    assert await failure(cancel(gone, provider="mail")) == (grpc.StatusCode.NOT_FOUND, "BILL_NOT_FOUND")
    assert (await cancel(gone)).bill.state == wire.BILL_STATE_CANCELLED
    assert (await cancel(gone)).bill.state == wire.BILL_STATE_CANCELLED, "twice is once"
    await tenant.advance_to(at("2026-01-24 23:59:59"))
    await run(tenant)
    assert [one.state for one in (await tenant.call("ListBills")).bills if one.bill_id == kept.bill_id] == [
        wire.BILL_STATE_SUBMITTED
    ]
    await tenant.advance_to(at("2026-01-25"))
    await run(tenant)
    (invoice,) = await invoices(tenant, **ACME)
    assert await lines(tenant, invoice) == [("Maps", 10.00)]
    states = {one.bill_id: one.state for one in (await tenant.call("ListBills", provider="maps")).bills}
    assert states == {kept.bill_id: wire.BILL_STATE_INVOICED, gone.bill_id: wire.BILL_STATE_CANCELLED}
    with pytest.raises(grpc.aio.AioRpcError, match="has already been set to invoiced and cannot be changed") as refused:
        await cancel(kept)
    assert refused.value.code() is PRECONDITION
    await tenant.advance_to(at("2026-03-25"))
    await run(tenant)
    assert len(await invoices(tenant, **ACME)) == 1, "a cancelled bill is never invoiced"
    assert not (await tenant.call("VerifyInvoice", invoice_id=invoice.invoice_id)).differences


@pytest.mark.parametrize(
    ("rounding", "house", "left"),
    [
        pytest.param({}, 17.99, 162.00, id="down, by default"),
        pytest.param({"rounding": "SHARE_ROUNDING_DOWN"}, 17.99, 162.00, id="down"),
        pytest.param({"rounding": "SHARE_ROUNDING_HALF_UP"}, 18.00, 161.99, id="to the nearest"),
    ],
)
async def test_ar_05_a_marketplace_takes_its_part_of_each_sale_rounded_down(tenant, rounding, house, left):
    """10 per cent of 179.99 are 17.999: 17.99, and 162.00 for the provider; to the nearest it is 18.00."""
    await shop(tenant)
    await agree(tenant, "BROKER", "10", provider="maps", **rounding)
    await bill(tenant, 179.99)
    await tenant.advance_to(at("2026-02-10"))
    await run(tenant)
    await pay(tenant, 179.99)
    assert await statement(tenant, "2026-02-17") == {"provider maps": left, "tenant": house}


@pytest.mark.parametrize(
    ("fixed", "cost", "left"),
    [
        pytest.param({}, 5.22, 156.78, id="2.9 %"),
        pytest.param({"fixed_amount": usd(0.30)}, 5.52, 156.48, id="and 0.30"),
    ],
)
async def test_dj_19_the_broker_and_who_moves_the_money_take_their_parts_of_a_sale(tenant, fixed, cost, left):
    """179.99: 17.99 for the broker, 2.9 per cent (5.2197) for the processor, with 30 cents 5.5197, half up."""
    await shop(tenant)
    await agree(tenant, "BROKER", "10", provider="maps")
    await agree(tenant, "PROCESSING", "2.9", provider="maps", **fixed)
    await bill(tenant, 179.99)
    await tenant.advance_to(at("2026-02-10"))
    await run(tenant)
    await pay(tenant, 179.99)
    found = await statement(tenant, "2026-02-17")
    assert found == {"provider maps": left, "processor maps": cost, "tenant": 17.99}
    assert sum(found.values()) == pytest.approx(179.99)


async def test_bk_02_revenue_is_shared_among_accounts_to_the_cent(tenant):
    """100.01 at 60/25/15: the largest remainder has the odd cent."""
    await shop(tenant)
    for partner, percent in (("a", "60"), ("b", "25"), ("c", "15")):
        await tenant.call("UpsertAccount", account_id=partner)
        await agree(tenant, "ACCOUNT", percent, **ACME, partner_account_id=partner)
    await tenant.call("CreateFee", **ACME, text="Sale", amount=usd(100.01))
    await tenant.advance_to(at("2026-02-10"))
    await run(tenant)
    await pay(tenant, 100.01)
    found = await statement(tenant, "2026-02-17")
    assert {name: amount for name, amount in found.items() if amount} == {
        "account a": 60.01,
        "account b": 25.00,
        "account c": 15.00,
    }
    refused = await failure(agree(tenant, "ACCOUNT", "0.1", **ACME, partner_account_id="d"))
    assert refused[1] == "ACCOUNT_NOT_FOUND"
    await tenant.call("UpsertAccount", account_id="d")
    refused = await failure(agree(tenant, "ACCOUNT", "0.1", **ACME, partner_account_id="d"))
    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"), "more than all there is"


async def test_bk_02_only_what_was_accepted_is_in_force(tenant):
    """2.5 per cent are proposed, 1.5 accepted: of 200.00 the parent has 3.00; before that was accepted nothing."""
    await shop(tenant)
    await tenant.call("UpsertAccount", account_id="parent")
    of = {**ACME, "partner_account_id": "parent"}
    await agree(tenant, "ACCOUNT", **of, proposed_percent="2.5")
    await tenant.call("CreateFee", **ACME, text="Sale", amount=usd(200.00))
    await tenant.advance_to(at("2026-01-25"))
    await run(tenant)
    await pay(tenant, 200.00)
    assert await statement(tenant, "2026-02-17") == {"tenant": 200.00}
    await tenant.advance_to(at("2026-01-26"))
    stands = await agree(tenant, "ACCOUNT", "1.5", **of)
    assert (stands.proposed_percent, stands.accepted_percent) == ("2.5", "1.5")
    await tenant.call("CreateFee", **ACME, text="Sale", amount=usd(200.00))
    await tenant.advance_to(at("2026-02-25"))
    await run(tenant)
    await pay(tenant, 200.00)
    assert await statement(tenant, "2026-03-17") == {"account parent": 3.00, "tenant": 197.00}


async def test_bk_22_six_models_on_one_account_make_one_correct_invoice(tenant):
    """A trial of more, a version at 49.00, ten users at 15.00, 5,000 calls more at 12.34, 3.5 % of 123.45: 215.66.

    Of what was paid a parent account has 1.5 per cent, 3.2349: 3.23.
    """
    await tenant.call("SetTestClock", time=at("2031-04-17"), standing=True)
    document = catalog(
        {"recurring": {"amount": "49.00", "due": "arrears"}},
        {"key": "users", "recurring": USERS},
        features={"reports": {"kind": "boolean"}},
        entitlements={"calls": {"limit": 1000}, "seats": {"limit": 10}},
        add_ons={
            "more": {
                "version": 1,
                "name": "5,000 calls",
                "offered_on": ["pro"],
                "entitlements": {"calls": {"limit": 5000}},
                "prices": [{"recurring": {"amount": "12.34", "due": "arrears"}}],
            }
        },
    )
    more = {"calls": {"limit": 10_000}, "reports": {"enabled": True}, "seats": {"limit": 10}}
    document["plans"]["try"] = {"version": 1, "trial": {"days": 14, "ends_in": "pro"}, "entitlements": more}
    await tenant.apply(document)
    for account in ("acme", "parent"):
        await tenant.call("UpsertAccount", account_id=account)
    await agree(tenant, "ACCOUNT", "1.5", **ACME, partner_account_id="parent", proposed_percent="2.5")
    await tenant.call("CreateSubscription", **ACME, plan_key="try", trial_days=14)
    tried = await tenant.check("acme", "calls")
    assert (tried.limit, (await tenant.check("acme", "reports")).allowed) == (10_000, True)
    await seat(tenant, *(f"u{number}" for number in range(10)))
    refused = await tenant.call("AssignSeat", **ACME, feature_key="seats", user_id="u10")
    assert reason_name(refused.decision) == "SEAT_LIMIT"
    await tenant.advance_to(at("2031-05-01"))
    assert not (await tenant.check("acme", "reports")).allowed
    assert (await tenant.consume("acme", "calls", 1000)).allowed
    denied = await tenant.consume("acme", "calls", 1, request_id="1001")
    assert (reason_name(denied), denied.unblock_options[0].key) == ("QUOTA_EXHAUSTED", "more")
    await tenant.call("SetAddOn", **ACME, add_on_key="more")
    assert (await tenant.consume("acme", "calls", 1, request_id="1001")).limit == 6000
    charge = {"of": usd(123.45), "rate": "3.5"}
    await tenant.call("CreateFee", **ACME, text="Percent of charge number chg_1", percent=charge)
    await tenant.advance_to(at("2031-06-01"))
    await run(tenant)
    (invoice,) = await invoices(tenant, **ACME)
    assert sorted(await lines(tenant, invoice)) == [
        ("5,000 calls", 12.34),
        ("Monthly user fees (10 @ $15.00)", 150.00),
        ("Percent of charge number chg_1", 4.32),
        ("Pro", 49.00),
    ]
    assert dollars(invoice.total) == 215.66
    await pay(tenant, 215.66)
    assert await statement(tenant, "2031-06-17") == {"account parent": 3.23, "tenant": 212.43}


async def test_dj_03_a_price_by_the_period_usage_a_brokers_part_and_a_group_buy_on_one_product(tenant):
    """29.00, then 29.00 and 37 x 0.50, and two at once for others: of 29.00, 47.50 and 58.00 the broker has a tenth."""
    await tenant.call("SetTestClock", time=at("2026-01-01"), standing=True)
    usage = {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}
    await tenant.apply(catalog({"recurring": {"amount": "29.00"}}, usage, provider="maps"))
    await agree(tenant, "BROKER", "10", provider="maps")
    for account in ("acme", "boss", "ann", "bob"):
        await tenant.call("UpsertAccount", account_id=account)
    await tenant.call("CreateSubscription", **ACME, plan_key="pro")
    await tenant.consume("acme", "calls", 37)
    await tenant.usage_reaches("acme", "calls", 37)
    await tenant.advance_to(at("2026-02-01"))
    await run(tenant)
    assert [dollars(one.total) for one in await invoices(tenant, **ACME)] == [29.00, 47.50]
    await pay(tenant, 76.50)
    await tenant.call("SetBillingProfile", account_id="boss", party={"name": "Boss"}, group_buy=True)
    items = [{"account_id": account, "subscription": {"plan_key": "pro"}} for account in ("ann", "bob")]
    order = (await tenant.call("CreateOrder", account_id="boss", items=items)).order
    await tenant.call("CompleteOrder", order_id=order.order_id, terms_version="1")
    (bought,) = await invoices(tenant, account_id="boss")
    assert dollars(bought.total) == 58.00
    assert (await tenant.check("ann", "calls")).allowed, "entitled is who subscribes"
    await pay(tenant, 58.00, account="boss")
    assert await statement(tenant, "2026-02-17") == {"provider maps": 121.05, "tenant": 13.45}


async def test_mn_18_bills_are_listed_by_where_they_stand(tenant):
    """One of each state, and another provider's: a list of a state has those of it alone, and pages keep to it."""
    await shop(tenant)
    invoiced = await bill(tenant, 10.00, bill_id="invoiced")
    await tenant.advance_to(at("2026-01-25"))
    await run(tenant)
    cancelled = await bill(tenant, 20.00, bill_id="cancelled")
    await tenant.call("CancelBill", provider="maps", bill_id="cancelled")
    submitted = [await bill(tenant, 30.00, bill_id="submitted"), await bill(tenant, 5.00, "mail", bill_id="mails")]

    async def listed(state, **more):
        found = (await tenant.call("ListBills", state=f"BILL_STATE_{state}", **more)).bills
        return [(one.bill_id, wire.BillState.Name(one.state).removeprefix("BILL_STATE_")) for one in found]

    assert await listed("SUBMITTED") == [(one.bill_id, "SUBMITTED") for one in reversed(submitted)]
    assert await listed("SUBMITTED", provider="mail") == [("mails", "SUBMITTED")]
    assert await listed("INVOICED") == [(invoiced.bill_id, "INVOICED")]
    assert await listed("CANCELLED") == [(cancelled.bill_id, "CANCELLED")]
    assert [name for name, _ in await listed("UNSPECIFIED")] == ["mails", "submitted", "cancelled", "invoiced"]
    first = await tenant.call("ListBills", state="BILL_STATE_SUBMITTED", page_size=1)
    assert await listed("SUBMITTED", page_size=1, page_token=first.next_page_token) == [("submitted", "SUBMITTED")]
    assert await failure(tenant.call("ListBills", state=9)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_mn_20_what_is_passed_on_to_third_parties_is_not_subject_to_commission(tenant):
    """100.00 of SMS credits within 1,100.00: shares are of 1,000.00, at 70 per cent 700.00 and 300.00."""
    await shop(tenant)
    await agree(tenant, "PROVIDER", "70", provider="maps")
    await bill(tenant, 1000.00)
    await bill(tenant, 100.00, text="SMS credits", third_party=True)
    await tenant.advance_to(at("2026-01-25"))
    await run(tenant)
    (invoice,) = await invoices(tenant, **ACME)
    assert dollars(invoice.total) == 1100.00
    await tenant.advance_to(at("2026-02-10"))
    await pay(tenant, 1100.00)
    (one,) = await shared(tenant, "2026-02-17")
    assert (one.invoice_id, earned(one.shares)) == (invoice.invoice_id, {"provider maps": 700.00, "tenant": 300.00})
    (provider,) = [share for share in one.shares if share.partner_id == "maps"]
    assert dollars(provider.portfolio_amount) == 1000.00
    assert dollars(provider.non_commissionable_amount) == 100.00
    told = [each.share for each in (await tenant.call("ListStatements", run_date="2026-02-17")).statements]
    assert [share for share in told if share.partner_id == "maps"] == [provider]


async def test_mn_27_a_provider_sends_its_final_bill_once_it_is_told_that_a_service_ends(tenant):
    """Told by the message of the cancelling, which carries the webhook; its bill is on the account's next invoice."""
    await shop(tenant, {"recurring": {"amount": "10.00", "due": "arrears"}}, provider="maps")
    await tenant.call("CreateSubscription", **ACME, plan_key="pro")
    await tenant.advance_to(at("2026-02-10"))
    await run(tenant)
    before = len(await invoices(tenant, **ACME))
    await tenant.call("CancelSubscription", **ACME, when="CHANGE_WHEN_PERIOD_END", reason="Moved")
    told = (await tenant.call("ListMessages", type="subscription.canceled")).messages
    assert [(one.account_id, one.facts["plan_key"], one.facts["end_time"]) for one in told] == [
        ("acme", "pro", "2026-02-25T00:00:00Z"),
    ]
    final = await bill(tenant, 42.00, text="Final Payout")
    assert final.state == wire.BILL_STATE_SUBMITTED
    await tenant.advance_to(at("2026-02-25"))
    await run(tenant)
    (last,) = (await invoices(tenant, **ACME))[before:]
    assert sorted(await lines(tenant, last)) == [("Final Payout", 42.00), ("Pro", 10.00)]
    (stands,) = (await tenant.call("ListBills")).bills
    assert stands.state == wire.BILL_STATE_INVOICED


def steps(answer):
    names = wire.TimelineStep.Name, wire.TimelineState.Name
    return [
        (names[0](one.step).rpartition("_")[2], one.day, names[1](one.state).rpartition("_")[2])
        for one in answer.entries
    ]


@pytest.mark.parametrize(
    ("month", "day", "expected"),
    [
        ("2026-01", 25, ("2026-01-25", "2026-02-02", "2026-02-17")),
        ("2026-02", 25, ("2026-02-25", "2026-03-02", "2026-03-17")),
        ("2028-02", 25, ("2028-02-25", "2028-03-02", "2028-03-17")),
        ("2026-04", 25, ("2026-04-25", "2026-05-02", "2026-05-17")),
        ("2026-12", 25, ("2026-12-25", "2027-01-02", "2027-01-17")),
        ("2026-02", 31, ("2026-02-28", "2026-03-02", "2026-03-17")),
        ("2028-02", 31, ("2028-02-29", "2028-03-02", "2028-03-17")),
        ("2026-04", 31, ("2026-04-30", "2026-05-02", "2026-05-17")),
        ("2026-01", 31, ("2026-01-31", "2026-02-02", "2026-02-17")),
    ],
)
async def test_mn_29_the_steps_of_a_months_billing_are_on_their_days(tenant, month, day, expected):
    """In months of 28 to 31 days: what is issued then has the days that the timeline says, by the invoice itself."""
    await tenant.call("SetTestClock", time=at(f"{int(month[:4]) - 1}-12-01"), standing=True)
    monthly = {"recurring": {"amount": "10.00", "due": "arrears"}}
    rule = {"every": "month", "anchor": "calendar", "day": day}
    await tenant.apply(catalog(monthly, billing_rule=rule, billing=POLICY))
    await tenant.call("UpsertAccount", **ACME, plan_key="pro")
    entries = (await tenant.call("GetBillingTimeline", month=month)).entries
    assert [one.day for one in entries] == list(expected)
    assert [one.time for one in entries] == [at(each) for each in expected]
    await tenant.advance_to(at(expected[0]))
    await run(tenant)
    last = (await invoices(tenant, **ACME, page_size=100))[-1]
    assert (last.issue_time, last.due_time) == (at(expected[0]), at(expected[1]))


async def test_mn_29_each_step_of_a_months_billing_has_its_state(tenant):
    """Two invoices of 25 January: one is paid in time, one on 10 February."""
    await shop(tenant)
    await tenant.call("UpsertAccount", account_id="globex", plan_key="pro")
    for account in ("acme", "globex"):
        await bill(tenant, 100.00, account_id=account)

    async def on(day):
        await tenant.advance_to(at(day))
        await run(tenant)
        answer = await tenant.call("GetBillingTimeline", month="2026-01")
        assert [(name, day) for name, day, _ in steps(answer)] == [
            ("INVOICING", "2026-01-25"),
            ("PAYMENT", "2026-02-02"),
            ("COMMISSION", "2026-02-17"),
        ]
        return [state for *_, state in steps(answer)], {(one.documents, one.unpaid) for one in answer.entries}

    assert await on("2026-01-24 23:59:59") == (["UPCOMING"] * 3, {(0, 0)})
    assert await on("2026-01-25") == (["DONE", "UPCOMING", "UPCOMING"], {(2, 2)})
    await pay(tenant, 100.00)
    assert await on("2026-02-02") == (["DONE", "RUNNING", "UPCOMING"], {(2, 1)})
    await tenant.advance_to(at("2026-02-10"))
    await pay(tenant, 100.00, account="globex")
    assert await on("2026-02-16 23:59:59") == (["DONE", "DONE", "UPCOMING"], {(2, 0)})
    assert await on("2026-02-17") == (["DONE"] * 3, {(2, 0)})


async def test_mn_29_the_days_are_settings(tmp_path):
    """Invoiced on the 20th, charged on the 5th, told on the 10th: by the plan, the catalogue, and the installation."""
    settings = testing_settings(tmp_path, billing=BillingSettings(commission_day=10))
    async with Application(settings) as application, grpc.aio.insecure_channel(application.grpc_address) as channel:
        tenant = Tenant(channel, mint_key(secrets.token_bytes(ENTROPY_BYTES)))
        rule = {"every": "month", "anchor": "calendar", "day": 20}
        await tenant.apply(catalog(billing_rule=rule, billing={"payment": {"due": {"day_of_month": 5}}}))
        found = await tenant.call("GetBillingTimeline", month="2026-02")
        assert [one.day for one in found.entries] == ["2026-02-20", "2026-03-05", "2026-03-10"]
        assert (await tenant.call("ListStatements", run_date="2026-03-10")).run_date == "2026-03-10"


async def test_mn_19_a_bill_has_its_fields_and_an_invoice_shows_what_it_is_for(tenant):
    """2.50 x 3.25 units are 8.125: 8.12, half to the even cent. Its time is shown where it has a start and an end."""
    await shop(tenant, {"recurring": {"amount": "10.00", "due": "arrears"}}, provider="maps")
    await tenant.call("CreateSubscription", **ACME, plan_key="pro")
    start, end = at("2025-12-01"), at("2026-01-01")
    price = Money(units=2, nanos=500_000_000)  # without a currency it is the tenant's
    asked = {"provider": "maps", **ACME, "price": price}
    made = {
        name: (await tenant.call("SubmitBill", bill={**asked, "text": name, **more})).bill
        for name, more in (
            ("both", {"units": "3.25", "period_start": start, "period_end": end}),
            ("start", {"period_start": start, "third_party": True}),
            ("end", {"period_end": end}),
        )
    }
    both, half = made["both"], made["start"]
    assert both.bill_id.startswith("bill_")
    assert (both.provider, both.account_id, both.text, dollars(both.price)) == ("maps", "acme", "both", 2.50)
    assert (both.units, half.units, both.third_party, half.third_party) == ("3.25", "1", False, True)
    assert (both.period_start, both.period_end, half.period_start) == (start, end, start)
    assert not half.HasField("period_end")
    assert (both.state, both.create_time) == (wire.BILL_STATE_SUBMITTED, at("2026-01-01"))
    assert {one.bill_id: one for one in (await tenant.call("ListBills")).bills}[both.bill_id] == both
    await tenant.advance_to(at("2026-01-25"))
    await run(tenant)
    (invoice,) = await invoices(tenant, **ACME)
    full = (await tenant.call("GetInvoice", invoice_id=invoice.invoice_id)).invoice
    shown = {line.text: (dollars(line.amount), line.start_time, line.end_time) for line in full.lines}
    now = at("2026-01-01")
    assert {name: shown[name] for name in made} == {
        "both": (8.12, start, end),
        "start": (2.50, now, now),
        "end": (2.50, now, now),
    }
    assert not (await tenant.call("VerifyInvoice", invoice_id=invoice.invoice_id)).differences


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("bill.price", {"price": usd(0)}),
        ("bill.price", {"price": Money(units=-1)}),
        ("bill.price.nanos", {"price": Money(nanos=1_000_000)}),
        ("bill.units", {"units": "0"}),
        ("bill.units", {"units": "1.001"}),
        ("bill.units", {"units": "100000000"}),
        ("bill.units", {"units": "-1"}),
        ("text", {"text": ""}),
        ("bill.account_id", {"account_id": ""}),
        ("bill.period_end", {"period_start": at("2026-01-02"), "period_end": at("2026-01-02")}),
    ],
)
async def test_mn_19_a_bill_with_a_wrong_field_is_refused(tenant, field, wrong):
    await shop(tenant)
    with pytest.raises(grpc.aio.AioRpcError, match=field) as refused:
        await bill(tenant, 1.00, **wrong)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert not (await tenant.call("ListBills")).bills


async def test_mn_19_a_provider_bills_who_holds_its_plans(tenant):
    """Who never did, and who does not exist, are refused alike."""
    await shop(tenant, {"recurring": {"amount": "10.00", "due": "arrears"}}, provider="maps")
    await tenant.call("UpsertAccount", account_id="globex", plan_key="pro")
    words = "does not exist or cannot be charged by your service"
    for account in ("acme", "nobody"):
        with pytest.raises(grpc.aio.AioRpcError, match=words) as refused:
            await bill(tenant, 10.00, account_id=account)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert (await bill(tenant, 10.00, account_id="globex")).state == wire.BILL_STATE_SUBMITTED
    await tenant.call("CancelSubscription", account_id="globex", when="CHANGE_WHEN_NOW")
    assert (await bill(tenant, 10.00, account_id="globex")).state == wire.BILL_STATE_SUBMITTED, "a final one"


async def again(tenant, amount, **more):
    wanted = {"provider": "maps", **ACME, "text": "Maps", "price": usd(amount), **more}
    return (await tenant.call("SubmitRecurringBill", bill=wanted)).bill


async def came(tenant):
    """Which bills were submitted by now: what they say, what each costs, and from when on it is."""
    await run(tenant)
    found = (await tenant.call("ListBills", page_size=100)).bills[::-1]
    return [(one.text, dollars(one.price), one.period_start.ToJsonString()[:10]) for one in found]


async def stands(tenant, bill_):
    (one,) = (await tenant.call("ListRecurringBills")).bills
    assert one.recurring_bill_id == bill_.recurring_bill_id
    name = wire.RecurringBillState.Name(one.state)
    (same,) = (await tenant.call("ListRecurringBills", state=name)).bills
    assert same == one
    return name.removeprefix("RECURRING_BILL_STATE_"), one.made


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ({}, ("2026-01-31", "2026-02-28", "2026-03-31")),
        ({"period": "BILL_PERIOD_MONTH", "frequency": 2}, ("2026-01-31", "2026-03-31", "2026-05-31")),
        ({"period": "BILL_PERIOD_DAY", "frequency": 10}, ("2026-01-31", "2026-02-10", "2026-02-20")),
        ({"period": "BILL_PERIOD_WEEK"}, ("2026-01-31", "2026-02-07", "2026-02-14")),
        ({"period": "BILL_PERIOD_SEMI_MONTH"}, ("2026-01-31", "2026-02-15", "2026-02-28")),
        ({"period": "BILL_PERIOD_YEAR"}, ("2026-01-31", "2027-01-31", "2028-01-31")),
    ],
    ids=lambda value: str(value.get("period", "as usual"))[12:] if isinstance(value, dict) else value[1],
)
async def test_mn_21_a_recurring_bill_comes_every_so_often_and_expires(tenant, rule, days):
    """Three of them from 31 January: submitted until the first is due, active, and expired with the last."""
    await shop(tenant)
    made = await again(tenant, 10.00, start_time=at("2026-01-31"), cycles=3, **rule)
    assert (made.frequency, made.period) == (rule.get("frequency", 1), made.period or wire.BILL_PERIOD_MONTH)
    await tenant.advance_to(at("2026-01-30 23:59:59"))
    assert (await came(tenant), await stands(tenant, made)) == ([], ("SUBMITTED", 0))
    for count, day in enumerate(days, start=1):
        await tenant.advance_to(at(day))
        assert await came(tenant) == [("Maps", 10.00, each) for each in days[:count]]
        assert await stands(tenant, made) == ("EXPIRED" if count == 3 else "ACTIVE", count)
    await tenant.advance_to(at("2029-06-01"))
    assert len(await came(tenant)) == 3


async def test_mn_21_what_is_due_at_once_is_a_bill_of_its_own_and_both_are_invoiced(tenant):
    """5.00 at once and 10.00 on the 20th are on January's invoice, without an end; cancelled, no more come."""
    await shop(tenant)
    made = await again(tenant, 10.00, start_time=at("2026-01-20"), initial=usd(5.00), recurring_bill_id="r")
    assert not made.HasField("cycles")
    assert await again(tenant, 10.00, start_time=at("2026-01-20"), initial=usd(5.00), recurring_bill_id="r") == made
    assert [one[:2] for one in await came(tenant)] == [("Initial: Maps", 5.00)]
    await tenant.advance_to(at("2026-01-25"))
    await run(tenant)
    (invoice,) = await invoices(tenant, **ACME)
    assert sorted(await lines(tenant, invoice)) == [("Initial: Maps", 5.00), ("Maps", 10.00)]
    await tenant.advance_to(at("2026-02-25"))
    assert len(await came(tenant)) == 3
    foreign = tenant.call("CancelRecurringBill", provider="mail", recurring_bill_id="r")
    assert (await failure(foreign))[1] == "BILL_NOT_FOUND"
    for _ in range(2):
        gone = (await tenant.call("CancelRecurringBill", provider="maps", recurring_bill_id="r")).bill
        assert gone.state == wire.RECURRING_BILL_STATE_CANCELLED
    await tenant.advance_to(at("2026-06-25"))
    assert len(await came(tenant)) == 3
    assert await stands(tenant, made) == ("CANCELLED", 2)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("bill.frequency", {"period": "BILL_PERIOD_SEMI_MONTH", "frequency": 2}),
        ("bill.frequency", {"period": "BILL_PERIOD_MONTH", "frequency": 13}),
        ("bill.frequency", {"period": "BILL_PERIOD_WEEK", "frequency": 53}),
        ("bill.frequency", {"period": "BILL_PERIOD_DAY", "frequency": 366}),
        ("bill.frequency", {"period": "BILL_PERIOD_YEAR", "frequency": 2}),
        ("bill.frequency", {"frequency": -1}),
        ("bill.cycles", {"cycles": 0}),
        ("bill.start_time", {"start_time": at("2025-12-31 23:59:59")}),
        ("bill.price", {"price": usd(0)}),
        ("bill.text", {"text": ""}),
    ],
)
async def test_mn_21_a_recurring_bill_with_a_wrong_field_is_refused(tenant, field, wrong):
    await shop(tenant)
    with pytest.raises(grpc.aio.AioRpcError, match=field) as refused:
        await again(tenant, 1.00, **wrong)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert not (await tenant.call("ListRecurringBills")).bills
