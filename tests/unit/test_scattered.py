"""A call whose gates have several homes: what is elsewhere is taken first, and given back if the home denies."""

import pytest

from tallygate.data_plane.ports import NOBODY, AdmitReply, Asked
from tallygate.domain.errors import StoreUnavailableError
from tallygate.domain.gating.admit import AdmitStatus
from tallygate.domain.gating.rate_limit import RateAnswer
from tallygate.storage.redis.scattered import Part, ScatteredProgram

HOME = 9


def answer(remaining, *, allowed=True, replayed=False):
    return RateAnswer(
        allowed=allowed,
        limit=10,
        remaining=remaining,
        reset_after=0,
        retry_after=0,
        decided_time=1,
        replayed=replayed,
    )


def reply(*answers, status=AdmitStatus.DECIDED):
    return AdmitReply(status=status, now=1, answers=answers)


class Program:
    """Answers as a test says, one after the other."""

    def __init__(self, name, log, *replies):
        self.name, self.log, self.replies = name, log, list(replies)

    def ask(self, asked, about, answered):
        assert about == NOBODY
        self.log.append((self.name, [each.quantity for each in asked]))
        answered(self.replies.pop(0))


class HandBack:
    def __init__(self, log):
        self.log = log

    def give(self, part, asked, _, done):
        self.log.append(("back", part.partition, [each.quantity for each in asked]))
        done()


class Call:
    """Two limits elsewhere, in partitions 1 and 2, and two at home; what is asked of the n-th is n."""

    def __init__(self):
        self.log, self.told = [], []
        self.parts = {}

    def part(self, partition, places, taking=(), looking=()):
        self.parts[partition] = Part(
            partition=partition,
            places=places,
            call=None,
            program=Program(partition, self.log, *taking),
            looking=Program(f"look {partition}", self.log, *looking),
            states=[],
        )

    def ask(self, *, peek=False):
        parts = [self.parts[1], self.parts[2], self.parts[HOME]]
        program = ScatteredProgram(parts, HandBack(self.log), peek=peek)
        program.ask([Asked(quantity) for quantity in range(4)], NOBODY, self.told.append)
        (told,) = self.told
        return told


@pytest.fixture
def call():
    return Call()


def remaining(told):
    assert told.status is AdmitStatus.DECIDED
    return [each.remaining for each in told.answers]


def test_all_is_taken_and_the_home_comes_last(call):
    call.part(1, [2], [reply(answer(12))])
    call.part(2, [0], [reply(answer(10))])
    call.part(HOME, [1, 3], [reply(answer(11), answer(13))])
    assert remaining(call.ask()) == [10, 11, 12, 13], "in the order of the gates"
    assert call.log == [(1, [2]), (2, [0]), (HOME, [1, 3])]


def test_what_the_home_denies_is_given_back_and_told_as_it_stands_then(call):
    call.part(1, [2], [reply(answer(12))], [reply(answer(22))])
    call.part(2, [0], [reply(answer(10))], [reply(answer(20))])
    call.part(HOME, [1, 3], [reply(answer(11, allowed=False), answer(13))])
    told = call.ask()
    assert remaining(told) == [20, 11, 22, 13]
    assert [each.allowed for each in told.answers] == [True, False, True, True]
    assert call.log[3:] == [("back", 1, [2]), ("back", 2, [0]), ("look 1", [2]), ("look 2", [0])]


def test_what_is_denied_elsewhere_is_not_asked_at_home(call):
    call.part(1, [2], [reply(answer(12, allowed=False))])
    call.part(2, [0], [reply(answer(10))], [reply(answer(20))])
    call.part(HOME, [1, 3], [], [reply(answer(21), answer(23))])
    assert remaining(call.ask()) == [20, 21, 12, 23]
    assert call.log[2:] == [("back", 2, [0]), ("look 2", [0]), (f"look {HOME}", [1, 3])]


@pytest.mark.parametrize("why", [StoreUnavailableError(), reply(status=AdmitStatus.STALE_VIEW)])
def test_what_nobody_decides_elsewhere_is_no_answer_and_the_rest_is_given_back(call, why):
    call.part(1, [2], [why])
    call.part(2, [0], [reply(answer(10))])
    call.part(HOME, [1, 3])
    assert call.ask() is why
    assert call.log[2:] == [("back", 2, [0])]


def test_what_the_home_does_not_decide_is_given_back(call):
    call.part(1, [2], [reply(answer(12))])
    call.part(2, [0], [reply(answer(10))])
    call.part(HOME, [1, 3], [stale := reply(status=AdmitStatus.STALE_VIEW)])
    assert call.ask() is stale
    assert call.log[3:] == [("back", 1, [2]), ("back", 2, [0])]


def test_what_may_have_happened_at_home_is_not_given_back(call):
    call.part(1, [2], [reply(answer(12))])
    call.part(2, [0], [reply(answer(10))])
    call.part(HOME, [1, 3], [lost := StoreUnavailableError()])
    assert call.ask() is lost
    assert len(call.log) == 3


def test_what_an_earlier_attempt_took_elsewhere_is_taken_again_once_the_home_has_allowed(call):
    """That attempt may have been denied at home meanwhile, and have given it back."""
    call.part(1, [2], [reply(answer(12, replayed=True)), reply(answer(5))])
    call.part(2, [0], [reply(answer(10))])
    call.part(HOME, [1, 3], [reply(answer(11), answer(13))])
    assert remaining(call.ask()) == [10, 11, 12, 13]
    assert call.log[3:] == [(1, [2])]


def test_a_look_takes_nothing_anywhere(call):
    call.part(1, [2], [], [reply(answer(12))])
    call.part(2, [0], [], [reply(answer(10))])
    call.part(HOME, [1, 3], [], [reply(answer(11), answer(13))])
    assert remaining(call.ask(peek=True)) == [10, 11, 12, 13]
    assert call.log == [("look 1", [2]), ("look 2", [0]), (f"look {HOME}", [1, 3])]
