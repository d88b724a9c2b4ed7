"""What is told of an end, and when: rungs that lay ahead, the last of those that were missed, and no stale one."""

from tallygate.domain.billing.messages import Message, MessageKind
from tallygate.domain.billing.notices import Ladder, due_messages, end_of_card, next_look
from tallygate.domain.billing.payments import Method

DAY = 86_400_000_000


def ladder(*days, since=0):
    rungs = tuple(
        Message(kind=MessageKind.SUBSCRIPTION_EXPIRING, about=str(day), account_id="a", create_time=day * DAY)
        for day in days
    )
    return Ladder(since=since * DAY, rungs=rungs)


def told(*ladders, now):
    return [message.about for message in due_messages(ladders, now=now * DAY)]


def test_a_rung_is_due_from_its_time_on():
    assert told(ladder(7, 11), now=6) == []
    assert told(ladder(7, 11), now=7) == ["7"]
    assert told(ladder(7, 11), now=10) == ["7"]


def test_of_what_was_missed_the_last_is_told():
    assert told(ladder(7, 11, 13), now=14) == ["13"]


def test_what_lay_behind_when_the_end_became_known_is_not_told():
    assert told(ladder(7, 11, since=7), now=8) == []
    assert told(ladder(7, 11, since=7), now=11) == ["11"]


def test_what_was_missed_for_a_week_is_told_no_more():
    assert told(ladder(7), now=13.99) == ["7"]
    assert told(ladder(7), now=14) == []


def test_the_next_look_is_at_the_next_rung_of_any():
    assert next_look([ladder(7, 11), ladder(9)], now=7 * DAY) == 9 * DAY
    assert next_look([ladder(7)], now=7 * DAY) is None
    assert next_look([ladder(7, since=8)], now=0) is None


def test_a_card_is_good_to_the_end_of_its_month():
    def end(year, month):
        card = Method(
            method_id="m", account_id="a", gateway="g", token="t", expiry_year=year, expiry_month=month, create_time=0
        )
        return end_of_card(card)

    assert end(2026, 11) == 1_796_083_200_000_000  # 2026-12-01
    assert end(2026, 12) == 1_798_761_600_000_000  # 2027-01-01
