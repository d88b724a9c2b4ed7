"""Each promise is found broken where that was planted, and kept in a history that keeps it."""

import json

import pytest
from click.testing import CliRunner

from tallygate.cli.main import root, run
from tallygate.domain.history.experienced import growing, late, leaked, stale, unrecovered
from tallygate.domain.history.promises import PROMISES, violations
from tallygate.domain.history.records import (
    Answered,
    Broken,
    Canary,
    Counter,
    Event,
    History,
    Invoked,
    Limit,
    Resident,
    Restored,
    Written,
    line,
)

MIB = 1 << 20


def asked(request_id, at=0.0, **more):
    return Invoked(account="a", request_id=request_id, time=at, tenant="t", **more)


def told(request_id, at=0.0, outcome="ok", **more):
    return Answered(account="a", request_id=request_id, time=at, outcome=outcome, tenant="t", **more)


CANARIES = (Canary(tenant="t", text="tango"), Canary(tenant="u", text="uniform"))
LEAKED = [
    ((*CANARIES, told("r", text="a tango")), []),
    ((*CANARIES, told("r", text="in uniform")), ["an answer to t holds what is u's: uniform"]),
]
STALE = [
    ((Written(tenant="t", view_version=7, time=1), asked("r", 5.9), told("r", 6.5, view_version=6)), []),
    (
        (Written(tenant="t", view_version=7, time=1), asked("r", 6), told("r", 6.1, view_version=6)),
        ["t/a/r: view 6, expected 7 or later"],
    ),
    ((Written(tenant="u", view_version=7, time=1), asked("r", 9), told("r", 9, view_version=6)), []),
    (
        (asked("r", 1, min_view_version=3), told("r", 1, view_version=2)),
        ["t/a/r: view 2, expected 3 or later"],
    ),
    ((asked("r", 1, min_view_version=3), told("r", 1, "unknown")), []),
]
LATE = [
    ((asked("r", 1, deadline=0.5), told("r", 1.52)), []),
    ((asked("r", 1, deadline=0.5), told("r", 1.53)), ["t/a/r: took 0.530 s, its deadline was 0.5 s"]),
    ((asked("r", 1), told("r", 99)), []),
    ((asked("r", 1, deadline=0.5), told("s", 1.6)), ["t/a/r: never ended, its deadline was 0.5 s"]),
    ((asked("r", 1, deadline=0.5), told("s", 1.4)), []),
    (
        (
            asked("r", 1, attempt="1", deadline=1),
            asked("r", 5, attempt="2", deadline=1),
            told("r", 5.1, attempt="2"),
            told("r", 5.2, attempt="1"),
        ),
        ["t/a/r/1: took 4.200 s, its deadline was 1 s"],
    ),
]
OUTAGE = (Broken(what="redis", time=10), Restored(what="redis", time=20))
UNRECOVERED = [
    ((*OUTAGE, asked("r", 12), told("r", 12, "unknown"), asked("s", 24.9), told("s", 24.9, "unknown")), []),
    (
        (*OUTAGE, asked("r", 25.1), told("r", 25.2, "unknown")),
        ["t/a/r: failed while nothing was broken for 5 s"],
    ),
    ((asked("r", 9), told("r", 9, "unknown"), *OUTAGE), ["t/a/r: failed while nothing was broken for 5 s"]),
    (
        (*(asked(f"r{number}", 30) for number in range(5)), asked("r0", 31), asked("r1", 31)),
        ["7 attempts for 5 requests"],
    ),
    ((*(asked(f"r{number}", 30) for number in range(5)), asked("r0", 31)), []),
    ((Broken(what="sql", time=10), asked("r", 99), told("r", 99, "unknown")), []),
]


def samples(*sizes):
    return tuple(Resident(process="p", bytes=size * MIB, time=60 * at) for at, size in enumerate(sizes))


GROWING = [
    (samples(10, 90, 90, 90.5), []),
    (samples(10, 90, 91.5, 93), ["p: 1.50 MiB more each minute"]),
    (samples(10, 90, 131, 90), ["p: 41.0 MiB more than when it was warm"]),
    (samples(10), []),
]
CASES = [
    (checker, *case)
    for checker, cases in (
        (leaked, LEAKED),
        (stale, STALE),
        (late, LATE),
        (unrecovered, UNRECOVERED),
        (growing, GROWING),
    )
    for case in cases
]


@pytest.mark.parametrize(("checker", "records", "found"), CASES)
def test_what_was_planted_is_found_and_nothing_else(checker, records, found):
    assert checker(History(list(records))) == found


def consumed(request_id, quantity, outcome="ok", **more):
    granted = quantity if outcome == "ok" else 0
    yield Invoked(account="a", request_id=request_id, quantity=quantity)
    yield Answered(account="a", request_id=request_id, outcome=outcome, granted=granted, **more)


KEPT = [
    Limit(account="a", limit=3),
    *CANARIES,
    Written(tenant="t", view_version=1, time=0),
    asked("d", deadline=1.0),
    told("d", outcome="denied"),
    *consumed("r", 2, used=2),
    *consumed("s", 1, "unknown"),
    *consumed("x", 2, "denied"),
    Counter(account="a", used=3),
    Event(account="a", request_id="r", quantity=2, sequence=1, entry=(1, 0)),
    Event(account="a", request_id="s", quantity=1, sequence=2, entry=(2, 0)),
    Resident(process="p", bytes=MIB, time=0),
]
PLANTED = {
    "I1 no overshoot": [*consumed("y", 2), Event(account="a", request_id="y", quantity=2, sequence=3, entry=(3, 0))],
    "I2 counters are true": [Counter(account="a", used=4)],
    "I3 exactly once": [Event(account="a", request_id="r", quantity=2, sequence=1, entry=(1, 0))],
    "I4 replays repeat": [*consumed("r", 2, used=9, replayed=True)],
    "I5 no tenant sees another": [Canary(tenant="b", text="bravo"), told("q", outcome="denied", text="bravo")],
    "I6 nothing is stale": [asked("q", min_view_version=2), told("q", outcome="denied", view_version=1)],
    "I7 calls end in time": [asked("q", deadline=1), told("q", 3, outcome="denied")],
    "I8 outages end": [*(asked("q", outcome) for outcome in range(9))],
    "I9 memory is bounded": [*samples(1, 1, 90)],
}


def test_a_history_that_keeps_every_promise_breaks_none():
    found = violations(History(list(KEPT)))
    assert found.pop("I8 outages end") == ["a/s: failed while nothing was broken for 5 s"]
    assert all(broken == [] for broken in found.values())


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_can_be_broken(promise):
    assert violations(History([*KEPT, *PLANTED[promise]]))[promise]


def test_what_a_history_has_no_record_of_is_not_called_kept():
    assert set(violations(History([])).values()) == {None}
    asked = Invoked(account="a", request_id="r", quantity=1)
    found = violations(History([asked, Answered(account="a", request_id="r", outcome="ok", granted=1)]))
    assert [name for name, broken in found.items() if broken is not None] == ["I4 replays repeat", "I8 outages end"]


def test_a_file_is_verified_and_its_exit_code_says_what_was_found(tmp_path, capsys):
    file = tmp_path / "history.jsonl"
    known = [record for record in KEPT if getattr(record, "request_id", "") != "s" and not isinstance(record, Counter)]
    file.write_text("\n".join(map(line, [*known, Counter(account="a", used=2)])))
    assert run(["verify", str(file)]) == 0
    assert "I1 no overshoot: kept" in capsys.readouterr().out
    file.write_text("\n".join(map(line, [*KEPT, *PLANTED["I1 no overshoot"]])))
    assert run(["verify", str(file), "-o", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["I1 no overshoot"] == ["a: 4 held of 3", "a: 5 of 3"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "expected a JSON object"),
        ("[]", "kind: expected invoked | answered"),
        ('{"kind": "invoke"}', 'got "invoke"'),
        ('{"kind": "limit", "account": "a"}', "limit: Field required"),
        ('{"kind": "limit", "account": "a", "limit": "3"}', "limit: Input should be a valid integer"),
        ('{"kind": "limit", "account": "a", "limit": 3, "of": 1}', "of: a record of kind limit has no such field"),
    ],
)
def test_a_line_that_is_no_record_is_named(text, said, tmp_path):
    file = tmp_path / "history.jsonl"
    file.write_text('{"kind": "limit", "account": "a", "limit": 3}\n' + text + "\n")
    done = CliRunner().invoke(root, ["verify", str(file)])
    assert f"{file}:2: " in str(done.exception)
    assert said in str(done.exception)
