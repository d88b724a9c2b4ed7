"""Effects as they go to Redis: what one says, how those of a burst travel together, and who is told what."""

import asyncio
from dataclasses import replace

import hiredis
import msgpack
import pytest

from admit_histories import ORIGIN, SECOND, Quota, Rate, Step, call, grants, segments
from tallygate.data_plane.burst import Burst
from tallygate.data_plane.ports import NOBODY, AdmitReply, Asked
from tallygate.domain.errors import EpochMismatchError, NotReplicatedError, StoreUnavailableError
from tallygate.domain.gating.admit import AdmitStatus
from tallygate.domain.gating.decision import Reason
from tallygate.domain.gating.identity import EffectIdentity, plain_payload_hash
from tallygate.domain.gating.quota import Mode
from tallygate.storage.redis import gate_codec
from tallygate.storage.redis.bursts import FIRST_EFFECTS, MOST_EFFECTS
from tallygate.storage.redis.gates import ADMIT, GateOptions, RedisGates
from tallygate.storage.redis.link.link import LinkDownError, ReplyError

WORLD = {
    "phase": 0,
    "limits": [5, None, 3, 0, 2**53 - 1],
    "overage": [False, True] * 2 + [False],
    "denial": [None] * 5,
    "absent": [False] * 5,
    "exclusive": [False] * 5,
    "grants": [],
}
NOW = ORIGIN + 5 * SECOND
TERMS = segments(ORIGIN, WORLD), grants(ORIGIN, WORLD)
TAKEN = msgpack.packb([0, 1, 1, 5, 4, 3, ORIGIN, ORIGIN + 20 * SECOND, [["I", 1, ""]], []])
IDS = [
    *("x" * length for length in (1, 31, 32, 127, 128, 254, 255)),
    *("ä" * length for length in (1, 15, 16, 63, 64, 127, 128, 255)),
    *("€" * length for length in (84, 85, 86, 255)),
    *("𝄞" * length for length in (63, 64, 255)),
]


class Link:
    """Keeps what is sent, and answers as a test says."""

    def __init__(self):
        self.burst = Burst()
        self.sent = []
        self.waiters = []
        self.resets = []
        self.heard = []
        self.error = None
        self.vouched = True
        self.idle = False
        self.flushed = 0

    def flush(self):
        self.flushed += 1

    def eval_for(self, waiter, _script, packed):
        if self.error is not None:
            raise self.error
        self.sent.append(packed)
        self.waiters.append(waiter)

    def reset(self, why):
        self.resets.append(why)

    def hear(self, error):
        self.heard.append(error)

    def answer(self, *replies):
        """Answer the oldest command that waits, under its own number."""
        keys, arguments = command(self.sent[-len(self.waiters)])
        self.waiters.pop(0).set_result([arguments[0], *replies])
        return keys, arguments


@pytest.fixture
def link():
    return Link()


@pytest.fixture
def gates(link):
    made = RedisGates(link, GateOptions(partitions=1), lambda: NOW)
    made.adopt(0, b"e1")
    return made


def command(packed):
    reader = hiredis.Reader()
    reader.feed(packed)
    arguments = reader.gets()
    assert reader.gets() is False
    assert arguments[:2] == [b"EVALSHA", ADMIT.sha1.encode()]
    number = int(arguments[2])
    return arguments[3 : 3 + number], arguments[3 + number :]


def _values(data):
    unpacker = msgpack.Unpacker(raw=True)
    unpacker.feed(data)
    return list(unpacker)


def take(quantity=1, who=0):
    return Step(0, (Quota("calls", quantity, Mode.ALL_OR_NOTHING, None),), 0, peek=False, who=who)


def program(gates, step=None, account="acme"):
    return gates.prepare(call(step or take(), NOW, TERMS, account, 0))


def asked_for(request_id, quantity=1):
    identity = EffectIdentity(tenant_id="t", account_id="acme", gate_key="calls")
    return Asked(quantity, identity.digest(request_id), plain_payload_hash(quantity, "ALL_OR_NOTHING"))


def said(gates, link, asked, about):
    """What an effect says of itself, as the script unpacks it."""
    with link.burst:
        program(gates).ask((asked,), about, lambda _: None)
    _, arguments = command(link.sent[-1])
    return _values(arguments[9])


@pytest.mark.parametrize("request_id", IDS, ids=lambda text: f"{text[0]}{len(text)}")
def test_an_id_of_any_length_is_said_as_it_came(gates, link, request_id):
    asked = asked_for(request_id)
    effect = said(gates, link, asked, (request_id, request_id, {"k": request_id}))
    assert effect[:3] == [1, asked.digest, asked.payload_hash]
    context = msgpack.unpackb(effect[4])
    assert context[:6] == ["t", "acme", "calls", request_id, request_id, {"k": request_id}]
    assert context[6:] == [True, False, 1, "consume", asked.payload_hash]


@pytest.mark.parametrize(("user_id", "dimensions"), [("", {}), ("u", {}), ("", {"k": ""}), ("u", {"k": "v", "l": "w"})])
def test_who_asked_and_along_which_dimensions_is_said_as_far_as_it_is_known(gates, link, user_id, dimensions):
    effect = said(gates, link, asked_for("r"), ("r", user_id, dimensions))
    assert msgpack.unpackb(effect[4])[3:6] == ["r", user_id, dimensions]


@pytest.mark.parametrize("quantity", [1, 127, 128, 12_345, 2**53 - 1, -1])
def test_a_quantity_is_said_exactly(gates, link, quantity):
    assert said(gates, link, asked_for("r", quantity), NOBODY)[5:8] == [quantity, b"A", False]


def test_a_look_says_nothing_of_who_looks(gates, link):
    with link.burst:
        program(gates, Step(0, (Quota("calls", 1, Mode.ALL_OR_NOTHING, None),), None, peek=True)).ask(
            (Asked(),), NOBODY, lambda _: None
        )
    _, arguments = command(link.sent[-1])
    assert _values(arguments[9]) == [1, b"", b"", b"", b"", False, b"A", False, b""]
    assert _values(arguments[8]) == [1, b"q", b"1"]


def test_what_leaves_in_one_burst_is_one_command_home_by_home(gates, link):
    told = []
    with link.burst:
        for number, who in enumerate((0, 1, 0)):
            program(gates, take(who=who)).ask((asked_for(f"r{number}"),), NOBODY, told.append)
        assert link.sent == []
    assert len(link.sent) == 1
    keys, arguments = command(link.sent[0])
    assert len(keys) == 2 * 5 + 3 * 2
    assert (keys[2], keys[5]) == (b"tg:{0}:v:t", b"tg:{0}:v:u")
    assert [keys[place] for place in (6, 7)] == [b"tg:{0}:ev", b"tg:{0}:e:"]
    assert (int(arguments[1]), arguments[3:5]) == (NOW, [b"2", b"1"])
    assert (arguments[7], arguments[13]) == (b"2", b"1")
    digests = [_values(arguments[place])[1] for place in (9, 11, 15)]
    assert digests == [asked_for(f"r{number}").digest for number in (0, 2, 1)]
    link.answer(*([b"DECIDED", NOW + number, 0, TAKEN] for number in range(3)))
    assert [reply.now for reply in told] == [NOW, NOW + 1, NOW + 2]


def test_gates_that_count_alike_say_their_terms_once(gates, link):
    gates_of_two = Step(0, (Quota("calls", 1, Mode.ALL_OR_NOTHING, None), Rate("fixed", 0, 1)), 0, peek=False)
    with link.burst:
        for account in ("acme", "globex"):
            program(gates, gates_of_two, account).ask((asked_for("r"),) * 2, NOBODY, lambda _: None)
    _, arguments = command(link.sent[-1])
    assert arguments[4] == b"2"
    assert [_values(terms)[0] for terms in arguments[5:7]] == [b"d", b"f"]
    assert [_values(arguments[place])[0] for place in (10, 11, 13, 14)] == [1, 2, 1, 2]
    assert len(arguments) == 15


@pytest.mark.parametrize("other", [{}, {"plan_key": "other"}, {"subscription_id": "t"}, {"plan_version": 9}])
def test_what_was_subscribed_is_said_once_where_all_segments_say_the_same(gates, link, other):
    shared = [replace(segment, plan_key="p", plan_version=1, subscription_id="s") for segment in TERMS[0][:3]]
    segments_ = (*shared[:2], replace(shared[2], **other))
    with link.burst:
        asking = gates.prepare(call(take(), NOW, (segments_, ()), "acme", 0))
        asking.ask((asked_for("r"),), NOBODY, lambda _: None)
    endings = _values(command(link.sent[-1])[1][9])[8]
    packed = [gate_codec.pack_all(s.subscription_id, s.plan_key, s.plan_version, int(s.trial)) for s in segments_]
    assert endings == (packed if other else packed[0])


def test_a_long_burst_leaves_in_parts(gates, link):
    with link.burst:
        for number in range(MOST_EFFECTS + 1):
            program(gates).ask((asked_for(f"r{number}"),), NOBODY, lambda _: None)
        assert len(link.sent) == 1
    assert len(link.sent) == 2


@pytest.mark.parametrize("idle", [True, False])
def test_the_first_of_a_burst_leave_at_once_where_the_store_has_nothing_to_do(gates, link, idle):
    link.idle = idle
    with link.burst:
        for number in range(2 * FIRST_EFFECTS):
            program(gates).ask((asked_for(f"r{number}"),), NOBODY, lambda _: None)
            link.idle = idle and number < FIRST_EFFECTS - 1
        assert (len(link.sent), link.flushed) == ((1, 1) if idle else (0, 0))
    assert len(link.sent) == (2 if idle else 1)


async def test_outside_of_a_burst_the_turn_of_the_loop_is_one(gates, link):
    for number in range(3):
        program(gates).ask((asked_for(f"r{number}"),), NOBODY, lambda _: None)
    assert link.sent == []
    await asyncio.sleep(0)
    assert len(link.sent) == 1


def ask(gates, link, step=None):
    told = []
    with link.burst:
        program(gates, step).ask((asked_for("r"),), NOBODY, told.append)
    return told


def test_what_was_decided_is_read_whole(gates, link):
    told = ask(gates, link)
    link.answer([b"DECIDED", NOW, 1, TAKEN])
    (answer,) = told[0].answers
    assert (answer.allowed, answer.reason, answer.granted, answer.used) == (True, Reason.WITHIN_LIMIT, 1, 1)
    assert (answer.limit, answer.remaining, answer.segment, answer.replayed) == (5, 4, 3, True)


@pytest.mark.parametrize(
    "name", ["STALE_VIEW", "SEGMENTS_MISSED", "EVENT_BACKLOG", "COUNTER_OVERFLOW", "REQUEST_ID_REUSED"]
)
def test_another_status_is_told_as_it_is(gates, link, name):
    told = ask(gates, link)
    link.answer([name.encode(), NOW])
    assert told == [AdmitReply(status=AdmitStatus(name), now=NOW)]


def test_an_error_of_one_effect_is_its_own(gates, link, caplog):
    told, other = [], []
    with link.burst:
        program(gates).ask((asked_for("a"),), NOBODY, told.append)
        program(gates).ask((asked_for("b"),), NOBODY, other.append)
    link.answer([b"FAILED", NOW, b"WRONGTYPE"], [b"DECIDED", NOW, 0, TAKEN])
    assert isinstance(told[0], StoreUnavailableError)
    assert other[0].status is AdmitStatus.DECIDED
    assert "WRONGTYPE" in caplog.text
    assert link.heard == ["WRONGTYPE"], "it may say more about the server"


def test_one_who_cannot_be_told_keeps_nobody_else_from_the_answer(gates, link, caplog):
    other = []

    def broken(_reply):
        raise ZeroDivisionError

    with link.burst:
        program(gates).ask((asked_for("a"),), NOBODY, broken)
        program(gates).ask((asked_for("b"),), NOBODY, other.append)
    link.answer(*([b"DECIDED", NOW, 0, TAKEN] for _ in range(2)))
    assert len(other) == 1
    assert "ZeroDivisionError" in caplog.text


def test_a_reply_that_is_not_its_callers_is_told_to_nobody_and_resets_the_link(gates, link):
    told = ask(gates, link)
    link.waiters[0].set_result([b"4711", [b"DECIDED", NOW, 0, TAKEN]])
    assert [type(outcome) for outcome in told] == [StoreUnavailableError]
    assert link.resets == ["a reply was not its caller's"]


def test_what_cannot_be_sent_and_what_is_refused_is_unavailable(gates, link, caplog):
    told = ask(gates, link)
    link.waiters[0].set_exception(ReplyError("OOM command not allowed"))
    link.error = LinkDownError("down")
    told += ask(gates, link)
    assert [type(outcome) for outcome in told] == [StoreUnavailableError] * 2
    assert "OOM" in caplog.text


def test_a_time_that_is_not_shared_is_unavailable_for_all(gates, link):
    told = ask(gates, link)
    link.answer(b"CLOCK_SKEW", NOW + 40 * SECOND)
    assert [outcome.metadata for outcome in told] == [{"clock_skew": "40 s"}]


def test_another_epoch_is_adopted_and_asked_with_once(gates, link):
    told = ask(gates, link)
    with link.burst:
        _, first = link.answer([b"EPOCH_MISMATCH", NOW, b"e2"])
    assert _values(first[6])[0] == b"e1"
    _, second = link.answer([b"EPOCH_MISMATCH", NOW, b"e3"])
    assert _values(second[6])[0] == b"e2"
    assert [type(outcome) for outcome in told] == [EpochMismatchError]


def test_in_a_lost_epoch_nothing_is_counted_and_rates_are_limited(gates, link):
    told = ask(gates, link)
    link.answer([b"EPOCH_MISMATCH", NOW, b"!e2"])
    assert [type(outcome) for outcome in told] == [EpochMismatchError]
    gates.adopt(0, b"e1")
    limited = ask(gates, link, Step(0, (Rate("bucket", 0, 1),), None, peek=False))
    with link.burst:
        link.answer([b"EPOCH_MISMATCH", NOW, b"!e2"])
    figures = msgpack.packb([1, 4, 3, 250_000, 0, NOW])
    link.answer([b"DECIDED", NOW, 0, figures])
    assert [outcome.answers[0].remaining for outcome in limited] == [3]


def test_the_codes_of_reasons_are_those_of_the_script():
    body = ADMIT.body.decode()
    for code, reason in enumerate(gate_codec.REASONS):
        assert f"{reason.value} = '\\{code}'" in body or f"['{reason.value}'] = '\\{code}'" in body


def test_a_strict_answer_waits_for_replicas_and_a_denial_for_nobody(link):
    waiting = []
    gates = RedisGates(link, GateOptions(partitions=1), lambda: NOW, confirm=lambda told, _: waiting.append(told))
    gates.adopt(0, b"e1")
    strict = gates.prepare(replace(call(take(), NOW, TERMS, "acme", 0), strict=True))
    denied = msgpack.packb([3, 0, 5, 5, 0, 3, ORIGIN, ORIGIN + 20 * SECOND, [], []])
    told = []
    for figures in (TAKEN, TAKEN, denied):
        with link.burst:
            strict.ask((asked_for("r"),), NOBODY, told.append)
        link.answer([b"DECIDED", NOW, 0, figures])
    assert [each.answers[0].allowed for each in told] == [False]
    waiting[0](True)
    assert told[1].answers[0].allowed
    waiting[1](False)
    assert isinstance(told[2], NotReplicatedError)
