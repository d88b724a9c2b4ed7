"""Whatever is typed is either sent or refused by the name of its option: no traceback, no defect, exit code 2."""

import os
import subprocess
import sys

import click
import pytest

from tallygate.cli import values
from tallygate.cli.main import root

BEYOND = [
    "99999999999999999999",
    "-99999999999999999999",
    "9" * 5000,
    "1e5",
    "0x10",
    "1_000",
    "٣",
    "1.5",
    "",
    "\0",
    " 1",
]
TEXTS = ["", "a\0b", "a\x01b", "a\nb", "\x1b[31m", "\udcff", "\ufeffa"]
UNSENDABLE = ["a\0b", "\udcff"]
HOSTILE = {
    values.Whole: BEYOND,
    values.Wait: [*BEYOND[:3], "-1", "0", "nan", "inf", "1e300", "", "\0", "soon"],
    values.Instant: ["", "noon", "\0", "99999-01-01", "0000-01-01", "0001-01-01T00:00:00+14:00", "\udcff", "9" * 5000],
    values.Pair: ["", "a", "=b", "a\0=b", "a=b\0", "a=\udcff", "\ufeffa=b", "a\x01=b"],
    values.Money: [*BEYOND[2:7], "", "\0", "--1", "1.", ".5", "nan", "1.0000000001"],
    values.Counted: ["", "=1", "a=", "a=-1", "a=99999999999999999999", "a=٣", "\udcff=1"],
    values.OutputPath: ["", "a\0b", "\udcff/nowhere", "nowhere/file", "/", "x" * 5000],
    values.FilePath: ["", "a\0b", "\udcff/nowhere", "nowhere", "/", "x" * 5000],
    click.Choice: ["", "\0", "\udcff", "x" * 5000],
}
ARGUMENTS = {
    "file": "catalog.yaml", "quantity": "1", "amount": "1", "shell": "bash", "state": "active", "at": "2026-01-01",
}  # fmt: skip
REQUIRED = {"scopes": ("--scope", "data"), "text": ("--text", "a")}
NOT_READ = {("catalog", "validate"): "key_file", ("key", "create"): "config", ("key", "revoke"): "config"}
"""Files that are read only with another option beside them."""
NEEDED = {
    ("override", "create"): ("--enabled",),
    ("subscription", "extend"): ("--without-end",),
}
STARTS_A_SERVER = {("dev",), ("serve",)}


def leaves(command=root, words=()):
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from leaves(command.get_command(click.Context(command), name), (*words, name))
    else:
        yield words, command


LEAVES = dict(leaves())


def hostile(param):
    match param.type:
        case values.Text():
            return TEXTS if param.type.is_name else UNSENDABLE
        case _:
            return next((found for kind, found in HOSTILE.items() if isinstance(param.type, kind)), [])


def line(words, command, param, value):
    """A whole command line in which this parameter alone is hostile."""
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    typed = [value if p is param else ARGUMENTS.get(p.name, "a") for p in arguments if p.required or p is param]
    needed = [p for p in command.params if isinstance(p, click.Option) and p.required and p is not param]
    options = [word for p in needed for word in REQUIRED.get(p.name, ())]
    if not isinstance(param, click.Argument):
        options += [param.opts[0], value]
    return [*words, *options, *NEEDED.get(words, ()), "--", *typed]


def cases():
    """Every value for every parameter; for those that many commands share only at the first of them."""
    met = set()
    for words, command in LEAVES.items():
        for param in command.params:
            shared = (param.name, type(param.type)) in met and isinstance(param, click.Option)
            met.add((param.name, type(param.type)))
            for value in hostile(param)[: 2 if shared else None]:
                if NOT_READ.get(words) != param.name or value in {"", "a\0b"}:
                    name = f"{' '.join(words)} {param.name} {value[:30]!a}"
                    yield pytest.param(line(words, command, param, value), param, id=name)


@pytest.fixture
def _world(home, server):  # noqa: ARG001 - it is there, and is not asked
    (home / "catalog.yaml").write_text("schema: tallygate.catalog.v1\ncurrency: USD\n")


@pytest.mark.usefixtures("_world")
@pytest.mark.parametrize(("words", "param"), list(cases()))
def test_a_value_that_cannot_be_is_refused_by_name(server, say, words, param):
    said = say(*words)
    assert (said.code, said.out) == (2, ""), said
    assert "Traceback" not in said.err
    assert "a defect" not in said.err
    names = {*param.opts, param.name, param.make_metavar(click.Context(root)), param.name.replace("__", ".")}
    is_file = isinstance(param.type, values.FilePath)
    assert is_file or any(name in said.err for name in names), said.err
    assert server.requests == []


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_parameter_has_a_type_that_bounds_it(words):
    for param in LEAVES[words].params:
        bounded = isinstance(param.type, values.Text | click.types.BoolParamType) or hostile(param)
        assert bounded, f"{param.name} is a bare {param.type}: see cli/values.py"


@pytest.mark.usefixtures("_world")
@pytest.mark.parametrize("words", [words for words in LEAVES if words not in STARTS_A_SERVER], ids=" ".join)
def test_the_largest_numbers_fit_the_wire(say, words):
    """What its type lets through, a request can hold: the bound is that of the field."""
    command = LEAVES[words]
    for param in command.params:
        for number in (param.type.least, param.type.most) if isinstance(param.type, values.Whole) else ():
            said = say(*line(words, command, param, str(number)))
            assert "a defect" not in said.err, (param.name, number, said.err)


@pytest.mark.usefixtures("_world")
@pytest.mark.parametrize(
    "key",
    [b"\xef\xbb\xbftg_k", "tg_ключ".encode(), b"\xff\xfet\0g\0", b"tg_\0", b"tg_a b", b"tg_\x01", b"", b" \n", b"\xff"],
)
def test_a_key_file_that_holds_no_key_is_said(home, say, key):
    (home / "key").write_bytes(key)
    said = say("account", "list", "--key-file", home / "key")
    assert said.code == 2
    assert said.err.startswith(("error: --key-file: cannot read", "error: --key-file: ", "error: --key-file "))
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("key", ["ключ", "a b", "a\nb", "\x01", "x" * 100_000])
def test_a_key_that_cannot_travel_is_said_and_never_shown(say, key):
    said = say("account", "list", "--key", key)
    assert said.code == 2
    assert "--key" in said.err
    assert key not in said.err


@pytest.mark.parametrize(
    "address",
    ["localhost", "http://localhost:7420", "a b:1", ":1", "h:port", "unix:", "unix:/a,b", "h:1/x", "\u200b:1"],
)
def test_a_server_that_is_no_address_is_said(say, monkeypatch, address):
    for words, environment, origin in (
        (("--server", address), "", "--server"),
        ((), address, "TALLYGATE_ADDRESS"),
    ):
        monkeypatch.setenv("TALLYGATE_ADDRESS", environment)
        said = say("account", "list", *words)
        assert said.code == 2
        assert said.err.startswith(f"error: {origin}: expected host:port, as 127.0.0.1:7420, or unix:/path, got ")


def test_bytes_that_are_no_utf8_are_refused_as_the_shell_passes_them(home):
    """In a process of its own: there such words become lone surrogates, and so would what it prints."""
    argv = [sys.executable, "-m", "tallygate", "check", b"caf\xe9", b"\xff", b"--user=\xe9", "-o", "json"]
    done = subprocess.run(argv, cwd=home, capture_output=True, check=False, env={"PATH": os.environ["PATH"]})  # noqa: TID251
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Traceback" not in done.stderr
    assert b'"code": 3' in done.stderr


@pytest.mark.parametrize("locale", ["C", "en_US.ISO-8859-1", "POSIX"])
def test_what_a_terminal_cannot_show_is_escaped(home, locale):
    argv = [sys.executable, "-m", "tallygate", "settings", "show", "--data-dir", "/日本"]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": locale, "PYTHONIOENCODING": "ascii"}  # noqa: TID251
    done = subprocess.run(argv, cwd=home, capture_output=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert b"data_dir = /\\u65e5\\u672c  (flag)" in done.stdout
