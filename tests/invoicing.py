"""What tests of billing build and read: catalogues, months that are whole, invoices with their lines."""

from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tenants import after

DAY = 86_400


def at(text):
    stamp = Timestamp()
    stamp.FromDatetime(datetime.fromisoformat(text).replace(tzinfo=UTC))
    return stamp


def catalog(*prices, features=None, add_ons=None, entitlements=None, billing=None, billing_rule=None, **plan):
    return {
        "currency": "USD",
        "billing": {"grace": "0s", **(billing or {})},
        "features": {"calls": {"kind": "metered"}, "seats": {"kind": "seat"}, **(features or {})},
        "plans": {
            "pro": {
                "version": 1,
                "name": "Pro",
                "entitlements": {"calls": {"unlimited": True}, "seats": {"unlimited": True}, **(entitlements or {})},
                "prices": list(prices),
                **({"billing": billing_rule} if billing_rule else {}),
                **plan,
            }
        },
        **({"add_ons": add_ons} if add_ons else {}),
    }


def dollars(money):
    assert (money.nanos % 10_000_000, money.currency_code) == (0, "USD")
    return money.units + money.nanos / 10**9


async def month_ahead(tenant, *, standing=False):
    """Go to the first of the next month, so that months in tests are whole; standing: what follows is of its instant.

    A clock that runs goes on while a busy machine is at its first calls, for seconds.
    """
    now = datetime.fromtimestamp(await tenant.now(), UTC)
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)
    start = Timestamp()
    start.FromDatetime(datetime(year, month, 1, tzinfo=UTC))
    if standing:
        await tenant.call("SetTestClock", time=start, standing=True)
    else:
        await tenant.advance_to(start)
    return start


async def run(tenant):
    """Issue all that is due. What was issued is listed: some of it the server's own worker may have issued before."""
    while (await tenant.call("RunBilling")).more:  # a run answers after some seconds how far it came
        pass


async def lines(tenant, invoice):
    full = (await tenant.call("GetInvoice", invoice_id=invoice.invoice_id)).invoice
    assert dollars(full.subtotal) == pytest.approx(sum(dollars(line.amount) for line in full.lines))
    return [(line.text, dollars(line.amount)) for line in full.lines]


async def invoices(tenant, **wanted):
    return list((await tenant.call("ListInvoices", **wanted)).invoices)[::-1]


async def thirty_days(tenant, *, standing=False):
    """Go to the first of a month of 30 days."""
    start = await month_ahead(tenant, standing=standing)
    while datetime.fromtimestamp(after(start, 30 * DAY).seconds, UTC).day != 1:
        start = await month_ahead(tenant, standing=standing)
    return start


async def seat(tenant, *users, assign=True):
    for user in users:
        asked = {"account_id": "acme", "feature_key": "seats", "user_id": user}
        await tenant.call("AssignSeat" if assign else "UnassignSeat", **asked)
