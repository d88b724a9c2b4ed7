"""How commands look: help with examples, texts that can travel, and groups that import a command when it is run."""

import difflib
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click
from typing_extensions import override

from tallygate.cli.values import TEXT

_BELOW_ZERO = re.compile(r"-[0-9]")


class Command(click.Command):
    """A command whose help ends in examples, each as one would type it."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **attributes: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*args, **attributes)
        self.examples = tuple(examples)
        for param in self.params:
            if param.type is click.STRING:
                param.type = TEXT

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but for a number below zero, which is an argument: its type says by name what it may be."""
        try:
            return super().parse_args(ctx, list(args))
        except click.NoSuchOption as error:
            if not _BELOW_ZERO.fullmatch(error.option_name):
                raise
        ctx.ignore_unknown_options = True
        return super().parse_args(ctx, args)

    @override
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"  {example}\n")


class Group(click.Group):
    """A noun with its verbs."""

    command_class = Command


class LazyGroup(click.Group):
    """A group that knows of each command its module and its help, and imports it only when it is run.

    A command lies in its module under its own name, with `_command` behind it.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **attributes: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*args, **attributes)
        self.lazy = lazy

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return None
        module = import_module(self.lazy[cmd_name][0])
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command), cmd_name  # noqa: S101 - a table of this package is wrong, not its user
        return command

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.lazy and not name.startswith("-") and not ctx.resilient_parsing:
            near = difflib.get_close_matches(name, self.lazy, n=1)
            msg = f"No such command {name!r}." + (f" Did you mean {near[0]!r}?" if near else "")
            raise click.UsageError(msg, ctx)
        return super().resolve_command(ctx, args)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.lazy.items()])
