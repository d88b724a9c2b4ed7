import subprocess
import sys

import click
import pytest

from tallygate import settings
from tallygate.cli.groups import Command
from tallygate.cli.main import LAZY, root, run


def commands():
    """Every command there is, by its words."""
    found = {}

    def walk(command, words):
        found[words] = command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                walk(command.get_command(context, name), (*words, name))

    walk(root, ())
    return found


COMMANDS = commands()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_help_fits_80_columns_and_shows_an_example(words, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert run([*words, "--help"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert max(map(len, said.out.splitlines())) <= 80
    command = COMMANDS[words]
    if not isinstance(command, click.Group):
        assert isinstance(command, Command)
        assert command.examples
        assert any(" ".join(("tallygate", *words)) in example for example in command.examples)
        assert "Examples:" in said.out
    assert "\x1b" not in said.out


def test_the_help_of_the_root_says_what_each_command_says_of_itself():
    for name, (_, text) in LAZY.items():
        assert text == COMMANDS[(name,)].help.splitlines()[0]


def test_the_help_of_the_root_imports_nothing_heavy():
    code = (
        "import sys; from tallygate.cli.main import run; run(['--help']);"
        "sys.exit(','.join(m for m in ('grpc', 'pydantic', 'rich', 'yaml', 'google.protobuf', 'sqlalchemy', 'asyncio')"
        " if m in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_its_dependencies_one_line_says_what_to_install():
    code = "import sys; sys.modules['click'] = None; from tallygate.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: click is missing: pip install tallygate\n"


def test_no_command_is_the_help_and_the_callers_error(capsys):
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_words_are_completed():
    for words, expected in (
        ("tallygate cat", "plain,catalog"),
        ("tallygate nope x", ""),
        ("tallygate seat as", "plain,assign"),
    ):
        asked = {"_TALLYGATE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        done = subprocess.run(
            [sys.executable, "-c", "from tallygate.__main__ import main; main()"],
            capture_output=True,
            text=True,
            check=False,
            env={**settings._ENVIRON, **asked},
        )
        assert (done.stdout.strip(), done.stderr) == (expected, ""), words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell, capsys):
    assert run(["completion", shell]) == 0
    assert "_TALLYGATE_COMPLETE" in capsys.readouterr().out
