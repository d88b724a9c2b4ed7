"""Whose money becomes, when what failed is tried again, and what an account is for it: figures by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallygate.domain.account import Standing, SubscriptionState, shown_state
from tallygate.domain.billing.balances import Balance, InvoiceState
from tallygate.domain.billing.dunning import Case, standing_of
from tallygate.domain.billing.payments import Advice, AttemptState, Owed, allocated
from tallygate.domain.billing.wallet import WalletEntry, WalletEntryKind, left_of
from tallygate.domain.billing_terms import DunningRules, DunningState, DunningStep

DAY = 86_400_000_000
S = SubscriptionState


def owed(*dues):
    return tuple(
        Owed(
            invoice_id=f"i{number}",
            number=f"INV-{number}",
            currency="USD",
            issue_time=number,
            balance=Balance(total=due, state=InvoiceState.OPEN),
        )
        for number, due in enumerate(dues)
    )


def shares(amount, *dues, first=()):
    return [(share.invoice_id, share.amount) for share in allocated(amount, owed(*dues), first=first)]


@pytest.mark.parametrize(
    ("amount", "first", "expected"),
    [
        (29, (), [("i0", 29)]),
        (40, (), [("i0", 29), ("i1", 11)]),
        (40, ("i1",), [("i1", 30), ("i0", 10)]),
        (70, (), [("i0", 29), ("i1", 30), ("", 11)]),
        (5, ("gone",), [("i0", 5)]),
    ],
)
def test_money_pays_what_it_is_for_then_the_oldest_then_fills_the_wallet(amount, first, expected):
    assert shares(amount, 29, 30, first=first) == expected


def test_money_for_which_nothing_is_due_is_the_wallets():
    assert shares(7) == [("", 7)]


@given(st.integers(1, 10**9), st.lists(st.integers(1, 10**6), max_size=8), st.integers(0, 8))
def test_nothing_of_it_is_lost_and_nothing_is_paid_twice(amount, dues, first):
    found = allocated(amount, owed(*dues), first=(f"i{first}",))
    assert sum(share.amount for share in found) == amount
    for share in found:
        assert share.amount > 0
        if share.invoice_id:
            balance = Balance(total=dues[int(share.invoice_id[1:])], state=InvoiceState.OPEN).received(share.amount)
            assert balance.due >= 0
            assert (balance.state is InvoiceState.PAID) == (balance.due == 0)


CASE = Case(account_id="acme", currency="USD", start_time=0)
LADDER = (2, 5)


def test_each_rung_is_counted_from_the_attempt_before_and_the_last_is_the_end():
    failed = CASE.failed(LADDER, now=0, advice=Advice.RETRY_LATER, method_id="m")
    assert (failed.retry_time, failed.refused, failed.is_due(now=2 * DAY - 1)) == (2 * DAY, "", False)
    second = failed.failed(LADDER, now=3 * DAY, advice=None, method_id="m")
    assert (second.retry_time, second.exhausted) == (8 * DAY, False)
    third = second.failed(LADDER, now=8 * DAY, advice=Advice.NEVER, method_id="m")
    assert (third.retry_time, third.exhausted, third.refused) == (None, True, "m")


def test_an_attempt_for_a_new_method_takes_no_rung():
    case = replace(CASE.failed(LADDER, now=0, advice=None, method_id="m"), at_once=True)
    assert case.is_due(now=1)
    after = case.failed(LADDER, now=1, advice=Advice.NEW_METHOD, method_id="n")
    assert (after.tried, after.retry_time, after.at_once, after.refused) == (1, 2 * DAY, False, "n")


USUAL = DunningRules()


@pytest.mark.parametrize(
    ("case", "day", "worse"),
    [
        (CASE.failed((2, 5, 7, 7), now=0, advice=None, method_id="m"), 0, (21, DunningState.SUSPENDED)),
        (replace(CASE, tried=2, retry_time=7 * DAY), 3, (21, DunningState.SUSPENDED)),
        (replace(CASE, tried=5), 21, None),
    ],
)
def test_what_an_account_is_next_is_told_by_the_rungs_that_are_left(case, day, worse):
    """The usual ladder is 2, 5, 7 and 7 days, and who is not paid on its last day is suspended: day 21."""
    assert case.worse(USUAL, now=day * DAY) == (None if worse is None else (worse[0] * DAY, worse[1]))


RULES = DunningRules(
    steps=(
        DunningStep(state=DunningState.PAST_DUE, after_days=1),
        DunningStep(state=DunningState.SUSPENDED, after_days=10),
        DunningStep(state=DunningState.CANCELED),
    )
)


@pytest.mark.parametrize(
    ("days", "retry_time", "state", "following"),
    [
        (0, DAY, None, 1),
        (1, DAY, DunningState.PAST_DUE, 10),
        (12, DAY, DunningState.SUSPENDED, None),
        (0, None, DunningState.CANCELED, 1),
    ],
)
def test_steps_are_reached_by_days_or_at_the_end_and_the_worst_holds(days, retry_time, state, following):
    case = replace(CASE, retry_time=retry_time)
    assert case.reached(RULES, now=days * DAY) is state
    assert case.next_step(RULES, now=days * DAY) == (None if following is None else following * DAY)


@pytest.mark.parametrize(
    ("states", "standing"),
    [
        ([], Standing.GOOD),
        ([None], Standing.GOOD),
        ([DunningState.PAST_DUE, None], Standing.PAST_DUE),
        ([DunningState.PAST_DUE, DunningState.SUSPENDED], Standing.SUSPENDED),
        ([DunningState.CANCELED], Standing.PAST_DUE),
    ],
)
def test_an_account_stands_by_the_worst_of_its_cases(states, standing):
    assert standing_of(states) is standing


@pytest.mark.parametrize(
    ("state", "late", "stopped"),
    [
        (S.TRIALING, S.PAST_DUE, S.SUSPENDED),
        (S.ACTIVE, S.PAST_DUE, S.SUSPENDED),
        (S.PAST_DUE, S.PAST_DUE, S.SUSPENDED),
        (S.CANCELED, S.CANCELED, S.SUSPENDED),
        (S.SUSPENDED, S.SUSPENDED, S.SUSPENDED),
        (S.INCOMPLETE, S.INCOMPLETE, S.INCOMPLETE),
        (S.EXPIRED, S.EXPIRED, S.EXPIRED),
    ],
)
def test_shown_is_the_worse_of_both(state, late, stopped):
    assert shown_state(state, Standing.GOOD) is state
    assert shown_state(state, Standing.PAST_DUE) is late
    assert shown_state(state, Standing.SUSPENDED) is stopped


def test_attempts_move_up_only():
    assert [state.value for state in sorted(AttemptState, key=lambda state: state.rank)] == [
        "sending",
        "unknown",
        "pending",
        "failed",
        "succeeded",
    ]


def moved(entry_id, amount, at, *, expires=None, kind=WalletEntryKind.GIVEN, priority=0):
    return WalletEntry(
        entry_id=entry_id,
        account_id="acme",
        create_time=at,
        currency="USD",
        amount=amount,
        kind=kind,
        invoice_id="",
        expire_time=expires,
        priority=priority,
    )


def test_a_wallet_is_spent_by_priority_then_expiry_and_what_was_given_before_what_was_paid():
    entries = [
        moved("paid", 10, 1, kind=WalletEntryKind.OVERPAID),
        moved("given", 10, 2),
        moved("soon", 10, 3, expires=90),
        moved("first", 10, 4, priority=-1),
        moved("last", 10, 5, expires=80, priority=1),
    ]
    order = ["first", "soon", "given", "paid", "last"]
    for number in range(6):
        spent = [*entries, moved("spent", -10 * number - 3, 9, kind=WalletEntryKind.SPENT)]
        left = [left_of(spent, name) for name in order]
        assert left == ([0] * number + [7] + [10] * 4)[:5]


def test_what_expires_first_is_spent_first_and_what_came_later_pays_nothing_before():
    entries = [
        moved("good", 10, 1),
        moved("late", 40, 2, expires=90),
        moved("soon", 5, 2, expires=50),
        moved("s1", -12, 3, kind=WalletEntryKind.SPENT),
        moved("after", 9, 4, expires=10),
        moved("expired/after", -9, 10, kind=WalletEntryKind.EXPIRED),
        moved("s2", -35, 60, kind=WalletEntryKind.SPENT),
    ]
    left = {name: left_of(entries, name) for name in ("soon", "late", "good", "after")}
    assert left == {"soon": 0, "late": 0, "good": 8, "after": 0}
    assert left_of(entries[:4], "late") == 33
