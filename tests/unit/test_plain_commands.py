"""Plain calls as they go to Redis: byte for byte what the general way says of the same call."""

from dataclasses import replace

import hiredis
import msgpack
import pytest

from admit_histories import ORIGIN, SECOND, Quota, Rate, Step, call, grants, slots
from tallygate.data_plane.ports import PlainStatus
from tallygate.domain.gating.identity import EffectIdentity, effect_digest, plain_payload_hash
from tallygate.domain.gating.quota import Mode
from tallygate.storage.redis import gates as redis_gates
from tallygate.storage.redis.gates import GateOptions, RedisGates
from tallygate.storage.redis.link.link import LinkDownError, ReplyError
from tallygate.storage.redis.plain import Sender

WORLD = {
    "phase": 0,
    "limits": [5, None, 3, 0, 2**53 - 1],
    "overage": [False, True] * 2 + [False],
    "standing": [None] * 5,
    "absent": [False] * 5,
    "exclusive": [False] * 5,
    "grants": [],
}
NOW = ORIGIN + 5 * SECOND
TERMS = slots(ORIGIN, WORLD), grants(ORIGIN, WORLD)
IDS = [
    *("x" * length for length in (1, 31, 32, 127, 128, 254, 255)),
    *("ä" * length for length in (1, 15, 16, 63, 64, 127, 128, 255)),
    *("€" * length for length in (84, 85, 86, 255)),
    *("𝄞" * length for length in (63, 64, 255)),
]


class Link:
    """Keeps what is sent, and answers as a test says."""

    def __init__(self):
        self.sent = []
        self.waiters = []
        self.resets = []
        self.vouched = True
        self.error = None

    def eval_for(self, waiter, _script, packed):
        if self.error is not None:
            raise self.error
        self.sent.append(packed)
        self.waiters.append(waiter)

    def reset(self, why):
        self.resets.append(why)


@pytest.fixture
def link():
    return Link()


@pytest.fixture
def gates(link):
    made = RedisGates(link, GateOptions(partitions=1), lambda: NOW)
    made._epochs[0] = "e1"
    return made


def command(packed):
    reader = hiredis.Reader()
    reader.feed(packed)
    arguments = reader.gets()
    assert reader.gets() is False
    number = int(arguments[2])
    return arguments[3 : 3 + number], arguments[3 + number :]


def take(quantity=1, request=0):
    return Step(0, (Quota("calls", quantity, Mode.ALL_OR_NOTHING, None),), request, peek=False)


def quota(gates, index=3):
    return gates.quota(call(take(), NOW, TERMS, "acme", 0), index)


def taken(gates, link, request_id, *, quantity=1, user_id="", dimensions=None):
    identity = EffectIdentity(tenant_id="t", account_id="acme", gate_key="calls")
    about = (request_id, user_id, dimensions or {})
    hashed = plain_payload_hash(quantity, "ALL_OR_NOTHING")
    quota(gates).take(quantity, (identity.digest(request_id), hashed), about, lambda *_: None)
    return command(link.sent[-1])


@pytest.mark.parametrize("request_id", IDS, ids=lambda text: f"{text[0]}{len(text)}")
def test_an_id_of_any_length_is_said_as_it_came(gates, link, request_id):
    _, arguments = taken(gates, link, request_id, user_id=request_id, dimensions={"k": request_id})
    context = msgpack.unpackb(arguments[8])
    assert context[:6] == ["t", "acme", "calls", request_id, request_id, {"k": request_id}]
    assert context[6:] == [True, False, 1, "consume", plain_payload_hash(1, "ALL_OR_NOTHING")]


@pytest.mark.parametrize(("user_id", "dimensions"), [("", {}), ("u", {}), ("", {"k": ""}), ("u", {"k": "v", "l": "w"})])
def test_who_asked_and_along_which_dimensions_is_said_as_far_as_it_is_known(gates, link, user_id, dimensions):
    _, arguments = taken(gates, link, "r", user_id=user_id, dimensions=dimensions)
    assert msgpack.unpackb(arguments[8])[3:6] == ["r", user_id, dimensions]


@pytest.mark.parametrize("request_id", ["r0", "r1", "r" * 255, "ü"])
@pytest.mark.parametrize("quantity", [1, 9, 10, 12_345, 2**53 - 1])
def test_keys_identity_and_context_are_those_of_the_general_way(gates, link, request_id, quantity):
    keys, arguments = taken(gates, link, request_id, quantity=quantity)
    general = call(take(quantity), NOW, TERMS, "acme", 0)
    identity = EffectIdentity(tenant_id="t", account_id="acme", gate_key="calls")
    context = replace(general.context, request_id=request_id)
    item = replace(
        general.gates[0],
        digest=identity.digest(request_id),
        payload_hash=plain_payload_hash(quantity, "ALL_OR_NOTHING"),
    )
    packed = gates._pack(replace(general, gates=(item,), context=context), gates._home(general), "e1", b"1")
    general_keys, (_, _, _, blob) = command(packed)
    (_, digest, hashed, bucket, said, units, *_), *_ = msgpack.unpackb(blob, raw=True)
    assert keys == general_keys
    assert arguments[4:8] == [digest, hashed, bucket, b"%d" % units]
    assert msgpack.unpackb(arguments[8]) == msgpack.unpackb(said)
    assert digest == effect_digest(tenant_id="t", account_id="acme", gate_key="calls", request_id=request_id)


def test_a_look_says_nothing_of_who_looks(gates, link):
    quota(gates).look(lambda *_: None)
    _, arguments = command(link.sent[-1])
    assert len(arguments) == 4


def test_rate_limits_are_said_one_after_the_other(gates, link):
    step = Step(0, (Rate("bucket", 0, 2), Rate("fixed", 1, 3)), None, peek=False)
    gates.rates(call(step, NOW, TERMS, "acme", 0)).take(lambda *_: None)
    keys, (_, _, world, figures) = command(link.sent[-1])
    unpacker = msgpack.Unpacker()
    unpacker.feed(figures)
    assert [gate[:4] for gate in unpacker.unpack()] == [["t", 2, 4, SECOND], ["f", 3, 2, 3 * SECOND]]
    assert (len(keys), world[:2]) == (8, b"\xa1r")


def test_each_command_has_a_number_of_its_own(gates, link):
    held = quota(gates)
    for _ in range(3):
        held.look(lambda *_: None)
    numbers = [command(packed)[1][0] for packed in link.sent]
    assert len(set(numbers)) == 3


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"TAKEN", PlainStatus.TAKEN),
        (b"DENIED", PlainStatus.DENIED),
        (b"SEEN", PlainStatus.SEEN),
        *((name, PlainStatus.UNDECIDED) for name in (b"NOT_PLAIN", b"STALE_VIEW", b"EPOCH_MISMATCH", b"SLOTS_MISSED")),
        *((name, PlainStatus.UNDECIDED) for name in (b"EVENT_BACKLOG", b"COUNTER_OVERFLOW", b"OF_A_NEWER_SCRIPT")),
    ],
)
def test_a_reply_is_told_by_its_status(link, told, status):
    answers = []
    Sender(link, redis_gates.ADMIT, iter([7]), lambda: NOW).send(b"", b"", lambda *answer: answers.append(answer))
    link.waiters[0].set_result([b"7", told, NOW, 1, 2, 3])
    assert answers == [(status, NOW, [1, 2, 3])]
    assert link.resets == []


def test_a_reply_that_is_not_its_callers_is_told_to_nobody_and_resets_the_link(link):
    answers = []
    Sender(link, redis_gates.ADMIT, iter([7]), lambda: NOW).send(b"", b"", lambda *answer: answers.append(answer))
    link.waiters[0].set_result([b"8", b"TAKEN", NOW, 1, 2, 3])
    assert answers == [(PlainStatus.UNAVAILABLE, 0, ())]
    assert link.resets == ["a reply was not its caller's"]


def test_what_cannot_be_sent_and_what_is_refused_is_unavailable(link, caplog):
    answers = []
    sender = Sender(link, redis_gates.ADMIT, iter([7, 8]), lambda: NOW)
    sender.send(b"", b"", lambda *answer: answers.append(answer))
    link.waiters[0].set_exception(ReplyError("OOM command not allowed"))
    link.error = LinkDownError("down")
    sender.send(b"", b"", lambda *answer: answers.append(answer))
    assert answers == [(PlainStatus.UNAVAILABLE, 0, ())] * 2
    assert "OOM" in caplog.text


@pytest.mark.parametrize(
    "step",
    [
        Step(0, (Quota("bytes", 1, Mode.ALL_OR_NOTHING, None),), 0, peek=False),
        Step(0, (Quota("people", 1, Mode.ALL_OR_NOTHING, None),), 0, peek=False),
        Step(0, (Quota("calls", 1, Mode.ALL_OR_NOTHING, 0),), 0, peek=False),
        Step(0, (Quota("calls", 1, Mode.ALL_OR_NOTHING, None), Rate("fixed", 0, 1)), 0, peek=False),
    ],
)
def test_what_is_no_plain_quota_has_no_plan(gates, step):
    assert gates.quota(call(step, NOW, TERMS, "acme", 0), 3) is None


@pytest.mark.parametrize(
    "step",
    [
        Step(0, (Rate("sliding", 0, 1),), None, peek=False),
        Step(0, (Rate("bucket", 0, 0),), None, peek=False),
        Step(0, (Rate("bucket", 0, 1),), 1, peek=False),
        Step(0, (Quota("calls", 1, Mode.ALL_OR_NOTHING, None),), None, peek=False),
    ],
)
def test_what_is_no_plain_rate_limit_has_no_plan(gates, step):
    assert gates.rates(call(step, NOW, TERMS, "acme", 0)) is None


def test_nothing_is_planned_where_the_epoch_is_not_known_or_lost(gates):
    asked = call(take(), NOW, TERMS, "acme", 0)
    gates._adopt(0, b"!e2")
    assert gates.quota(asked, 3) is None
    assert gates.rates(call(Step(0, (Rate("bucket", 0, 1),), None, peek=False), NOW, TERMS, "acme", 0)) is None
    gates._adopt(0, b"e3")
    assert gates.quota(asked, 3) is not None


def test_barred_accounts_and_absent_entitlements_have_no_plan(gates):
    for change in ({"standing": ["x"] * 5}, {"absent": [True] * 5, "limits": [0] * 5}):
        terms = slots(ORIGIN, {**WORLD, **change}), ()
        assert gates.quota(call(take(), NOW, terms, "acme", 0), 3) is None
