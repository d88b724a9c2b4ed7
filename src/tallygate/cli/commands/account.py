"""Accounts: who is entitled and billed."""

from pathlib import Path

import click

from tallygate.cli.account_import import import_accounts
from tallygate.cli.charging import charge_options, charged_by
from tallygate.cli.client import Client
from tallygate.cli.groups import Group
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import enum_name, instant, number, optional_instant
from tallygate.cli.terminal import say
from tallygate.cli.values import FILE, FREE_TEXT, PAIR, by_key
from tallygate_api.v1 import account_service_pb2 as wire
from tallygate_api.v1.account_service_pb2_grpc import AccountServiceStub


@click.group("account", cls=Group)
def account_command() -> None:
    """Create, import and show accounts.

    An account has your own id: an e-mail, a UUID, whatever you call it.
    """


@account_command.command(
    "upsert",
    examples=[
        "tallygate account upsert acme --plan pro --time-zone Europe/Zurich",
        "tallygate account upsert acme --user ada@acme.example --metadata crm=4711",
    ],
)
@click.argument("account")
@click.option("--plan", metavar="KEY", help="Subscribe it to this plan, with the plan's trial.")
@click.option("--time-zone", type=FREE_TEXT, metavar="ZONE", help="Its IANA time zone; empty: the tenant's.")
@click.option("--user", "users", multiple=True, metavar="ID", help="A user to add; may be repeated.")
@click.option("--metadata", type=PAIR, metavar="KEY=VALUE", multiple=True, help="To set; an empty value removes it.")
@remote
def upsert(
    client: Client,
    *,
    account: str,
    plan: str | None,
    time_zone: str | None,
    users: tuple[str, ...],
    metadata: tuple[tuple[str, str], ...],
) -> None:
    """Create an account or update it; repeating it changes nothing."""
    request = wire.UpsertAccountRequest(
        account_id=account, metadata=by_key(metadata, "--metadata"), time_zone=time_zone, plan_key=plan, user_ids=users
    )
    response = client.call(AccountServiceStub(client.channel).UpsertAccount, request)
    verb = "created" if response.created else "updated"
    client.show(response, lambda: f"{verb} {_account(response.account)}")


@account_command.command("add-users", examples=["tallygate account add-users acme ada bob --invoice now"])
@click.argument("account")
@click.argument("users", nargs=-1, required=True)
@charge_options
@remote
def add_users(client: Client, *, account: str, users: tuple[str, ...], **charged: str | None) -> None:
    """Add users; those there already stay."""
    request = wire.AddUsersRequest(
        account_id=account,
        user_ids=users,
        **charged_by(**charged),
    )
    response = client.call(AccountServiceStub(client.channel).AddUsers, request)
    client.show(response, lambda: f"{account} has {', '.join(user.user_id for user in response.users)}")


@account_command.command("remove-users", examples=["tallygate account remove-users acme ada --proration none"])
@click.argument("account")
@click.argument("users", nargs=-1, required=True)
@charge_options
@remote
def remove_users(client: Client, *, account: str, users: tuple[str, ...], **charged: str | None) -> None:
    """Remove users, and free their seats; unknown ones are passed over."""
    request = wire.RemoveUsersRequest(
        account_id=account,
        user_ids=users,
        **charged_by(**charged),
    )
    response = client.call(AccountServiceStub(client.channel).RemoveUsers, request)
    client.show(response, lambda: f"removed {response.removed_count} of {len(users)} from {account}")


@account_command.command(
    "import",
    examples=["tallygate account import examples/accounts.jsonl", "tallygate account import accounts.jsonl --restart"],
)
@click.argument("file", type=FILE)
@click.option("--restart", is_flag=True, help="Start over, even if an import of FILE was interrupted.")
@remote
def import_(client: Client, *, file: Path, restart: bool) -> None:
    """Create or update the accounts of a JSON-lines file.

    Each line is an UpsertAccountRequest; its key "subscription" may hold a
    CreateSubscriptionRequest. An interrupted import goes on where it stopped,
    and importing a file again changes nothing.
    """
    outcome = import_accounts(client, file, restart=restart)
    say(outcome.json() if client.as_json else outcome.text())
    outcome.raise_failures()


@account_command.command(
    "list", examples=["tallygate account list", "tallygate account list --plan pro --limit 20 -o json"]
)
@click.option("--plan", metavar="KEY", help="Only those that this plan serves.")
@limit_option
@remote
def list_(client: Client, *, plan: str | None, limit: int | None) -> None:
    """List accounts by id."""
    stub = AccountServiceStub(client.channel)
    request = wire.ListAccountsRequest(plan_key=plan)
    header = ("ACCOUNT", "PLAN", "STATE", "ENDS")
    client.show_list(stub.ListAccounts, request, field="accounts", limit=limit, header=header, row=_row)


@account_command.command("show", examples=["tallygate account show acme", "tallygate account show acme -o json"])
@click.argument("account")
@remote
def show(client: Client, *, account: str) -> None:
    """Show an account with its subscription."""
    stub = AccountServiceStub(client.channel)
    response = client.call(stub.GetAccount, wire.GetAccountRequest(account_id=account))
    client.show(response, lambda: _details(response.account))


def _row(account: wire.Account) -> tuple[str, str, str, str]:
    held = account.subscription
    if not account.HasField("subscription"):
        return account.account_id, "-", "-", "-"
    end = optional_instant(held, "end_time")
    return account.account_id, f"{held.plan_key} v{held.plan_version}", enum_name(held, "state"), end


def _account(account: wire.Account) -> str:
    if not account.HasField("subscription"):
        return f"{account.account_id}: no subscription"
    held = account.subscription
    text = f"{account.account_id}: {held.plan_key} version {held.plan_version}, {enum_name(held, 'state')}"
    return f"{text} until {instant(held.trial_end_time)}" if _on_trial(account) else text


def _on_trial(account: wire.Account) -> bool:
    return enum_name(account.subscription, "state") == "trialing" and account.subscription.HasField("trial_end_time")


def _details(account: wire.Account) -> str:
    lines = [_account(account), f"time zone: {account.time_zone or 'that of the tenant'}"]
    lines += [f"add-on: {number(held.quantity)} x {held.add_on_key}" for held in account.subscription.add_ons]
    lines += [f"{key}: {value}" for key, value in sorted(account.metadata.items())]
    return "\n".join([*lines, f"created: {optional_instant(account, 'create_time')}"])
