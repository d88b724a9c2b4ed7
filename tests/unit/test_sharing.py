"""Who has what of what was paid, and when it counts as paid: by figures, and by laws over random terms."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallygate.billing.partners.statements import run_of
from tallygate.domain.billing.earning import Earning, GivenBack, Source, first_paid, revenue_of
from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing.posting import (
    BACKLOG,
    CHARGEBACK,
    FUNDS,
    LIABILITY,
    OFFLINE,
    RECEIVABLE,
    WRITEOFF,
    Transfer,
)
from tallygate.domain.billing.sharing import (
    Partner,
    PartnerKind,
    Revenue,
    Share,
    ShareKind,
    ShareRounding,
    ShareTerms,
    in_force,
    shares_of,
    summed,
)
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.period import UsagePeriod


def moved(time, debit, credit, amount, document="inv"):
    return Transfer(
        entry_id=f"e{time}",
        line=1,
        time=time,
        account_id="acme",
        debit=debit,
        credit=credit,
        currency="USD",
        amount=amount,
        document_id=document,
    )


def line(amount, key="fee/1"):
    return Line(
        line_key=key,
        kind=LineKind.FEE,
        text="Maps",
        due=1,
        period=UsagePeriod(1, 2),
        currency="USD",
        exact=Fraction(amount),
        amount=amount,
    )


def earning(*moves, total=100, given_back=()):
    return Earning(
        invoice_id="inv",
        number="INV-1",
        account_id="acme",
        currency="USD",
        issue_time=1,
        total=total,
        lines=(line(total),),
        given_back=given_back,
        moves=(moved(1, RECEIVABLE, BACKLOG, total), *moves),
    )


PAID = moved(5, FUNDS, RECEIVABLE, 100)
LOST = moved(7, RECEIVABLE, CHARGEBACK, 100)
IN_PARTS = [moved(3, OFFLINE, RECEIVABLE, 40), moved(6, LIABILITY, RECEIVABLE, 60)]
NOTED = [moved(3, BACKLOG, RECEIVABLE, 40, "note"), moved(6, FUNDS, RECEIVABLE, 60)]
WAYS = [
    pytest.param([], {9: None}, id="open"),
    pytest.param([PAID], {5: None, 6: 5, 9: 5}, id="paid at 5, so before 6"),
    pytest.param(
        [moved(3, OFFLINE, RECEIVABLE, 40), moved(6, LIABILITY, RECEIVABLE, 60)], {6: None, 7: 6}, id="in parts"
    ),
    pytest.param([PAID, LOST], {7: 5, 8: None}, id="a dispute that was lost"),
    pytest.param(
        [PAID, moved(7, RECEIVABLE, CHARGEBACK, 100), moved(8, FUNDS, RECEIVABLE, 100)],
        {8: None, 9: 5},
        id="paid again",
    ),
    pytest.param([moved(4, WRITEOFF, RECEIVABLE, 100)], {9: None}, id="given up"),
    pytest.param([moved(4, BACKLOG, RECEIVABLE, 100)], {9: None}, id="void"),
    pytest.param(
        [moved(3, BACKLOG, RECEIVABLE, 40, "note"), moved(6, FUNDS, RECEIVABLE, 60)], {6: None, 7: 6}, id="a note"
    ),
]


@pytest.mark.parametrize(("moves", "expected"), WAYS)
def test_an_invoice_counts_as_paid_from_when_nothing_is_due_of_it_by_money_or_notes(moves, expected):
    one = earning(*moves)
    assert {before: first_paid(one, before=before) for before in expected} == expected


def test_an_invoice_of_nothing_is_paid_as_it_is_issued():
    free = earning(total=0)
    assert (first_paid(free, before=1), first_paid(free, before=2)) == (None, 1)


def test_what_was_given_back_by_an_instant_is_no_revenue():
    back = (GivenBack(line_key="fee/1", amount=-40, time=7),)
    one = earning(PAID, given_back=back)
    whose = Source(provider="maps")
    assert revenue_of(one, lambda _: whose, before=7).shared == {"maps": 100}
    assert revenue_of(one, lambda _: whose, before=8).shared == {"maps": 60}
    passed = revenue_of(one, lambda _: Source(provider="maps", third_party=True), before=8)
    assert (passed.shared, passed.passed) == ({}, {"maps": 60})


def test_what_is_passed_on_for_a_third_party_nobody_has_a_share_of():
    terms = [ShareTerms(kind=ShareKind.PROVIDER, provider="maps", accepted="70")]
    found = shares_of(Revenue(account_id="a", shared={"maps": 100_000}, passed={"maps": 10_000}), terms)
    assert found == (
        Share(partner=Partner(kind=PartnerKind.PROVIDER, name="maps"), base=100_000, amount=70_000, passed=10_000),
        Share(partner=Partner(kind=PartnerKind.TENANT), base=100_000, amount=30_000),
    )


def test_the_newest_terms_by_an_instant_are_in_force_and_none_before_they_were_agreed():
    history = [
        ShareTerms(kind=ShareKind.LICENCE, accepted=percent, start_time=time)
        for percent, time in (("10", 5), ("20", 7), ("30", 7), ("40", 9))
    ]
    assert [list(in_force(history, at=at).values()) for at in (4, 5, 7, 8)] == [
        [],
        [history[0]],
        [history[2]],
        [history[2]],
    ]


PERCENT = st.decimals(min_value=0, max_value=100, places=3).map(str)
ROUNDING = st.sampled_from(ShareRounding)
AMOUNT = st.integers(-10_000_000, 10_000_000)


@st.composite
def agreed(draw):
    """Random terms of two providers, of the tenant and of two accounts that have at most all together."""
    kinds = (ShareKind.PROVIDER, ShareKind.BROKER, ShareKind.PROCESSING)
    of_providers = [
        ShareTerms(
            kind=kind,
            provider=name,
            accepted=draw(PERCENT | st.just("")),
            fixed=draw(st.integers(0, 99)),
            rounding=draw(ROUNDING),
        )
        for name in ("maps", "mail")
        for kind in kinds
    ]
    own = [
        ShareTerms(kind=kind, accepted=draw(PERCENT), rounding=draw(ROUNDING))
        for kind in (ShareKind.PORTION, ShareKind.LICENCE)
    ]
    first = draw(st.integers(0, 100))
    others = [
        ShareTerms(kind=ShareKind.ACCOUNT, account_id="acme", partner_id=name, accepted=str(percent))
        for name, percent in (("a", first), ("b", draw(st.integers(0, 100 - first))))
    ]
    return [*of_providers, *(one for one in own if draw(st.booleans())), *others]


@given(terms=agreed(), shared=st.dictionaries(st.sampled_from(["", "maps", "mail"]), AMOUNT), passed=AMOUNT)
def test_what_all_have_sums_to_what_was_paid_and_what_is_taken_back_is_what_was_given(terms, shared, passed):
    revenue = Revenue(account_id="acme", shared=shared, passed={"maps": passed})
    found = shares_of(revenue, terms)
    assert sum(one.amount + one.passed for one in found) == sum(shared.values()) + passed
    back = Revenue(account_id="acme", shared={key: -amount for key, amount in shared.items()}, passed={"maps": -passed})
    assert summed([*found, *shares_of(back, terms)]) == ()


def days_of(run):
    return [datetime.fromtimestamp(each / 1e6, UTC).strftime("%m-%d %H:%M") for each in (run.start, run.end)]


@pytest.mark.parametrize(
    ("text", "day", "zone", "expected"),
    [
        pytest.param("2026-02-17", 17, "UTC", ["01-17 00:00", "02-17 00:00"], id="the usual day"),
        pytest.param("2026-01-17", 17, "UTC", ["12-17 00:00", "01-17 00:00"], id="over a year's end"),
        pytest.param("2024-03-28", 28, "UTC", ["02-28 00:00", "03-28 00:00"], id="a leap year, another day"),
        pytest.param("2026-04-05", 5, "Europe/Berlin", ["03-04 23:00", "04-04 22:00"], id="over a change of the clock"),
        pytest.param("", 17, "UTC", ["02-17 00:00", "03-17 00:00"], id="the last that has come"),
        pytest.param("", 25, "UTC", ["01-25 00:00", "02-25 00:00"], id="that of the month before"),
    ],
)
def test_a_run_is_from_one_day_of_the_month_to_the_next_where_the_tenant_is(text, day, zone, expected):
    now = int(datetime(2026, 3, 17, tzinfo=UTC).timestamp() * 1e6)
    assert days_of(run_of(text, day=day, zone=zone, now=now)) == expected


@pytest.mark.parametrize("text", ["2026-02-16", "2026-2-17", "20260217", "tomorrow", "1969-12-17", "9999-12-17"])
def test_a_day_on_which_no_run_is_is_refused(text):
    with pytest.raises(InvalidFieldError):
        run_of(text, day=17, zone="UTC", now=0)
