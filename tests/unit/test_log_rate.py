import asyncio
import errno
import io
import logging

import pytest

from tallygate.server.operations.log_rate import BoundedHandler, tell_of_loop


class Told:
    """A logger of its own, what it wrote, and the clock that bounds it."""

    def __init__(self, name):
        self.now, self.stream = 100.0, io.StringIO()
        handler = BoundedHandler(self.stream, clock=lambda: self.now)
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s%(more)s", defaults={"more": ""}))
        self.logger = logging.getLogger(f"of {name}")
        self.logger.handlers[:] = [handler]
        self.logger.setLevel(logging.DEBUG)
        self.logger.propagate = False

    @property
    def lines(self):
        return self.stream.getvalue().splitlines()


@pytest.fixture
def told(request):
    return Told(request.node.name)


def test_a_place_that_goes_on_and_on_is_bounded_and_its_rest_counted(told):
    for number in range(1_000):
        told.logger.warning("again %d", number)
    assert told.lines == [f"WARNING again {number}" for number in range(10)]
    told.now += 9.9
    told.logger.info("still within")
    assert len(told.lines) == 11
    told.now += 0.1
    told.logger.info("over")
    assert told.lines[11:] == ["WARNING said more often than is written990", "INFO over"]


def test_other_places_and_other_exceptions_have_room_of_their_own(told):
    for number in range(100):
        told.logger.warning("one")
        told.logger.warning("two")
        try:
            raise (ValueError, TypeError)[number % 2]
        except (ValueError, TypeError):
            told.logger.exception("three")
    counts = [sum(line.endswith(text) for line in told.lines) for text in ("one", "two", "three")]
    assert counts == [10, 10, 20]


def test_what_is_no_warning_is_always_written(told):
    for _ in range(100):
        told.logger.info("fine")
    assert len(told.lines) == 100


def test_a_place_speaks_again_after_its_time(told):
    for _ in range(3):
        for _ in range(50):
            told.logger.warning("again")
        told.now += 10
    assert told.lines.count("WARNING again") == 30


@pytest.mark.parametrize(("number", "fix"), [(errno.EMFILE, True), (errno.ENFILE, True), (errno.EPIPE, False)])
async def test_that_no_file_is_left_is_one_line_with_its_fix(caplog, number, fix):
    loop = asyncio.get_running_loop()
    tell_of_loop(loop)
    loop.call_exception_handler({"message": "accept", "exception": OSError(number, "x")})
    (record,) = caplog.records
    assert ("ulimit -n" in record.message) is fix
    assert bool(record.exc_info) is not fix
    loop.set_exception_handler(None)
