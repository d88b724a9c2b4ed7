"""How a gateway is asked: in bounded time, and left alone after it was silent often."""

import asyncio

import pytest

from tallygate.billing.ports import NoAnswerError
from tallygate.gateways.asking import Deadline, Late, Line
from tallygate.gateways.currencies import Units
from tallygate.gateways.refusals import RefusedError


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


async def silent():
    raise NoAnswerError


async def answers():
    return "yes"


async def test_who_is_silent_five_times_is_left_alone_for_half_a_minute():
    clock = Clock()
    line = Line(name="slow", seconds=5, clock=clock)
    asked = []

    async def asks():
        asked.append(clock.now)
        raise NoAnswerError

    for _ in range(9):
        with pytest.raises(NoAnswerError):
            await line.ask(asks)
    assert len(asked) == 5
    clock.now += 29.9
    with pytest.raises(NoAnswerError):
        await line.ask(answers)
    clock.now += 0.2
    with pytest.raises(NoAnswerError):
        await line.ask(asks)
    assert len(asked) == 6, "one tries"
    with pytest.raises(NoAnswerError):
        await line.ask(answers)
    clock.now += 30.1
    assert await line.ask(answers) == "yes"
    assert await line.ask(answers) == "yes"


async def test_one_answer_makes_up_for_silence():
    line = Line(name="lame", seconds=5, clock=Clock())
    for _ in range(4):
        with pytest.raises(NoAnswerError):
            await line.ask(silent)
    assert await line.ask(answers) == "yes"
    for _ in range(4):
        with pytest.raises(NoAnswerError):
            await line.ask(silent)
    assert await line.ask(answers) == "yes"


async def test_a_refusal_is_an_answer(caplog):
    line = Line(name="strict", seconds=5, clock=Clock())

    async def refuses():
        raise RefusedError(400, {})

    for _ in range(3):
        for _ in range(4):
            with pytest.raises(NoAnswerError):
                await line.ask(silent)
        with pytest.raises(RefusedError):
            await line.ask(refuses)
    assert not caplog.messages


async def test_what_takes_long_to_load_is_loaded_once_and_again_after_it_failed():
    made = []

    def make():
        made.append(len(made))
        if len(made) == 1:
            raise ImportError
        return "library"

    late = Late(make)
    with pytest.raises(ImportError):
        await late.get()
    assert await asyncio.gather(late.get(), late.get()) == ["library", "library"]
    assert made == [0, 1]


async def test_an_answer_that_takes_too_long_is_none():
    line = Line(name="slow", seconds=0.01)
    with pytest.raises(NoAnswerError):
        await line.ask(asyncio.Event().wait)


def test_after_a_deadline_nothing_is_begun():
    assert 0 < Deadline(60).left() <= 60
    with pytest.raises(NoAnswerError):
        Deadline(0).left()


def test_amounts_are_exact_in_a_gateways_own_units():
    units = Units(decimals={"HUF": 0, "ISK": 2, "USD": 2}, steps={"ISK": 100})
    assert [units.of("HUF", 1_000), units.of("HUF", 1_050)] == [10, None]
    assert [units.of("ISK", 7), units.back("ISK", 700)] == [700, 7]
    assert [units.text("HUF", 1_000), units.text("USD", 5), units.text("USD", 123_45)] == ["10", "0.05", "123.45"]
    assert [units.read("USD", "29.00"), units.read("USD", "29.1"), units.read("HUF", "10"), units.read("JPY", "7")] == [
        2_900,
        2_910,
        1_000,
        7,
    ]
    assert units.of("KWD", 1_234) == 1_234
    assert Units(decimals={"USD": 2}, only=True).of("KWD", 1_234) is None
    assert units.of("XXX", 1) is None
