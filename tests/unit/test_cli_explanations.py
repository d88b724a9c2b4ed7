"""What a support agent reads out: each kind of line in sentences, figures exact."""

import pytest

from tallygate.cli.explanations import event_row, explanation, figure
from tallygate_api.v1.catalog_pb2 import Price, UsagePrice
from tallygate_api.v1.invoice_pb2 import InvoiceLine, LineKind, LineStep
from tallygate_api.v1.invoice_service_pb2 import ExplainLineResponse, LineEvent, LineEventMark, LineInputs

APRIL, MAY = {"seconds": 1_932_768_000}, {"seconds": 1_935_360_000}


def step(kind, quantity="0", rate="0", amount="0"):
    return LineStep(kind=kind, quantity=quantity, rate=rate, amount=amount)


def answer(*steps, kind=LineKind.LINE_KIND_USAGE, text="API calls", exact="2750", **more):
    line = InvoiceLine(
        kind=kind,
        text=text,
        start_time=APRIL,
        end_time=MAY,
        exact_amount=exact,
        steps=steps,
        price="plans/pro/2/prices/x",
    )
    return ExplainLineResponse(line=line, rounding="half_even", proration="day", time_zone="Europe/Berlin", **more)


def test_usage_is_told_from_the_count_to_the_cent():
    steps = (
        step("counted", "20.5"),
        step("free", "10"),
        step("charged", "10.5", "0.5", "5.25"),
        step("max_spend", "5", amount="-0.25"),
    )
    inputs = LineInputs(feature_key="api_calls", plan="pro/2", through_sequence=17, billed_before="100")
    price = Price(usage=UsagePrice(per_units=1000))
    told = explanation(answer(*steps, exact="400", inputs=inputs, price=price, line_number=2), amount="4.00 USD")
    assert told.splitlines() == [
        "2. API calls: 4.00 USD",
        "   for 2031-04-01 00:00 UTC to 2031-05-01 00:00 UTC; the account's days are those of Europe/Berlin",
        "   by the price plans/pro/2/prices/x, which never changes",
        "   counts the events of api_calls that pro/2 served, up to number 17 of the log",
        "   counted: 20.5 (counted in 1,000 units of the meter each)",
        "   free of it: 10",
        "   10.5 at 0.5 each: 5.25",
        "   down to the greatest amount, 5: -0.25",
        "   in minor units of the currency: 500, less 100 charged before: 400",
    ]


def test_a_part_of_a_period_is_told_as_parts():
    part = step("charged", "10/30", "12.34", "1234/300")
    line = answer(part, kind=LineKind.LINE_KIND_RECURRING, text="Extra", exact="1234/3", line_number=1)
    told = explanation(line, amount="4.11 USD")
    assert told.splitlines()[-2:] == [
        "   a whole period costs 12.34; 1 of 3 parts of it are covered, by local days: 4.113333…",
        "   in minor units of the currency: 411.333333…, rounded once, halves to the even neighbour",
    ]


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        ("0", "0"),
        ("1234567.5", "1,234,567.5"),
        ("-20", "-20"),
        ("1/3", "0.333333…"),
        ("2/3", "0.666666…"),
        ("-2/3", "-0.666666…"),
        ("9007199254740993/7", "1,286,742,750,677,284.714285…"),
        ("123456789012345678901234567890/11", "11,223,344,455,667,788,991,021,324,353.636363…"),
        ("0.000001", "0.000001"),
        ("-0.5", "-0.5"),
    ],
)
def test_figures_are_exact_or_say_that_they_are_not(exact, shown):
    assert figure(exact) == shown


def test_an_event_says_what_it_came_to_and_what_is_to_be_known_of_it():
    marks = [LineEventMark.LINE_EVENT_MARK_PARTLY_FREE, LineEventMark.LINE_EVENT_MARK_MAX_AMOUNT]
    sale = LineEvent(request_id="r", occurred_time=APRIL, quantity=1, counted="1000", amount="10", marks=marks)
    assert event_row(sale) == ("2031-04-01 00:00 UTC", "1", "1,000", "10", "r", "", "", "free in part, the greatest")
    held = LineEvent(occurred_time=APRIL, quantity=5, counted="5", marks=[LineEventMark.LINE_EVENT_MARK_CARRIED_OVER])
    assert event_row(held)[3:] == ("", "", "", "", "carried over")


def test_events_without_an_amount_that_can_be_read_are_told():
    inputs = LineInputs(feature_key="sales", through_sequence=17, unreadable=2)
    told = explanation(answer(step("events", "3", amount="13.7"), inputs=inputs), amount="13.70 USD").splitlines()
    assert told[4:6] == [
        "   charges nothing for 2 of them, whose amount cannot be read; --events marks them",
        "   3 events, each by the price's rate and bounds: 13.7; --events lists each",
    ]
