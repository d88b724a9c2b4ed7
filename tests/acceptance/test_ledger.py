"""Rows about the ledger: what invoices post, what becomes income when, and books that balance. Figures by hand."""

import re
import shutil
import subprocess
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from invoicing import run
from tenants import Tenant, eventually, failure
from thorough import some

DAY = 86_400
BASE = {"recurring": {"amount": "29.00"}}
SETUP = {"setup": {"amount": "10.00"}}
CALLS = {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}
YEARLY = {"recurring": {"amount": "278.00", "every": "year"}}


def catalog(*prices, currency="USD"):
    return {
        "currency": currency,
        "billing": {"grace": "0s"},
        "features": {"calls": {"kind": "metered"}},
        "plans": {
            "pro": {"version": 1, "name": "Pro", "entitlements": {"calls": {"unlimited": True}}, "prices": list(prices)}
        },
    }


async def january(tenant):
    """Go to the next first of January, so that years in tests are calendar years."""
    now = datetime.fromtimestamp(await tenant.now(), UTC)
    start = day_of(now.year + 1, 1)
    await tenant.advance_to(start)
    return start.ToDatetime().year


def day_of(year, month, day=1):
    stamp = Timestamp()
    stamp.FromDatetime(datetime(year, month, day, tzinfo=UTC))
    return stamp


def value(money):
    return Decimal(money.units) + Decimal(money.nanos).scaleb(-9)


async def balances(tenant, **wanted):
    found = await tenant.call("GetTrialBalance", **wanted)
    assert sum(value(one.balance) for one in found.balances) == 0
    return {one.ledger_account: value(one.balance) for one in found.balances if value(one.balance)}


async def transfers(tenant, **wanted):
    found, token = [], None
    while token != "":
        page = await tenant.call("ListTransfers", page_size=7, page_token=token or "", **wanted)
        found += page.transfers
        token = page.next_page_token
    return [(one.debit, one.credit, value(one.amount)) for one in found[::-1]]


async def audited(tenant):
    assert list((await tenant.call("AuditLedger")).differences) == []


async def subscribed(tenant, *prices, **options):
    year = await january(tenant)
    await tenant.apply(catalog(*prices, **options))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    return year


async def test_dj_33_what_an_invoice_charges_is_posted_with_it(tenant: Tenant):
    """A set-up of 10.00 is income at once, the month of 29.00 when it is over."""
    year = await subscribed(tenant, BASE, SETUP)
    assert sorted(await transfers(tenant)) == [
        ("account:Receivable", "seller:Backlog", Decimal(10)),
        ("account:Receivable", "seller:Backlog", Decimal(29)),
        ("seller:Backlog", "seller:Income", Decimal(10)),
    ]
    await audited(tenant)
    await tenant.advance_to(day_of(year, 2, 20))
    await run(tenant)
    assert await balances(tenant) == {"account:Receivable": 68, "seller:Backlog": -29, "seller:Income": -39}
    await audited(tenant)


async def test_dj_38_a_year_paid_in_advance_becomes_income_month_by_month(tenant: Tenant):
    """278.00 / 12 is 23.1666...: eleven months of 23.16, and 23.24 in the last."""
    year = await subscribed(tenant, YEARLY)
    assert await balances(tenant) == {"account:Receivable": 278, "seller:Backlog": -278}
    await tenant.advance_to(day_of(year, 12))
    await run(tenant)
    recognised = await transfers(tenant, ledger_account="seller:Income")
    assert recognised == [("seller:Backlog", "seller:Income", Decimal("23.16"))] * 11
    await audited(tenant)
    await tenant.advance_to(day_of(year + 1, 1))
    await run(tenant)
    assert (await transfers(tenant, ledger_account="seller:Income"))[-1][2] == Decimal("23.24")
    assert (await balances(tenant, at_time=day_of(year + 1, 1)))["seller:Income"] == -278
    assert (await balances(tenant, at_time=day_of(year, 3)))["seller:Income"] == Decimal("-46.32")
    await audited(tenant)


async def test_closed_books_stay_as_they_are(tenant: Tenant):
    """What of January to March becomes income after the books were closed until May takes effect in May."""
    year = await subscribed(tenant, YEARLY)
    await tenant.advance_to(day_of(year, 5, 10))
    closed = await tenant.call("CloseBooks", closed_time=day_of(year, 5))
    assert closed.closed_time == day_of(year, 5)
    before = await balances(tenant, at_time=day_of(year, 4, 30))
    fee = {"account_id": "acme", "amount": {"currency_code": "USD", "units": 5}, "text": "Late"}
    await tenant.call("CreateFee", **fee)
    await tenant.advance_to(day_of(year, 6, 10))
    await run(tenant)

    async def recognised():
        return (await balances(tenant))["seller:Income"] == -5 * Decimal("23.16")

    await eventually(recognised, what="five months")
    assert await balances(tenant, at_time=day_of(year, 4, 30)) == before
    assert (await tenant.call("GetTrialBalance")).books_closed_time == day_of(year, 5)
    await audited(tenant)
    for when in (day_of(year, 4), day_of(year, 7)):
        assert "INVALID_FIELD" in await failure(tenant.call("CloseBooks", closed_time=when))
    assert (await tenant.call("CloseBooks", closed_time=day_of(year, 5))).closed_time == day_of(year, 5)


async def test_a_leap_of_a_year_gives_the_books_of_many_steps(live_server):
    books = []
    async with live_server.channel() as channel:
        for steps in (1, some(73)):
            stepped = Tenant(channel, live_server.new_test_tenant())
            await subscribed(stepped, BASE, YEARLY, CALLS)
            await stepped.consume("acme", "calls", 7)
            for _ in range(steps):
                await stepped.advance(365 * DAY / steps)
                await run(stepped)
            books.append(await transfers(stepped))
            await audited(stepped)
    assert books[0] == books[1]
    assert len(books[0]) > 40


CREDITED = Decimal("254.39") - Decimal("0.92")
"""334 of 365 days of 278.00, less as many of 1.00: the year is 2027, as the tests' clock shows 2026 or later."""


async def test_a_credit_for_the_rest_of_a_year_takes_what_is_no_income_yet(tenant: Tenant):
    """The rest of 278.00 is credited after a month: January stays income, and what is credited never becomes any."""
    year = await january(tenant)
    document = catalog(YEARLY)
    document["plans"]["small"] = {
        **document["plans"]["pro"],
        "name": "Small",
        "prices": [{"recurring": {"amount": "1.00", "every": "year"}}],
    }
    await tenant.apply(document)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    await tenant.advance_to(day_of(year, 2))
    await tenant.call(
        "ChangePlan", account_id="acme", plan_key="small", when="CHANGE_WHEN_NOW", invoice="CHANGE_INVOICE_NOW"
    )
    await run(tenant)
    await audited(tenant)
    standing = await balances(tenant)
    assert standing["seller:Income"] == Decimal("-23.16")
    await tenant.advance_to(day_of(year + 1, 1))
    await run(tenant)
    await audited(tenant)
    assert "seller:Backlog" not in await balances(tenant, at_time=day_of(year + 1, 1))
    assert "account:Liability" not in standing  # the wallet paid of the open invoice at once
    assert standing["account:Receivable"] == Decimal("278.00") - CREDITED


def by_the_program(text, tmp_path):
    """What every account stands at, as the `ledger` program says."""
    path = tmp_path / "books.ledger"
    path.write_text(text)
    command = ["ledger", "--args-only", "-f", str(path), "balance", "--flat", "--no-total", "--balance-format"]
    out = subprocess.run([*command, "%(account)|%(display_total)\n"], check=True, capture_output=True, text=True)
    return {name: amount for name, _, amount in (line.partition("|") for line in out.stdout.splitlines() if line)}


def by_hand(text, _):
    """The same by the grammar's few rules that the export needs: a posting is two spaces between name and amount."""
    sums = {}
    for transaction in text.split("\n\n")[:-1]:
        header, *postings = transaction.split("\n")
        assert re.fullmatch(r"\d{4}/\d\d/\d\d \* \S+", header)
        amounts = []
        for posting in postings:
            name, amount, unit = re.fullmatch(r"    (\S.*?)  (-?[\d.]+) ([A-Z]{3})", posting).groups()
            amounts.append(Decimal(amount))
            sums[name, unit] = sums.get((name, unit), 0) + Decimal(amount)
        assert sum(amounts) == 0
    return {name: f"{amount} {unit}" for (name, unit), amount in sums.items() if amount}


READERS = [by_hand, *([by_the_program] if shutil.which("ledger") else [])]


async def exported(tenant, **wanted):
    text, token = "", None
    while token != "":
        page = await tenant.call("ExportLedger", page_size=5, page_token=token or "", **wanted)
        text += page.text
        token = page.next_page_token
    return text


@pytest.mark.parametrize("read_by", READERS)
async def test_dj_34_the_export_is_read_to_the_same_balance(tenant: Tenant, tmp_path, read_by):
    year = await subscribed(tenant, BASE, YEARLY, SETUP)
    await tenant.call("UpsertAccount", account_id="a: b;  (c)", plan_key="pro")
    await tenant.advance_to(day_of(year, 4, 20))
    await run(tenant)
    read = read_by(await exported(tenant), tmp_path)
    sums = {}
    for name, amount in read.items():
        owner, _, account = name.partition(":")
        key = f"{owner.partition('/')[0]}:{account}"
        sums[key] = sums.get(key, 0) + Decimal(amount.removesuffix(" USD"))
    assert sums == await balances(tenant)
    assert Decimal(read["account/acme:Receivable"].removesuffix(" USD")) == 29 * 4 + 278 + 10


@pytest.mark.parametrize("read_by", READERS)
async def test_currencies_without_and_with_three_decimals(live_server, tmp_path, read_by):
    async with live_server.channel() as channel:
        for currency, price, text in (("JPY", "1200", "1200 JPY"), ("BHD", "1.234", "1.234 BHD")):
            tenant = Tenant(channel, live_server.new_test_tenant())
            await subscribed(tenant, {"recurring": {"amount": price}}, currency=currency)
            assert read_by(await exported(tenant), tmp_path)["account/acme:Receivable"] == text
