"""Those who earn beside the tenant: what is agreed with them, what providers bill, and what is theirs."""

from decimal import Decimal

import click

from tallygate.cli.amounts import money, typed_money
from tallygate.cli.client import Client
from tallygate.cli.groups import Group
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import enum_name, instant, table
from tallygate.cli.values import MONEY
from tallygate_api.v1 import partner_service_pb2 as wire
from tallygate_api.v1.partner_service_pb2_grpc import PartnerServiceStub

_PAGE = 100
_KINDS = {name.removeprefix("SHARE_KIND_").lower(): number for name, number in wire.ShareKind.items() if number}
_ROUNDINGS = {
    name.removeprefix("SHARE_ROUNDING_").lower(): number for name, number in wire.ShareRounding.items() if number
}
_STATES = {name.removeprefix("BILL_STATE_").lower(): number for name, number in wire.BillState.items() if number}
_SHARES = ("SHARE", "OF", "FOR", "PROPOSED", "ACCEPTED", "FIXED", "SINCE")
_BILLS = ("ID", "PROVIDER", "ACCOUNT", "PRICE", "UNITS", "STATE", "TEXT")
_STATEMENTS = ("PARTNER", "ID", "OF", "HAS", "PASSED ON")
_INVOICES = ("INVOICE", "ACCOUNT", *_STATEMENTS)
_run = click.argument("run", required=False)


@click.group("share", cls=Group)
def share_command() -> None:
    """Agree who has a part of what is paid.

    Only what is accepted is in force, and only for what is paid from then on.
    """


@share_command.command(
    "set",
    examples=[
        "tallygate share set provider --provider maps --accepted 70",
        "tallygate share set account --account child --for parent --proposed 2.5",
        "tallygate share set processing --provider maps --accepted 2.9 --fixed 0.30",
    ],
)
@click.argument("kind", type=click.Choice(list(_KINDS)))
@click.option("--provider", metavar="ID", help="Whose sales.")
@click.option("--account", metavar="ID", help="Of what this account pays.")
@click.option("--for", "partner", metavar="ID", help="The account that has a part of it.")
@click.option("--proposed", metavar="PERCENT", help="What is asked for.")
@click.option("--accepted", metavar="PERCENT", help="What is in force.")
@click.option("--rounding", type=click.Choice(list(_ROUNDINGS)), help="Default: down.")
@click.option("--fixed", type=MONEY, help="What each invoice costs besides.")
@remote
def set_(
    client: Client,
    *,
    kind: str,
    provider: str | None,
    account: str | None,
    partner: str | None,
    proposed: str | None,
    accepted: str | None,
    fixed: Decimal | None,
    rounding: str | None,
) -> None:
    """Agree a share; what is not named stays."""
    share = wire.Share(
        kind=wire.ShareKind.Name(_KINDS[kind]),
        provider=provider,
        account_id=account,
        partner_account_id=partner,
        proposed_percent=proposed,
        accepted_percent=accepted,
        rounding=wire.ShareRounding.Name(_ROUNDINGS[rounding]) if rounding else None,
        fixed_amount=typed_money(fixed) if fixed is not None else None,
    )
    response = client.call(PartnerServiceStub(client.channel).SetShare, wire.SetShareRequest(share=share))
    client.show(response, lambda: table(_SHARES, [_share(response.share)], empty=""))


@share_command.command("list", examples=["tallygate share list"])
@remote
def list_(client: Client) -> None:
    """List the shares that stand now."""
    response = client.call(PartnerServiceStub(client.channel).ListShares, wire.ListSharesRequest())
    client.show(response, lambda: table(_SHARES, map(_share, response.shares), empty="nothing was agreed"))


@click.group("bill", cls=Group)
def bill_command() -> None:
    """Submit bills of providers, which invoices charge."""


@bill_command.command("submit", examples=["tallygate bill submit b-17 maps acme 9.90 'Maps, March'"])
@click.argument("bill")
@click.argument("provider")
@click.argument("account")
@click.argument("price", type=MONEY)
@click.argument("text")
@click.option("--units", metavar="N", help="How many units of that price; default: 1.")
@click.option("--third-party", is_flag=True, help="It is passed on: nobody has a share.")
@remote
def submit(
    client: Client,
    *,
    bill: str,
    provider: str,
    account: str,
    price: Decimal,
    text: str,
    units: str | None,
    third_party: bool,
) -> None:
    """Have ACCOUNT's next invoice charge a bill; the same once more changes nothing."""
    wanted = wire.Bill(
        bill_id=bill,
        provider=provider,
        account_id=account,
        price=typed_money(price),
        text=text,
        units=units,
        third_party=third_party,
    )
    response = client.call(PartnerServiceStub(client.channel).SubmitBill, wire.SubmitBillRequest(bill=wanted))
    client.show(response, lambda: _said(response.bill))


@bill_command.command("cancel", examples=["tallygate bill cancel b-17 maps"])
@click.argument("bill")
@click.argument("provider")
@remote
def cancel(client: Client, *, bill: str, provider: str) -> None:
    """Cancel a bill of PROVIDER that no invoice charges yet."""
    request = wire.CancelBillRequest(bill_id=bill, provider=provider)
    response = client.call(PartnerServiceStub(client.channel).CancelBill, request)
    client.show(response, lambda: _said(response.bill))


@bill_command.command("list", examples=["tallygate bill list", "tallygate bill list --state submitted"])
@click.option("--provider", metavar="ID", help="Only of this provider.")
@click.option("--account", metavar="ID", help="Only for this account.")
@click.option("--state", type=click.Choice(list(_STATES)), help="Only those that stand so.")
@limit_option
@remote
def bills(client: Client, *, provider: str | None, account: str | None, state: str | None, limit: int | None) -> None:
    """List bills, newest first."""
    request = wire.ListBillsRequest(
        provider=provider, account_id=account, state=wire.BillState.Name(_STATES[state]) if state else None
    )
    stub = PartnerServiceStub(client.channel)
    client.show_list(stub.ListBills, request, field="bills", limit=limit, header=_BILLS, row=_bill, most=_PAGE)


@click.group("statement", cls=Group)
def statement_command() -> None:
    """Tell what partners have of what was paid.

    RUN is the day of a run, as 2026-02-17; without it, it is the last one.
    """


@statement_command.command("show", examples=["tallygate statement show", "tallygate statement show 2026-02-17"])
@_run
@remote
def show(client: Client, *, run: str | None) -> None:
    """Show what each partner has of a run."""
    stub = PartnerServiceStub(client.channel)
    response = client.call(stub.ListStatements, wire.ListStatementsRequest(run_date=run))
    rows = [_part(one.share) for one in response.statements]
    client.show(response, lambda: table(_STATEMENTS, rows, empty="nothing was paid"))


@statement_command.command("invoices", examples=["tallygate statement invoices 2026-02-17"])
@_run
@remote
def invoices(client: Client, *, run: str | None) -> None:
    """List the invoices behind a run, each with what everybody has of it."""
    stub = PartnerServiceStub(client.channel)
    request = wire.ListSharedInvoicesRequest(run_date=run)
    response = client.pages(stub.ListSharedInvoices, request, field="invoices", most=_PAGE)
    rows = [(one.number, one.account_id, *_part(share)) for one in response.invoices for share in one.shares]
    client.show(response, lambda: table(_INVOICES, rows, empty="nothing was paid"))


def _share(share: wire.Share) -> tuple[str, ...]:
    of = share.provider or share.account_id or "all"
    fixed = money(share.fixed_amount) if share.HasField("fixed_amount") else "-"
    percents = (f"{text} %" if text else "-" for text in (share.proposed_percent, share.accepted_percent))
    return enum_name(share, "kind"), of, share.partner_account_id or "-", *percents, fixed, instant(share.start_time)


def _said(bill: wire.Bill) -> str:
    return f"{bill.bill_id} of {bill.provider} for {bill.account_id}: {enum_name(bill, 'state')}"


def _bill(bill: wire.Bill) -> tuple[str, ...]:
    state = enum_name(bill, "state")
    return bill.bill_id, bill.provider, bill.account_id, money(bill.price), bill.units, state, bill.text


def _part(share: wire.PartnerShare) -> tuple[str, ...]:
    amounts = share.portfolio_amount, share.commission_amount, share.non_commissionable_amount
    return enum_name(share, "kind"), share.partner_id or "-", *map(money, amounts)
