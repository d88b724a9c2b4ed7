"""Rows about what an operator sees of the business: recurring revenue, who left and why. Figures by hand."""

import hashlib

import pytest

from invoicing import at, catalog, dollars, invoices, run
from tallygate.domain.billing.experiments import variant_of

MONTH = {"recurring": {"amount": "29.00"}}
YEAR = {"type": "percentage", "value": "20", "length": 12}


async def shop(tenant, *accounts, **parts):
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    await tenant.apply(catalog(MONTH, advance_discounts=[YEAR], **parts))
    for account in accounts:
        await tenant.call("UpsertAccount", account_id=account)


async def subscribe(tenant, account, **more):
    await tenant.call("CreateSubscription", account_id=account, plan_key="pro", **more)


async def report(tenant, start, end=None):
    times = {"start_time": at(start), **({"end_time": at(end)} if end else {})}
    return await tenant.call("GetReport", **times)


async def test_ar_23_recurring_revenue_by_the_month(tenant):
    """Ten by the month at 29.00, and two who paid 278.00 for a year: 290.00 + 2 x 278.00 / 12 = 336.33."""
    await shop(tenant, *(f"a{number}" for number in range(13)))
    for number in range(10):
        await subscribe(tenant, f"a{number}")
    for number in (10, 11):
        await subscribe(tenant, f"a{number}", advance_length=12)
    await subscribe(tenant, "a12", trial_days=14)
    await tenant.advance_to(at("2024-03-02"))
    (books,) = (await report(tenant, "2024-03-01")).books
    assert dollars(books.monthly_recurring) == 336.33


async def test_ar_23_what_happened_to_an_accounts_billing_is_told_in_order(tenant):
    await shop(tenant, "acme")
    await subscribe(tenant, "acme")
    await tenant.call("SetGateway", name="fake")
    await run(tenant)
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok")
    await run(tenant)
    await tenant.advance_to(at("2024-03-10"))
    await tenant.call("CancelSubscription", account_id="acme", when="CHANGE_WHEN_NOW", reason="too dear")
    await run(tenant)
    told = (await tenant.call("ListMessages", account_id="acme")).messages
    types = [each.type for each in told]
    known = ["subscription.created", "invoice.created", "invoice.paid", "subscription.canceled"]
    assert [each for each in types if each in known] == known
    times = [each.create_time.ToMicroseconds() for each in told]
    assert times == sorted(times)


async def test_ar_23_three_of_forty_lost_are_7_5_per_cent_each_with_why_and_when_it_was_active_last(
    tenant,
):
    """Forty in March, of whom three leave in April; one that only comes in April is nobody's loss."""
    await shop(tenant, *(f"a{number:02}" for number in range(41)))
    for number in range(40):
        await subscribe(tenant, f"a{number:02}")
    await tenant.advance_to(at("2024-03-20"))
    await tenant.consume("a01", "calls", 3)
    await tenant.usage_reaches("a01", "calls", 3)
    await tenant.advance_to(at("2024-04-10"))
    await subscribe(tenant, "a40")
    for account, reason in (("a00", "too dear"), ("a01", ""), ("a02", "moved on")):
        await tenant.call("CancelSubscription", account_id=account, when="CHANGE_WHEN_NOW", reason=reason)
    await tenant.advance_to(at("2024-05-01"))
    found = await report(tenant, "2024-04-01", "2024-05-01")
    counts = found.accounts_at_start, found.accounts_gained, found.accounts_lost, found.accounts_at_end
    assert (counts, found.churn_percent) == ((40, 1, 3, 38), "7.5")
    lost = {one.account_id: (one.plan_key, one.reason, one.end_time) for one in found.lost}
    left = at("2024-04-10")
    assert lost == {"a00": ("pro", "too dear", left), "a01": ("pro", "", left), "a02": ("pro", "moved on", left)}
    active = {one.account_id: one.last_activity_time for one in found.lost if one.HasField("last_activity_time")}
    assert active == {"a01": at("2024-03-20")}
    before = await report(tenant, "2024-03-02", "2024-04-01")
    assert (before.accounts_lost, before.churn_percent) == (0, "0")


async def test_ar_33_the_report_equals_the_ledger(tenant):
    """Two months of two accounts at 29.00, one of whom pays: 116.00 invoiced, 58.00 received and due."""
    await shop(tenant, "acme", "globex")
    await tenant.call("SetGateway", name="fake")
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok")
    for account in ("acme", "globex"):
        await subscribe(tenant, account)
    await tenant.advance_to(at("2024-04-01"))
    await run(tenant)
    await tenant.advance_to(at("2024-04-30 23:59:59"))
    await run(tenant)
    assert sum(dollars(each.total) for each in await invoices(tenant)) == 116.00
    await tenant.advance_to(at("2024-05-01"))
    found = await report(tenant, "2024-03-01", "2024-05-01")
    (books,) = found.books
    figures = books.monthly_recurring, books.invoiced, books.received, books.outstanding
    assert [dollars(each) for each in figures] == [58.00, 116.00, 58.00, 58.00]
    last = await tenant.call("GetTrialBalance", at_time=at("2024-04-30 23:59:59.999999"))
    ledger = {each.ledger_account: dollars(each.balance) for each in last.balances}
    assert dollars(books.outstanding) == ledger["account:Receivable"]
    assert dollars(books.received) == ledger["gateway:Funds"]
    assert dollars(books.income) == -ledger["seller:Income"] > 0
    assert (found.accounts_at_end, found.accounts_lost) == (2, 0)
    wanted = {"ledger_account": "account:Receivable", "end_time": at("2024-05-01"), "page_size": 100}
    posted = (await tenant.call("ListTransfers", **wanted)).transfers
    exported = (await tenant.call("ExportLedger", end_time=at("2024-05-01"))).text
    assert exported.count(":Receivable") == len(posted) > 0, "a warehouse is given the same transfers"


def arm_by_hand(account):
    """By the first 64 bits of SHA-256 over the experiment, with its length, and the account."""
    digest = hashlib.sha256(f"5:price{account}".encode()).hexdigest()
    return ["pro", "pro-19"][int(digest[:16], 16) // 2**63]


async def test_ar_24_half_of_the_accounts_are_shown_each_price_keep_it_and_are_billed_what_they_were_shown(tenant):
    """29.00 against 19.00 among 40 accounts: every second of each arm buys; the report has conversion and revenue."""
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    document = catalog(MONTH)
    document["plans"]["pro-19"] = {**document["plans"]["pro"], "prices": [{"recurring": {"amount": "19.00"}}]}
    await tenant.apply(document)
    accounts = [f"a{number:02}" for number in range(40)]
    experiment = {"experiment_key": "price", "variants": ["pro", "pro-19"]}

    async def variant(account):
        return (await tenant.call("AssignVariant", **experiment, account_id=account)).variant

    shown = {}
    for account in accounts:
        await tenant.call("UpsertAccount", account_id=account)
        shown[account] = await variant(account)
    assert shown == {account: arm_by_hand(account) for account in accounts}
    arms = {plan: [each for each in accounts if shown[each] == plan] for plan in ("pro", "pro-19")}
    buyers = {plan: found[::2] for plan, found in arms.items()}
    for plan, price in (("pro", 29.00), ("pro-19", 19.00)):
        for account in buyers[plan]:
            quote = await tenant.call("Quote", account_id=account, plan_key=await variant(account))
            assert [dollars(each.total) for each in quote.opening] == [price]
            await tenant.call("CreateSubscription", account_id=account, plan_key=plan)
    await run(tenant)
    await tenant.advance_to(at("2024-03-15"))
    assert {account: await variant(account) for account in accounts} == shown, "in each session the same"
    for account in buyers["pro-19"]:
        assert [dollars(each.total) for each in await invoices(tenant, account_id=account)] == [19.00]
    found = (await tenant.call("CompareVariants", **experiment, start_time=at("2024-03-01"))).outcomes
    figures = [(one.variant, one.accounts, one.converted, [dollars(each) for each in one.revenue]) for one in found]
    assert figures == [
        (plan, len(arms[plan]), len(buyers[plan]), [price * len(buyers[plan])])
        for plan, price in (("pro", 29.00), ("pro-19", 19.00))
    ]
    rates = [100 * len(buyers[plan]) / len(arms[plan]) for plan in ("pro", "pro-19")]
    assert [float(one.conversion_percent) for one in found] == pytest.approx(rates, abs=1e-6)


def test_ar_24_each_price_is_shown_to_half_of_many():
    """Of 10,000 accounts 5,000 each, within three standard deviations: 150."""
    first = [variant_of("price", f"account-{number}", ["a", "b"]) for number in range(10_000)]
    assert abs(first.count("a") - 5_000) < 150
    other = [variant_of("layout", f"account-{number}", ["a", "b"]) for number in range(10_000)]
    alike = sum(one == another for one, another in zip(first, other, strict=True))
    assert abs(alike - 5_000) < 150, "another experiment distributes them anew"
