"""The root of the command line: its commands by name, and the one place where a failure becomes an exit code."""

import io
import re
import sys
from collections.abc import Sequence
from itertools import pairwise

import click

from tallygate import __version__
from tallygate.cli.failures import CALLER, DONE, UNDECIDED, CommandError, field_problem, show_failure
from tallygate.cli.groups import LazyGroup
from tallygate.cli.terminal import ReaderLeftError, flush_output, tell

_URL = re.compile(r"(\w+://)[^\s')]+")
_COMMANDS = "tallygate.cli.commands"
LAZY = {
    "dev": (f"{_COMMANDS}.dev", "Start a server with a demo world; Ctrl-C stops it."),
    "serve": (f"{_COMMANDS}.serve", "Start a server and run it until SIGTERM or Ctrl-C."),
    "migrate": (f"{_COMMANDS}.installation", "Bring the database to this version's schema."),
    "audit": (f"{_COMMANDS}.audit", "Show who did what, and check what was recorded."),
    "verify": (f"{_COMMANDS}.verify", "Hold a recorded history to what Tallygate promises."),
    "tenant": (f"{_COMMANDS}.installation", "Create tenants, directly in the database."),
    "catalog": (f"{_COMMANDS}.catalog", "Validate, compare, publish and export what is sold."),
    "account": (f"{_COMMANDS}.account", "Create, import and show accounts."),
    "subscription": (f"{_COMMANDS}.subscription_changes", "Subscribe accounts to plans, and change that."),
    "seat": (f"{_COMMANDS}.seat", "Assign seats to users."),
    "grant": (f"{_COMMANDS}.grant", "Grant accounts more units of a feature: top-ups, promotions, credits."),
    "override": (f"{_COMMANDS}.override", "Make dated exceptions for an account."),
    "check": (f"{_COMMANDS}.decide", "Ask whether an account may use a feature; counts nothing."),
    "consume": (f"{_COMMANDS}.decide", "Take N units of a metered feature, atomically and once."),
    "ratelimit": (f"{_COMMANDS}.decide", "Ask whether a call fits its rate limits, and take from them."),
    "usage": (f"{_COMMANDS}.usage", "Show an account's usage by period and feature."),
    "events": (f"{_COMMANDS}.usage", "List and follow billable events, in CloudEvents shape."),
    "billing": (f"{_COMMANDS}.billing", "Issue invoices whose time has come."),
    "fee": (f"{_COMMANDS}.billing", "Charge accounts fees of their own, and take them back."),
    "coupon": (f"{_COMMANDS}.coupon", "Make coupons, which take something off invoices."),
    "discount": (f"{_COMMANDS}.discount", "Take something off for one account, by agreement."),
    "referral": (f"{_COMMANDS}.discount", "Note who referred accounts, and see what they were given for it."),
    "claim": (f"{_COMMANDS}.discount", "Redeem what an order bought for whoever has a code."),
    "share": (f"{_COMMANDS}.partner", "Agree who has a part of what is paid."),
    "bill": (f"{_COMMANDS}.partner", "Submit bills of providers, which invoices charge."),
    "statement": (f"{_COMMANDS}.partner", "Tell what partners have of what was paid."),
    "report": (f"{_COMMANDS}.report", "Show what recurs, what was earned since START, and who left."),
    "order": (f"{_COMMANDS}.order", "Put orders together, and complete them: the checkout of a shop."),
    "payment": (f"{_COMMANDS}.payment", "Get invoices paid: gateways, methods, charges, money that came otherwise."),
    "message": (f"{_COMMANDS}.message", "Read what happened to invoices, payments and subscriptions, each told once."),
    "ledger": (f"{_COMMANDS}.ledger", "Ask the double-entry ledger behind invoices."),
    "invoice": (f"{_COMMANDS}.invoice", "List and show invoices and credit notes."),
    "price": (f"{_COMMANDS}.price", "Give accounts prices of their own."),
    "quote": (f"{_COMMANDS}.quote", "Show what a plan would cost, before anybody buys it."),
    "plan": (f"{_COMMANDS}.quote", "Compare what plans cost."),
    "key": (f"{_COMMANDS}.key", "Create, list and revoke API keys."),
    "clock": (f"{_COMMANDS}.clock", "Show, set and move a test tenant's clock."),
    "settings": (f"{_COMMANDS}.configuration", "Show the settings in force, and their schema."),
    "doctor": (f"{_COMMANDS}.configuration", "Find what is wrong with an installation, each with its fix."),
    "completion": (f"{_COMMANDS}.configuration", "Print the completion script of a shell."),
}


@click.group(cls=LazyGroup, lazy=LAZY, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tallygate")
def root() -> None:
    """Tallygate: entitlements, quota and rate limits beside your service.

    Exit codes: 0 allowed or done, 1 denied, 2 something for you to change, 3 it
    could not be decided.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line, by default this process's own, and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = root.main(args=words, prog_name="tallygate", standalone_mode=False)
    except ReaderLeftError:
        return UNDECIDED
    except SystemExit as end:  # of completion; and with 1, which here means denied, where a pipe breaks under click
        return end.code if end.code in {DONE, CALLER} else UNDECIDED
    except click.UsageError as error:
        if not _wants_json(words):
            shown = io.StringIO()
            error.show(shown)
            tell(_told(shown.getvalue().rstrip()))
            return CALLER
        failure = CommandError(_told(error.format_message()))
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - here every failure becomes an exit code
        failure = _failure(error)
        flush_output()
    else:
        return code if isinstance(code, int) else 0
    show_failure(failure, as_json=_wants_json(words))
    return failure.exit_code


def _told(usage: str) -> str:
    """What click says of words that it did not understand, without the secrets that those may hold."""
    return _URL.sub(r"\1***", usage).replace("Got unexpected extra", "The command does not take the")


def _failure(error: BaseException) -> CommandError:  # noqa: PLR0911 - a table of who speaks for itself
    """What to tell of an exception: this package's own speak for themselves, another's is a defect with a name."""
    text = str(error)
    match error:
        case CommandError():
            return error
        case click.Abort() | KeyboardInterrupt():
            return CommandError("interrupted", exit_code=UNDECIDED)
        case click.ClickException():
            return CommandError(error.format_message())
        case ModuleNotFoundError() if not (error.name or "tallygate").startswith("tallygate"):
            return CommandError(
                f"{error.name} is missing: this command needs the server: pip install 'tallygate[server]'"
            )
        case OSError() if error.strerror:
            named = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
            return CommandError(named, exit_code=CALLER if error.filename else UNDECIDED)
        case _ if any(kind.__name__ == "SettingsError" for kind in type(error).__mro__):
            return CommandError(text)
        case _ if type(error).__module__.startswith("tallygate.") and text:
            return CommandError(field_problem(getattr(error, "metadata", {})) or text, exit_code=_exit_code(error))
        case _:
            return CommandError(
                f"a defect of tallygate {__version__}, {type(error).__name__}: {text or 'no more is known'}",
                exit_code=UNDECIDED,
                hints=["please report it with the command that you typed"],
            )


def _exit_code(error: BaseException) -> int:
    """Whose it is to act on an exception of this package."""
    from tallygate.domain import errors  # noqa: PLC0415 - only a failure pays for it

    callers = (errors.InvalidError, errors.NotFoundError, errors.ConflictError, errors.PermissionError_)
    return CALLER if isinstance(error, callers) else UNDECIDED


def _wants_json(words: Sequence[str]) -> bool:
    """Whether failures are wanted as JSON, even when the words could not be parsed."""
    attached = {"-ojson", "--output=json"}.intersection(words)
    return bool(attached) or any(pair in {("-o", "json"), ("--output", "json")} for pair in pairwise(words))
