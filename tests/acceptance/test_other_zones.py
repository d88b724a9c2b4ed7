"""An account that is billed already and moves to another time zone, through the API. Figures by hand."""

from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from invoicing import catalog, dollars, invoices, run

MONTHLY = {"every": "month", "anchor": "calendar"}
PRICES = (
    {"recurring": {"amount": "31.00", "every": "month"}},
    {"key": "support", "recurring": {"amount": "365.00", "every": "year", "label": "Support"}},
    {"commitment": {"amount": "71.00", "every": "month", "label": "Least"}},
    {"usage": {"feature_key": "calls", "unit_amount": "1.00"}},
)


async def stand(tenant, *when):
    moment = Timestamp()
    moment.FromDatetime(datetime(*when, tzinfo=UTC))
    await tenant.call("SetTestClock", time=moment, standing=True)


def shown(stamp):
    return stamp.ToDatetime().strftime("%m-%d %H:%M")


async def moved(tenant, *prices):
    """In UTC from 1 March on; in New York from 10 March on, where the clock is four hours behind by then."""
    await stand(tenant, 2026, 3, 1)
    await tenant.apply(catalog(*prices, billing={"grace": "0s"}, billing_rule=MONTHLY))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    await stand(tenant, 2026, 3, 10, 12)
    await tenant.call("UpsertAccount", account_id="acme", time_zone="America/New_York")


async def whole(tenant):
    return [(await tenant.call("GetInvoice", invoice_id=one.invoice_id)).invoice for one in await invoices(tenant)]


def told(documents):
    return [
        (shown(one.end_time), [(line.text, dollars(line.amount), shown(line.end_time)) for line in one.lines])
        for one in documents
    ]


async def test_the_new_zone_holds_from_the_next_period_for_all_that_is_charged(tenant):
    """The month from 1 April 00:00 UTC ends on 1 May 00:00 in New York, 04:00 UTC. Support keeps its year in UTC."""
    await moved(tenant, *PRICES)
    assert shown((await tenant.call("PreviewInvoice", account_id="acme")).cut_time) == "04-01 00:00"
    await stand(tenant, 2026, 4, 1, 2)
    await tenant.consume("acme", "calls", 5)
    await run(tenant)
    await stand(tenant, 2026, 5, 1, 3, 59, 59)
    await tenant.consume("acme", "calls", 7)
    await tenant.usage_reaches("acme", "calls", 12)
    previewed = (await tenant.call("PreviewInvoice", account_id="acme")).invoices
    await stand(tenant, 2026, 5, 1, 4)
    await tenant.consume("acme", "calls", 9)
    await run(tenant)
    documents = await whole(tenant)
    assert [line for one in previewed for line in one.lines] == list(documents[-1].lines)
    # Support counts from 1 January: 306 of the 365 days of 2026 were left on 1 March.
    # Of the 71.00 at least, Pro and the 31 and 30 days of Support come to 62.00 in March and 61.00 in April.
    assert told(documents) == [
        ("04-01 00:00", [("Pro", 31.00, "04-01 00:00"), ("Support", 306.00, "01-01 00:00")]),
        ("04-01 00:00", [("Least", 9.00, "04-01 00:00"), ("Pro", 31.00, "05-01 04:00")]),
        (
            "05-01 04:00",
            [("Pro", 31.00, "06-01 04:00"), ("calls", 12.00, "05-01 04:00")],
        ),
    ]
    for one in documents:
        answer = await tenant.call("VerifyInvoice", invoice_id=one.invoice_id)
        assert (answer.same, list(answer.differences)) == (True, [])


@pytest.mark.parametrize("leap", [True, False])
async def test_a_leap_over_a_move_gives_the_same_documents(tenant, leap):
    """Sunday 1 November 2026 has 25 hours in New York: every month from May on ends at its midnight there."""
    await moved(tenant, PRICES[0])
    months = [(2026, month, 1, 6) for month in range(4, 13)]
    for when in months[-1:] if leap else months:
        await stand(tenant, *when)
        await run(tenant)
    found = await whole(tenant)
    ends = ["04-01 00:00", *(f"{month:02}-01 04:00" for month in range(5, 12)), "12-01 05:00"]
    assert [shown(one.end_time) for one in found] == ["04-01 00:00", *ends]
    assert {dollars(one.total) for one in found} == {31.00}


async def test_a_tenant_that_moves_takes_along_who_has_no_zone_of_its_own(tenant):
    await moved(tenant, PRICES[0])
    await tenant.call("UpsertAccount", account_id="other", plan_key="pro")
    await run(tenant)
    document = catalog(PRICES[0], billing={"grace": "0s"}, billing_rule=MONTHLY)
    await tenant.apply({**document, "time_zone": "Asia/Tokyo"})
    await stand(tenant, 2026, 5, 2)
    await run(tenant)
    ends = [(one.account_id, shown(one.end_time)) for one in await invoices(tenant)]
    assert [end for account, end in ends if account == "acme"] == ["04-01 00:00", "04-01 00:00", "05-01 04:00"]
    assert [end for account, end in ends if account == "other"] == ["04-01 00:00", "04-01 00:00", "04-30 15:00"]


async def test_fees_alone_wait_for_the_month_that_ran_when_the_account_moved(tenant):
    """April stays UTC's; what begins with it is May in New York, up to 1 June 04:00 UTC."""
    await stand(tenant, 2026, 3, 1)
    await tenant.apply(catalog(billing={"grace": "0s"}))
    await tenant.call("UpsertAccount", account_id="acme")
    for text, when, zone in [
        ("March", (2026, 4, 1), ""),
        ("April", (2026, 4, 10), "America/New_York"),
        ("In time", (2026, 5, 1), "America/New_York"),
        ("May", (2026, 6, 1, 3, 59), "America/New_York"),
        ("Still May", (2026, 6, 1, 4), "America/New_York"),
    ]:
        await tenant.call("CreateFee", account_id="acme", amount={"currency_code": "USD", "units": 1}, text=text)
        await stand(tenant, *when)
        await run(tenant)
        await tenant.call("UpsertAccount", account_id="acme", time_zone=zone)
    assert told(await whole(tenant)) == [
        ("04-01 00:00", [("March", 1.00, "03-01 00:00")]),
        ("05-01 00:00", [("April", 1.00, "04-01 00:00"), ("In time", 1.00, "04-10 00:00")]),
        ("06-01 04:00", [("May", 1.00, "05-01 00:00"), ("Still May", 1.00, "06-01 03:59")]),
    ]
