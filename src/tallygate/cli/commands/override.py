"""Overrides: dated exceptions of one account, from a feature's entitlement or from a rate limit."""

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.catalog_scalars import Expected, duration_text, parse_count, parse_duration
from tallygate.cli.client import Client
from tallygate.cli.effects import minted, repeatable
from tallygate.cli.groups import Group
from tallygate.cli.options import feature_option, limit_option, remote
from tallygate.cli.output import number, optional_instant
from tallygate.cli.values import AMOUNT, FREE_TEXT, INSTANT, QUANTITY, SIGNED_QUANTITY
from tallygate_api.v1 import account_service_pb2 as wire
from tallygate_api.v1.account_service_pb2_grpc import AccountServiceStub
from tallygate_api.v1.catalog_pb2 import Entitlement, Overage, RateLimitValue

_OVERAGE = {"deny": Overage.OVERAGE_DENY, "allow": Overage.OVERAGE_ALLOW}


@click.group("override", cls=Group)
def override_command() -> None:
    """Make dated exceptions for an account.

    While it is in force, an override is the account's whole entitlement to its
    feature, or the account's figures of its rate limit.
    """


@override_command.command(
    "create",
    examples=[
        "tallygate override create acme sso --enabled --end 2027-01-01",
        "tallygate override create acme api_calls --limit 250000 --overage allow",
        "tallygate override create acme seats --limit 9 --overage allow --hard-limit 12",
        "tallygate override create acme api_rps --rate 500/1s --burst 1000",
    ],
)
@click.argument("account")
@click.argument("gate", metavar="FEATURE_OR_LIMIT")
@click.option("--enabled/--disabled", default=None, help="For a boolean feature.")
@click.option("--number", "figure", type=SIGNED_QUANTITY, metavar="N", help="For a static number.")
@click.option("--text", type=FREE_TEXT, metavar="TEXT", help="For a static text.")
@click.option("--value", "values", multiple=True, metavar="V", help="For a static enum; may be repeated.")
@click.option("--limit", type=QUANTITY, metavar="N", help="For a metered or a seat feature.")
@click.option("--unlimited", is_flag=True, help="No limit, for a metered or a seat feature.")
@click.option("--overage", type=click.Choice(list(_OVERAGE)), help="What happens at the limit.")
@click.option("--hard-limit", type=QUANTITY, metavar="N", help="Where allowed overage ends.")
@click.option("--rate", metavar="N/TIME", help="For a rate limit: so many in so long, as 500/1s.")
@click.option("--burst", type=AMOUNT, metavar="N", help="The size of a token bucket; default: its N.")
@click.option("--start", type=INSTANT, metavar="TIME", help="From when on; default: now.")
@click.option("--end", type=INSTANT, metavar="TIME", help="Until when; default: without end.")
@click.option("--id", "override_id", metavar="ID", help="Your own id; repeating it changes nothing.")
@remote
def create(
    client: Client,
    *,
    account: str,
    gate: str,
    rate: str | None,
    burst: int | None,
    start: Timestamp | None,
    end: Timestamp | None,
    override_id: str | None,
    **value: object,
) -> None:
    """Make an exception from one feature or one rate limit of an account.

    Without --id a new one is made, and written to standard error before the
    call.
    """
    request = wire.CreateOverrideRequest(account_id=account, start_time=start, end_time=end)
    if rate is not None:
        _refuse(value)
        request.limit_key = gate
        request.rate_limit.CopyFrom(_figures(rate, burst))
    else:
        if burst is not None:
            msg = "--burst goes with --rate."
            raise click.UsageError(msg)
        request.feature_key = gate
        request.entitlement.CopyFrom(_entitlement(**value))  # type: ignore[arg-type] # the options, by their own names
    request.override_id = override_id or minted("override_id", as_json=client.as_json, prefix="ovr_")
    with repeatable(f"--id {request.override_id}"):
        response = client.call(AccountServiceStub(client.channel).CreateOverride, request)
        held = response.override
        client.show(response, lambda: f"{_key(held)} is {_value(held)} by override {held.override_id}")


@override_command.command("list", examples=["tallygate override list acme", "tallygate override list acme -o json"])
@click.argument("account")
@feature_option
@click.option("--deleted", is_flag=True, help="Those, too, that were deleted and are still remembered.")
@limit_option
@remote
def list_(client: Client, *, account: str, feature: str | None, deleted: bool, limit: int | None) -> None:
    """List an account's overrides, ended ones included."""
    stub = AccountServiceStub(client.channel)
    request = wire.ListOverridesRequest(account_id=account, feature_key=feature, show_deleted=deleted)
    header = ("OVERRIDE", "FOR", "VALUE", "START", "END")
    client.show_list(stub.ListOverrides, request, field="overrides", limit=limit, header=header, row=_row)


@override_command.command("delete", examples=["tallygate override delete acme deal-9"])
@click.argument("account")
@click.argument("override")
@remote
def delete(client: Client, *, account: str, override: str) -> None:
    """Delete an override, which is out of force at once."""
    request = wire.DeleteOverrideRequest(account_id=account, override_id=override)
    response = client.call(AccountServiceStub(client.channel).DeleteOverride, request)
    client.show(response, lambda: f"deleted {override}")


def _entitlement(
    *,
    enabled: bool | None,
    figure: int | None,
    text: str | None,
    values: tuple[str, ...],
    limit: int | None,
    unlimited: bool,
    overage: str | None,
    hard_limit: int | None,
) -> Entitlement:
    given = [enabled is not None, figure is not None, text is not None, bool(values), limit is not None, unlimited]
    if given.count(True) != 1:
        msg = "name one of --enabled/--disabled, --number, --text, --value, --limit and --unlimited."
        raise click.UsageError(msg)
    return Entitlement(
        enabled=enabled,
        number=figure,
        text=text,
        values=values,
        limit=limit,
        unlimited=unlimited,
        overage=_OVERAGE[overage] if overage is not None else None,
        hard_limit=hard_limit,
    )


def _row(held: wire.Override) -> tuple[str, ...]:
    start, end = optional_instant(held, "start_time"), optional_instant(held, "end_time")
    return held.override_id, _key(held), _value(held), start, end


def _refuse(value: dict[str, object]) -> None:
    if any(given not in (None, False, ()) for given in value.values()):
        msg = "--rate is for a rate limit, and stands without the options that are for features."
        raise click.UsageError(msg)


def _figures(rate: str, burst: int | None) -> RateLimitValue:
    """Figures such as 500/1s.

    Raises:
        click.BadParameter: they are none.
    """
    tokens, _, window = rate.partition("/")
    try:
        return RateLimitValue(limit=parse_count(tokens), window=parse_duration(window), burst=burst)
    except Expected:
        problem = f"{rate!r} is no rate such as 500/1s or 10000/24h."
        raise click.BadParameter(problem, param_hint="--rate") from None


def _key(held: wire.Override) -> str:
    return held.feature_key or held.limit_key


def _value(held: wire.Override) -> str:
    if not held.limit_key:
        return _shown(held.entitlement)
    rate = held.rate_limit
    burst = f", burst {number(rate.burst)}" if rate.HasField("burst") else ""
    return f"{number(rate.limit)} per {duration_text(rate.window)}{burst}"


def _shown(value: Entitlement) -> str:
    if value.HasField("enabled"):
        return "on" if value.enabled else "off"
    if value.HasField("number"):
        return number(value.number)
    if value.HasField("text"):
        return value.text
    if value.HasField("limit"):
        soft = ", then overage" if value.overage == Overage.OVERAGE_ALLOW else ""
        soft += f" up to {number(value.hard_limit)}" if value.HasField("hard_limit") else ""
        return f"limited to {number(value.limit)}{soft}"
    return "unlimited" if value.unlimited else ", ".join(value.values)
