"""Deferred revenue to the cent; figures by hand."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing.recognition import Part, credited, recognised
from tallygate.domain.period import UsagePeriod, from_datetime


def day(text):
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def line(amount, start, end, *, due=None, kind=LineKind.RECURRING, currency="USD"):
    period = UsagePeriod(day(start), day(end))
    due = period.start if due is None else day(due)
    return Line(
        line_key="recurring/s/0/1/start",
        kind=kind,
        text="Pro",
        due=due,
        period=period,
        currency=currency,
        exact=Fraction(amount),
        amount=amount,
    )


def amounts(one, issued, zone="UTC"):
    return [part.amount for part in recognised(one, issued=day(issued), zone=zone)]


def test_dj_38_a_year_paid_in_advance_becomes_income_month_by_month():
    """278.00 / 12 = 23.1666...: eleven months of 23.16, and 23.24 in the last."""
    parts = recognised(line(27_800, "2027-01-01", "2028-01-01"), issued=day("2027-01-01"), zone="UTC")
    assert [part.amount for part in parts] == [2_316] * 11 + [2_324]
    assert sum(part.amount for part in parts) == 27_800
    assert [part.number for part in parts] == list(range(1, 13))
    assert (parts[0].time, parts[1].time, parts[-1].time) == (day("2027-02-01"), day("2027-03-01"), day("2028-01-01"))


def test_a_year_that_begins_at_noon_has_twelve_months():
    """Nothing begins in the morning that is left of a thirteenth."""
    parts = recognised(line(27_800, "2027-01-01T12:00", "2028-01-01T12:00"), issued=day("2027-01-01T12:00"), zone="UTC")
    assert [part.amount for part in parts] == [2_316] * 11 + [2_324]
    assert parts[-1].time == day("2028-01-01")


def test_stubs_count_by_their_days():
    """17 of 31 days and 14 of 28: 34/62 and 31/62, so 31.00 x 34/65 = 16.215..., and the rest."""
    assert amounts(line(3_100, "2027-01-15", "2027-02-15"), "2027-01-15") == [1_621, 1_479]


def test_months_are_those_of_the_accounts_zone():
    """In New York, 2027-01-01 05:00 UTC is midnight: one whole month, not two stubs."""
    one = line(3_100, "2027-01-01T05:00", "2027-02-01T05:00")
    assert amounts(one, "2027-01-01T05:00", zone="America/New_York") == [3_100]


def test_a_credit_is_the_same_with_its_sign():
    assert amounts(line(-27_800, "2027-01-01", "2028-01-01"), "2027-01-01") == [-2_316] * 11 + [-2_324]


def test_what_is_too_little_for_a_month_comes_with_the_last():
    """5 yen over 12 months round down to nothing eleven times."""
    assert amounts(line(5, "2027-01-01", "2028-01-01", currency="JPY"), "2027-01-01") == [5]


@pytest.mark.parametrize("kind", [LineKind.USAGE, LineKind.SETUP, LineKind.FEE, LineKind.COMMITMENT])
def test_what_is_not_a_promise_of_time_is_income_at_once(kind):
    (part,) = recognised(line(900, "2027-01-01", "2027-02-01", kind=kind), issued=day("2027-02-02"), zone="UTC")
    assert (part.amount, part.time) == (900, day("2027-02-02"))


def test_arrears_are_income_at_once():
    one = line(900, "2027-01-01", "2027-04-01", due="2027-04-01")
    (part,) = recognised(one, issued=day("2027-04-02"), zone="UTC")
    assert (part.amount, part.time) == (900, day("2027-04-02"))


def test_months_that_were_over_at_its_issue_are_income_with_it():
    parts = recognised(line(1_200, "2027-01-01", "2028-01-01"), issued=day("2027-03-10"), zone="UTC")
    assert [part.time for part in parts][:3] == [day("2027-03-10"), day("2027-03-10"), day("2027-04-01")]


def test_a_stretch_within_a_day_is_one_part():
    assert amounts(line(700, "2027-01-01T10:00", "2027-01-01T11:00"), "2027-01-01T10:00") == [700]
    assert amounts(line(700, "2027-01-31T23:00", "2027-02-01T00:30"), "2027-01-31T23:00") == [700]


def part(number, amount):
    return Part(line_key="line", number=number, currency="USD", amount=amount, time=number)


def test_a_credit_takes_what_is_no_income_yet_first():
    """90 of 100 are still to come: a credit of 95 takes them all, and 5 of income."""
    taken, income = credited(95, [part(2, 30), part(3, 60)], line_key="credit")
    assert ([(one.number, one.amount) for one in taken], income) == ([(2, -30), (3, -60)], 5)


def test_a_credit_of_some_is_spread_over_what_is_to_come():
    """31 over 30 and 60 is 10.33 and 20.67: 10 and 21."""
    taken, income = credited(31, [part(2, 30), part(3, 60)], line_key="credit")
    assert ([(one.number, one.amount) for one in taken], income) == ([(2, -10), (3, -21)], 0)


@given(
    st.integers(-(10**12), 10**12),
    st.integers(0, 4_000),
    st.integers(1, 1_200),
    st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia"]),
)
def test_parts_sum_to_their_line_and_never_turn_against_it(amount, start, days, zone):
    base = day("2010-01-05") + start * 86_400_000_000
    one = line(amount, "2010-01-05", "2010-01-06")
    period = UsagePeriod(base, base + days * 86_400_000_000)
    whole = Line(
        line_key="k",
        kind=one.kind,
        text="",
        due=base,
        period=period,
        currency="USD",
        exact=Fraction(amount),
        amount=amount,
    )
    parts = recognised(whole, issued=base, zone=zone)
    assert sum(one.amount for one in parts) == amount
    assert all((one.amount > 0) == (amount > 0) for one in parts)
    assert [one.time for one in parts] == sorted(one.time for one in parts)
