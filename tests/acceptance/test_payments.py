"""Rows about money that comes in: charges, retries, offline payments, and books that agree. Figures by hand."""

import secrets

import grpc
import pytest
import pytest_asyncio
from sqlalchemy import update

from collecting import attempts, books, days_of_attempts, open_house, standing, stands, states
from conftest import testing_settings
from invoicing import DAY, dollars, invoices, lines, run
from tallygate.app import Application
from tallygate.app.installation import database_address
from tallygate.billing.ports import NoAnswerError
from tallygate.domain.credential import ENTROPY_BYTES, mint_key
from tallygate.gateways.fake import FakeGateway
from tallygate.settings import DatabaseSettings
from tallygate.storage.sql.billing.payment_tables import fake_charges
from tallygate.storage.sql.engine import create_engine
from tallygate_api.v1 import catalog_pb2
from tallygate_api.v1 import invoice_pb2 as wire_invoice
from tallygate_api.v1 import payment_service_pb2 as wire
from tallygate_api.v1.subscription_pb2 import SubscriptionState
from tenants import Tenant, after, eventually, failure
from thorough import some

BASE = {"recurring": {"amount": "29.00"}}


async def test_bk_10_an_open_invoice_is_charged_by_itself(tenant: Tenant):
    """29.00 from fake_ok on the day of issue; the payment names the invoice, and the gateway holds the money."""
    await open_house(tenant, "fake_ok")
    assert await attempts(tenant) == [("SUCCEEDED", "", 29.0)]
    assert await states(tenant) == [("paid", 0.0)]
    (payment,) = (await tenant.call("ListPayments", account_id="acme")).payments
    (invoice,) = await invoices(tenant, account_id="acme")
    assert [(share.invoice_id, dollars(share.amount)) for share in payment.shares] == [(invoice.invoice_id, 29.0)]
    (attempt,) = (await tenant.call("ListAttempts", invoice_id=invoice.invoice_id)).attempts
    assert attempt.text == f"INV {invoice.number}"
    assert await books(tenant) == {"gateway:Funds": 29.0, "seller:Backlog": -29.0}


async def test_ar_11_what_fails_is_retried_after_2_5_7_and_7_days(tenant: Tenant):
    """Day 0, then 2, 5, 7 and 7 days after the attempt before: the fifth attempt is the last."""
    start = await open_house(tenant, "fake_later_9")
    await tenant.advance(29 * DAY)
    await run(tenant)
    assert await days_of_attempts(tenant, start) == [0, 2, 7, 14, 21]
    assert {one[:2] for one in await attempts(tenant)} == {("FAILED", "insufficient_funds")}
    (case,) = (await tenant.call("GetCollection", account_id="acme")).cases
    assert (case.retries, case.HasField("retry_time"), case.HasField("next_state_time")) == (4, False, False)
    assert await states(tenant) == [("open", 29.0)]
    assert await books(tenant) == {"account:Receivable": 29.0, "seller:Backlog": -29.0}


async def test_an_invoice_fails_is_retried_and_is_paid(tenant: Tenant):
    """Refused on day 0 and on day 2, paid on day 7; after that nothing is tried."""
    start = await open_house(tenant, "fake_later_2")
    await tenant.advance(29 * DAY)
    await run(tenant)
    assert await days_of_attempts(tenant, start) == [0, 2, 7]
    assert await states(tenant) == [("paid", 0.0)]
    assert await books(tenant) == {"gateway:Funds": 29.0, "seller:Backlog": -29.0}


async def test_dj_01_a_failed_charge_moves_nothing_in_the_ledger(tenant: Tenant):
    await open_house(tenant, "fake_decline")
    transfers = (await tenant.call("ListTransfers", account_id="acme")).transfers
    assert [(one.debit, one.credit) for one in transfers] == [("account:Receivable", "seller:Backlog")]


async def test_bk_10_a_new_method_is_charged_at_once(tenant: Tenant):
    """The card is refused for good: it is not tried again, and another one is at once."""
    start = await open_house(tenant, "fake_decline")
    await tenant.advance(10 * DAY)
    await run(tenant)
    assert await days_of_attempts(tenant, start) == [0]
    (case,) = (await tenant.call("GetCollection", account_id="acme")).cases
    assert (case.retries, case.HasField("retry_time")) == (0, False), "a retry is told that is not made"
    assert case.obstacle == wire.RETRY_OBSTACLE_METHOD_REFUSED
    assert case.next_state == catalog_pb2.DUNNING_STATE_SUSPENDED
    assert case.next_state_time.seconds - case.start_time.seconds == (2 + 5 + 7 + 7) * DAY
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok", default=True)
    await run(tenant)
    assert await days_of_attempts(tenant, start) == [0, 10]
    assert await states(tenant) == [("paid", 0.0)]


async def test_a_worker_collects_without_being_asked(tenant: Tenant):
    await open_house(tenant)
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok")

    async def paid():
        return await states(tenant) == [("paid", 0.0)]

    await eventually(paid, what="the invoice to be paid")


async def test_what_was_issued_before_a_gateway_is_not_collected(tenant: Tenant):
    await open_house(tenant, gateway=False)
    await tenant.call("SetGateway", name="fake")
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok")
    await run(tenant)
    assert await states(tenant) == [("open", 29.0)]
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert await states(tenant) == [("open", 29.0), ("paid", 0.0)]
    paid = (await tenant.call("Pay", invoice_id=(await invoices(tenant))[0].number)).attempt
    assert paid.state == wire.ATTEMPT_STATE_SUCCEEDED
    assert await states(tenant) == [("paid", 0.0), ("paid", 0.0)]
    await books(tenant)


async def test_mn_08_an_invoice_is_charged_when_it_is_due(tenant: Tenant):
    """Issued on the 1st, due on the 2nd of the next month: the card is charged then, once."""
    start = await open_house(tenant, "fake_ok", billing={"payment": {"due": {"days": 8}}})
    await tenant.advance(8 * DAY - 60)
    await run(tenant)
    assert await attempts(tenant) == []
    await tenant.advance(60)
    await run(tenant)
    assert await days_of_attempts(tenant, start) == [8]
    assert await attempts(tenant) == [("SUCCEEDED", "", 29.0)]


async def test_pay_answers_a_refusal_and_charges_once(tenant: Tenant):
    """A declined charge is an answer; the same attempt_id is the same attempt; what is paid is not paid twice."""
    await open_house(tenant, gateway=False)
    await tenant.call("SetGateway", name="fake")
    number = (await invoices(tenant))[0].number
    assert (await failure(tenant.call("Pay", invoice_id=number)))[1] == "METHOD_MISSING"
    for token in ("fake_decline", "fake_ok"):
        await tenant.call("AttachMethod", account_id="acme", method_id=token, token=token)
    refused = (await tenant.call("Pay", invoice_id=number, attempt_id="mine")).attempt
    assert (refused.state, refused.reason) == (wire.ATTEMPT_STATE_FAILED, "card_declined")
    assert refused.advice == wire.ATTEMPT_ADVICE_NEW_METHOD
    assert (await tenant.call("Pay", invoice_id=number, attempt_id="mine", method_id="fake_ok")).attempt == refused
    paid = (await tenant.call("Pay", invoice_id=number, method_id="fake_ok")).attempt
    assert (paid.state, paid.cause) == (wire.ATTEMPT_STATE_SUCCEEDED, wire.ATTEMPT_CAUSE_MANUAL)
    code, reason = await failure(tenant.call("Pay", invoice_id=number))
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_DUE")
    assert await books(tenant) == {"gateway:Funds": 29.0, "seller:Backlog": -29.0}


@pytest.mark.parametrize("token", ["fake_timeout", "fake_timeout_before"])
async def test_a_gateway_that_does_not_answer_is_asked_before_anything_is_sent_again(tenant: Tenant, token):
    """Paid without an answer it is found at once; never arrived it is sent again after two minutes: charged once."""
    await open_house(tenant, token)
    if token == "fake_timeout_before":
        assert await attempts(tenant) == [("UNKNOWN", "no_answer", 29.0)]
        number = (await invoices(tenant))[0].number
        assert (await failure(tenant.call("Pay", invoice_id=number)))[1] == "PAYMENT_IN_FLIGHT"
        assert (await failure(tenant.call("VoidInvoice", invoice_id=number)))[1] == "PAYMENT_IN_FLIGHT"
        await tenant.advance(120)
        await run(tenant)
    assert await attempts(tenant) == [("SUCCEEDED", "", 29.0)]
    assert await states(tenant) == [("paid", 0.0)]
    assert await books(tenant) == {"gateway:Funds": 29.0, "seller:Backlog": -29.0}


async def test_a_pending_attempt_shows_where_to_go_and_waits(tenant: Tenant):
    await open_house(tenant, "fake_pending")
    (attempt,) = (await tenant.call("ListAttempts", account_id="acme")).attempts
    assert (attempt.state, attempt.next_action_url[:8]) == (wire.ATTEMPT_STATE_PENDING, "https://")
    await tenant.advance(DAY)
    await run(tenant)
    assert await attempts(tenant) == [("SUCCEEDED", "", 29.0)]
    assert await states(tenant) == [("paid", 0.0)]


async def test_dj_39_offline_money_pays_the_oldest_and_the_rest_is_kept(tenant: Tenant):
    """Two invoices of 29.00 and a transfer of 70.00: 12.00 go into the wallet, and pay of the next invoice."""
    await open_house(tenant, gateway=False)
    await tenant.advance(31 * DAY)
    await run(tenant)
    asked = {"account_id": "acme", "payment_id": "transfer-1", "reference": "4711"}
    paid = {"units": 70, "currency_code": "USD"}
    first = (await tenant.call("RecordOffline", **asked, amount=paid)).payment
    assert (await tenant.call("RecordOffline", **asked, amount=paid)).payment == first
    other = failure(tenant.call("RecordOffline", **asked, amount={"units": 71, "currency_code": "USD"}))
    assert (await other)[1] == "ALREADY_EXISTS"
    assert [dollars(share.amount) for share in first.shares] == [29.0, 29.0, 12.0]
    assert await states(tenant) == [("paid", 0.0), ("paid", 0.0)]
    wallet = await tenant.call("GetWallet", account_id="acme")
    assert [dollars(money) for money in wallet.balances] == [12.0]
    standing = await books(tenant)
    assert (standing["seller:Offline"], standing["account:Liability"]) == (70.0, -12.0)
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert (await states(tenant))[-1] == ("open", 17.0)
    await books(tenant)


async def test_methods_are_attached_once_and_one_is_the_default(tenant: Tenant):
    await open_house(tenant)
    for token in ("fake_ok", "fake_decline", "fake_ok"):
        await tenant.call("AttachMethod", account_id="acme", method_id=token, token=token)

    async def shown():
        found = (await tenant.call("ListMethods", account_id="acme")).methods
        return [(one.method_id, one.default, one.last4) for one in found]

    assert await shown() == [("fake_ok", True, "0000"), ("fake_decline", False, "0000")]
    await tenant.call("SetDefaultMethod", account_id="acme", method_id="fake_decline")
    assert await shown() == [("fake_ok", False, "0000"), ("fake_decline", True, "0000")]
    await tenant.call("DetachMethod", account_id="acme", method_id="fake_decline")
    assert await shown() == [("fake_ok", True, "0000")]
    code, _ = await failure(tenant.call("SetDefaultMethod", account_id="acme", method_id="fake_decline"))
    assert code is grpc.StatusCode.NOT_FOUND


async def test_a_leap_of_a_year_is_paid_as_in_steps(live_server):
    """Refused twice at first, then paid: invoices, attempts and books of one leap are those of many steps."""
    found = []
    async with live_server.channel() as channel:
        for steps in (1, some(73)):
            tenant = Tenant(channel, live_server.new_test_tenant())
            start = await open_house(tenant, "fake_later_2")
            for _ in range(steps):
                await tenant.advance(365 * DAY / steps)
                await run(tenant)
            found.append((await days_of_attempts(tenant, start), await states(tenant), await books(tenant)))
    assert found[0] == found[1]
    assert len(found[0][0]) == 15


async def test_ar_11_past_due_then_suspended_then_served_again_when_paid(tenant: Tenant):
    """Past due with the first failure, suspended with the fifth, on day 21; a card that pays lifts it."""
    await open_house(tenant, "fake_later_9")
    await stands(tenant, "PAST_DUE", True)
    late = SubscriptionState.SUBSCRIPTION_STATE_PAST_DUE
    assert (await tenant.call("GetAccount", account_id="acme")).account.subscription.state == late
    extended = await tenant.call("ExtendSubscription", account_id="acme", without_end=True)
    assert extended.subscription.state == late, "a change is answered as it reads"
    await tenant.advance(21 * DAY - 60)
    await run(tenant)
    await stands(tenant, "PAST_DUE", True)
    await tenant.advance(120)
    await run(tenant)
    await stands(tenant, "SUSPENDED", False)
    listed = (await tenant.call("ListSubscriptions", state="SUBSCRIPTION_STATE_SUSPENDED")).subscriptions
    assert [one.account_id for one in listed] == ["acme"]
    assert (await tenant.call("GetCollection", account_id="acme")).state == catalog_pb2.DUNNING_STATE_SUSPENDED
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok", default=True)
    await stands(tenant, "ACTIVE", True)
    assert not (await tenant.call("GetCollection", account_id="acme")).cases
    await books(tenant)


@pytest.mark.parametrize("first", ["operator", "dunning"])
async def test_the_operators_state_and_billings_do_not_change_each_other(tenant: Tenant, first):
    """Suspended by both, paid: still suspended by the operator, until he says otherwise."""
    await open_house(tenant, "fake_decline", billing={"dunning": {"steps": [{"after_days": 1, "state": "suspended"}]}})
    suspend = ("SetSubscriptionState", {"account_id": "acme", "state": "SUBSCRIPTION_STATE_SUSPENDED"})
    if first == "operator":
        await tenant.call(suspend[0], **suspend[1])
    await tenant.advance(DAY)
    await run(tenant)
    if first == "dunning":
        await stands(tenant, "SUSPENDED", False)
        await tenant.call(suspend[0], **suspend[1])
    await tenant.call("RecordOffline", account_id="acme", amount={"currency_code": "USD", "units": 29})
    await stands(tenant, "SUSPENDED", False)
    await tenant.call("SetSubscriptionState", account_id="acme", state="SUBSCRIPTION_STATE_ACTIVE")
    await stands(tenant, "ACTIVE", True)


async def test_dj_36_three_failures_end_the_subscription(tenant: Tenant):
    """Day 0, 1 and 2; then it is cancelled, and the default plan, of which there is none, serves no more."""
    rules = {"retry_after_days": [1, 1], "steps": [{"when": "exhausted", "state": "canceled"}]}
    start = await open_house(tenant, "fake_later_9", billing={"dunning": rules}, standing=True)
    await tenant.advance(10 * DAY)
    await run(tenant)
    assert await days_of_attempts(tenant, start) == [0, 1, 2]
    (held,) = (await tenant.call("ListSubscriptions", account_id="acme")).subscriptions
    assert (held.state, held.end_time.seconds - start.seconds) == (
        SubscriptionState.SUBSCRIPTION_STATE_EXPIRED,
        2 * DAY,
    )
    await books(tenant)


async def test_dj_36_small_amounts_are_carried_forward(tenant: Tenant):
    """A fee of 0.50 is not charged alone; with the month of 29.00 it is, in one charge of 29.50 for two invoices."""
    await open_house(tenant, "fake_ok", amount="0.50")
    await run(tenant)
    assert (await attempts(tenant), await states(tenant)) == ([], [("open", 0.5)])
    fee = {"account_id": "acme", "text": "a fee", "amount": {"currency_code": "USD", "units": 28, "nanos": 500_000_000}}
    await tenant.call("CreateFee", **fee)
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert await attempts(tenant) == [("SUCCEEDED", "", 29.5)]
    assert await states(tenant) == [("paid", 0.0), ("paid", 0.0)]
    (payment,) = (await tenant.call("ListPayments", account_id="acme")).payments
    assert [dollars(share.amount) for share in payment.shares] == [29.0, 0.5]
    await books(tenant)


async def test_mn_09_every_card_is_charged_exactly_its_invoice_and_nothing_for_none(tenant: Tenant):
    """29.00, 29.00 less 29.00, and 29.00 less 40.00: one charge of 29.00, a paid invoice of 0, and a credit note."""
    await open_house(tenant)
    for account, units in (("acme", 0), ("even", -29), ("less", -40)):
        await tenant.call("UpsertAccount", account_id=account)
        await tenant.call("AttachMethod", account_id=account, token="fake_ok")
        if units:
            fee = {"text": "goodwill", "amount": {"currency_code": "USD", "units": units}}
            await tenant.call("CreateFee", account_id=account, **fee)
            await tenant.advance(60)
            await tenant.call("CreateSubscription", account_id=account, plan_key="pro")
    await run(tenant)
    charged = [(one.account_id, dollars(one.amount)) for one in (await tenant.call("ListAttempts")).attempts]
    assert charged == [("acme", 29.0)]
    totals = {one.account_id: (dollars(one.total), dollars(one.due)) for one in await invoices(tenant)}
    assert totals == {"acme": (29.0, 0.0), "even": (0.0, 0.0), "less": (-11.0, 0.0)}
    await books(tenant)


async def test_mn_10_failed_payments_are_retried_daily_until_they_succeed(tenant: Tenant):
    """14 daily retries are allowed; the card pays on the third day: attempts on days 0, 1, 2, 3, and none after."""
    start = await open_house(tenant, "fake_later_3", billing={"dunning": {"retry_after_days": [1] * 14}})
    await tenant.advance(20 * DAY)
    await run(tenant)
    assert await days_of_attempts(tenant, start) == [0, 1, 2, 3]
    assert await states(tenant) == [("paid", 0.0)]


async def test_a_method_is_set_up_attached_and_charged(tenant: Tenant):
    """The gateway says where it is left, and its token pays 29.00; begun again it is the same setup."""
    await open_house(tenant)
    wanted = {"account_id": "acme", "setup_id": "s1", "return_url": "https://shop.example/back"}
    begun = await tenant.call("BeginSetup", **wanted)
    assert (begun.setup_id, begun.gateway, bool(begun.gateway_id)) == ("s1", "fake", True)
    assert begun.url.startswith("https://")
    assert await tenant.call("BeginSetup", **wanted) == begun
    await tenant.call("AttachMethod", account_id="acme", token=begun.token)
    await run(tenant)
    assert await states(tenant) == [("paid", 0.0)]


async def test_defect_16_a_manual_attempt_is_not_dunnings(tenant: Tenant):
    """A refused charge by hand in between moves no rung of the ladder."""
    start = await open_house(tenant, "fake_later_9")
    await tenant.advance(DAY)
    number = (await invoices(tenant))[0].number
    assert (await tenant.call("Pay", invoice_id=number)).attempt.state == wire.ATTEMPT_STATE_FAILED
    await tenant.advance(27 * DAY)
    await run(tenant)
    assert await days_of_attempts(tenant, start) == [0, 1, 2, 7, 14, 21]


async def test_bk_10_with_the_flag_off_nothing_is_charged_by_itself(tenant: Tenant):
    """By the catalogue by hand; the account may say otherwise, and is charged then."""
    await open_house(tenant, "fake_ok", billing={"payment": {"collect": "manual", "due": {"days": 5}}})
    assert (await attempts(tenant), await standing(tenant)) == ([], ("ACTIVE", True))
    await tenant.advance(6 * DAY)
    await run(tenant)
    assert await attempts(tenant) == []
    await stands(tenant, "PAST_DUE", True)
    await tenant.call("SetCollection", account_id="acme", collect="COLLECTION_AUTOMATIC")
    await tenant.advance(2 * DAY)
    await run(tenant)
    assert await attempts(tenant) == [("SUCCEEDED", "", 29.0)]
    await stands(tenant, "ACTIVE", True)


@pytest.mark.parametrize(("canceled", "lost"), [(False, "seller:Writeoff"), (True, "seller:Canceled")])
async def test_dj_39_what_is_given_up_is_ledgered_and_the_account_is_served_again(tenant: Tenant, canceled, lost):
    """29.00 past due and given up: due 0.00, no receivable is left; a payment that comes late is kept in the wallet."""
    await open_house(tenant, "fake_decline")
    number = (await invoices(tenant))[0].number
    await stands(tenant, "PAST_DUE", True)
    for _ in range(2):
        shown = (await tenant.call("WriteOffInvoice", invoice_id=number, canceled=canceled)).invoice
        assert (dollars(shown.due), dollars(shown.written_off)) == (0.0, 29.0)
    other = failure(tenant.call("WriteOffInvoice", invoice_id=number, canceled=not canceled))
    assert (await other)[1] == "NOTHING_DUE", "it is told as done, and was not"
    await stands(tenant, "ACTIVE", True)
    assert await books(tenant) == {lost: 29.0, "seller:Backlog": -29.0}
    assert (await failure(tenant.call("Pay", invoice_id=number)))[1] == "NOTHING_DUE"
    assert (await failure(tenant.call("VoidInvoice", invoice_id=number)))[1] == "INVOICE_FINAL"
    await tenant.call("RecordOffline", account_id="acme", amount={"currency_code": "USD", "units": 29})
    assert (await books(tenant))["account:Liability"] == -29.0


async def test_dj_39_a_paid_invoice_has_nothing_to_give_up(tenant: Tenant):
    await open_house(tenant, "fake_ok")
    number = (await invoices(tenant))[0].number
    assert (await failure(tenant.call("WriteOffInvoice", invoice_id=number)))[1] == "NOTHING_DUE"


async def test_money_that_is_given_pays_what_is_open_and_what_comes(tenant: Tenant):
    """30.00 given for 29.00 that are open: 1.00 stays, and the next invoice has 28.00 to be charged."""
    await open_house(tenant, "fake_decline")
    given = {"account_id": "acme", "credit_id": "sorry", "amount": {"currency_code": "USD", "units": 30}}
    first = (await tenant.call("AddWalletCredit", **given)).entry
    assert (await tenant.call("AddWalletCredit", **given)).entry == first
    other = failure(tenant.call("AddWalletCredit", **{**given, "amount": {"currency_code": "USD", "units": 31}}))
    assert (await other)[1] == "ALREADY_EXISTS"
    assert await states(tenant) == [("paid", 0.0)]
    await stands(tenant, "ACTIVE", True)
    assert await books(tenant) == {"account:Liability": -1.0, "seller:Backlog": -29.0, "seller:Expenses": 30.0}
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok", default=True)
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert (await attempts(tenant))[-1] == ("SUCCEEDED", "", 28.0)
    await books(tenant)


async def test_what_is_given_until_a_day_is_spent_first_and_then_gone(tenant: Tenant):
    """10.00 for good and 40.00 for forty days: 29.00 come from the 40.00, and 11.00 of them expire. 10.00 stay."""
    await open_house(tenant, gateway=False)
    number = (await invoices(tenant))[0].number
    await tenant.call("WriteOffInvoice", invoice_id=number)
    now = (await tenant.call("GetTestClock")).clock.current_time
    for name, units, ends in (("good", 10, None), ("short", 40, after(now, 40 * DAY))):
        amount = {"currency_code": "USD", "units": units}
        await tenant.call("AddWalletCredit", account_id="acme", credit_id=name, amount=amount, expire_time=ends)
    past = failure(
        tenant.call("AddWalletCredit", account_id="acme", amount={"currency_code": "USD", "units": 1}, expire_time=now)
    )
    assert (await past)[1] == "INVALID_FIELD"
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert (await states(tenant))[-1] == ("paid", 0.0)
    assert (await books(tenant))["account:Liability"] == -21.0
    await tenant.advance(9 * DAY + 60)
    await run(tenant)
    standing = await books(tenant)
    assert (standing["account:Liability"], standing["seller:Expenses"]) == (-10.0, 39.0)
    newest = (await tenant.call("GetWallet", account_id="acme")).entries[0]
    assert dollars(newest.amount) == -11.0


async def test_ar_14_settlements_that_agree_have_no_difference_and_a_planted_one_is_named(tenant: Tenant, live_server):
    """Three charges of 29.00; one that the gateway has 10.00 more of is the one row."""
    start = await open_house(tenant, "fake_ok", "fake_later")
    for _ in range(2):
        await tenant.advance(31 * DAY)
        await run(tenant)
    asked = {"gateway": "fake", "start_time": start}
    agreed = await tenant.call("Reconcile", **asked)
    assert (agreed.booked, agreed.settled, list(agreed.differences)) == (3, 3, [])
    never = await failure(tenant.call("Reconcile", **asked, end_time=start))
    assert never == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    charge = (await tenant.call("ListPayments", account_id="acme")).payments[0].gateway_id
    engine = create_engine(database_address(live_server.settings))
    async with engine.begin() as connection:
        of = fake_charges.c.charge_id == charge
        await connection.execute(update(fake_charges).where(of).values(amount=fake_charges.c.amount + 1_000))
    await engine.dispose()
    (found,) = (await tenant.call("Reconcile", **asked)).differences
    assert (found.gateway_id, dollars(found.booked), dollars(found.settled)) == (charge, 29.0, 39.0)


async def test_ar_14_what_the_fake_gateway_lost_to_disputes_is_a_row_until_it_is_booked(tenant: Tenant):
    """29.00 three times: one is disputed, one was lost, one was won back; a person tells of the first two."""
    start = await open_house(tenant, "fake_dispute")
    for token in ("fake_dispute_lost", "fake_dispute_won"):
        await tenant.call("AttachMethod", account_id="acme", token=token, default=True)
        await tenant.advance(31 * DAY)
        await run(tenant)
    asked = {"gateway": "fake", "start_time": start}
    found = await tenant.call("Reconcile", **asked)
    assert (found.booked, found.settled) == (3, 6)
    assert [(one.kind, dollars(one.booked), dollars(one.settled)) for one in found.differences] == [
        (wire.SETTLEMENT_KIND_DISPUTE, 0.0, 29.0)
    ] * 2
    of = {row.gateway_id: row for row in found.differences}
    for payment in (await tenant.call("ListPayments", account_id="acme")).payments:
        named = f"dp_{payment.payment_id}"
        if named in of:
            told = {"payment_id": payment.payment_id, "dispute_id": named, "state": "DISPUTE_STATE_OPENED"}
            await tenant.call("RecordDispute", **told)
    assert list((await tenant.call("Reconcile", **asked)).differences) == []


@pytest_asyncio.fixture(scope="module")
async def postgres_address(places, tmp_path_factory):
    """A server with `--testing` on PostgreSQL."""
    database = DatabaseSettings(url=places.new("postgres"))
    settings = testing_settings(tmp_path_factory.mktemp("paid")).model_copy(update={"database": database})
    async with Application(settings) as application:
        yield application.grpc_address


@pytest.mark.parametrize(
    "world",
    [
        test_an_invoice_fails_is_retried_and_is_paid,
        test_bk_10_a_new_method_is_charged_at_once,
        test_ar_11_past_due_then_suspended_then_served_again_when_paid,
        test_dj_36_small_amounts_are_carried_forward,
        test_a_pending_attempt_shows_where_to_go_and_waits,
        test_dj_39_offline_money_pays_the_oldest_and_the_rest_is_kept,
    ],
)
async def test_on_postgresql_as_well(postgres_address, world):
    async with grpc.aio.insecure_channel(postgres_address) as channel:
        await world(Tenant(channel, mint_key(secrets.token_bytes(ENTROPY_BYTES))))


async def test_bk_09_an_account_lists_its_invoices_with_what_paid_them(tenant: Tenant):
    """Number, day, texts, amount, state, the payment and its day; found by state and text; pages of 25, at most 100."""
    await open_house(tenant, "fake_ok")
    (paid,) = await invoices(tenant, account_id="acme", state="INVOICE_STATE_PAID")
    assert (dollars(paid.total), dollars(paid.due)) == (29.00, 0.00)
    assert await lines(tenant, paid) == [("Pro", 29.00)]
    assert paid.number
    assert paid.issue_time.seconds
    (payment,) = (await tenant.call("ListPayments", invoice_id=paid.invoice_id)).payments
    assert payment.payment_id
    assert payment.create_time.seconds >= paid.issue_time.seconds
    await tenant.call("SetCollection", account_id="acme", collect="COLLECTION_MANUAL")
    for number in range(1, 28):
        fee = {"text": f"Call {number}", "amount": {"currency_code": "USD", "units": number}}
        await tenant.call("CreateFee", account_id="acme", **fee)
        await tenant.advance(31 * DAY)
        await run(tenant)
    (found,) = await invoices(tenant, account_id="acme", text="call 27")
    assert found.state == wire_invoice.INVOICE_STATE_OPEN
    assert len(await invoices(tenant, account_id="acme", state="INVOICE_STATE_PAID")) == 1
    first = await tenant.call("ListInvoices", account_id="acme")
    assert len(first.invoices) == 25
    assert first.invoices[0].issue_time.seconds > first.invoices[-1].issue_time.seconds
    rest = await tenant.call("ListInvoices", account_id="acme", page_token=first.next_page_token)
    assert (len(rest.invoices), rest.next_page_token) == (3, "")
    many = await failure(tenant.call("ListInvoices", account_id="acme", page_size=101))
    assert many == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_a_gateway_that_does_not_answer_forgets_a_method_later(tenant: Tenant, monkeypatch):
    """It is asked again after ten minutes; meanwhile nothing is charged by it, an attempt that got lost neither."""
    asked = []

    async def detach(_self, token):
        asked.append(token)
        if len(asked) == 1:
            raise NoAnswerError

    monkeypatch.setattr(FakeGateway, "detach", detach)
    await open_house(tenant, "fake_timeout_before")
    assert await attempts(tenant) == [("UNKNOWN", "no_answer", 29.0)]
    await tenant.call("DetachMethod", account_id="acme", method_id="fake_timeout_before")
    await tenant.advance(300)
    await run(tenant)
    assert await attempts(tenant) == [("FAILED", "never_arrived", 29.0)]
    assert asked == [], "while it may still be charged it stays"
    for _ in range(3):
        await tenant.advance(600)
        await run(tenant)
    assert asked == ["fake_timeout_before"] * 2
    assert await states(tenant) == [("open", 29.0)]
