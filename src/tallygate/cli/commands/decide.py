"""The three calls of the data plane. A denial is an answer, with exit code 1."""

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.client import Client
from tallygate.cli.effects import minted, repeatable
from tallygate.cli.failures import DENIED
from tallygate.cli.groups import Command
from tallygate.cli.options import remote
from tallygate.cli.output import table
from tallygate.cli.phrases import decision_phrase, decision_row, rate_phrase, rate_rule
from tallygate.cli.values import INSTANT, PAIR, QUANTITY, SEQUENCE, SIGNED_QUANTITY, by_key
from tallygate_api.v1 import entitlement_service_pb2 as wire
from tallygate_api.v1.entitlement_service_pb2_grpc import EntitlementServiceStub

_MODES = {
    "all_or_nothing": wire.CONSUME_MODE_ALL_OR_NOTHING,
    "best_effort": wire.CONSUME_MODE_BEST_EFFORT,
    "adjust": wire.CONSUME_MODE_ADJUST,
}


@click.command(
    "check",
    cls=Command,
    examples=[
        "tallygate check acme api_calls",
        "tallygate check globex seats --user ada@globex.example",
        "tallygate check globex retention_days --value 30 -o json",
        "tallygate check acme",
    ],
)
@click.argument("account")
@click.argument("feature", required=False)
@click.option("--quantity", type=QUANTITY, metavar="N", help="Would N more fit? Default 1; 0 only looks.")
@click.option("--user", metavar="ID", help="For a seat: does this user hold one?")
@click.option("--value", "values", multiple=True, metavar="V", help="For a static feature: is V granted?")
@click.option("--at", type=INSTANT, metavar="TIME", help="Answer for this instant.")
@click.option("--min-view-version", type=SEQUENCE, default=0, metavar="V", help="Wait until the view is at V.")
@remote
def check_command(
    client: Client,
    *,
    account: str,
    feature: str | None,
    quantity: int | None,
    user: str | None,
    values: tuple[str, ...],
    at: Timestamp | None,
    min_view_version: int,
) -> None:
    """Ask whether an account may use a feature; counts nothing.

    Without FEATURE it lists all that the account holds.
    """
    stub = EntitlementServiceStub(client.channel)
    if feature is None:
        _list(client, stub, account=account, user=user, at=at, min_view_version=min_view_version)
        return
    request = wire.CheckEntitlementRequest(
        account_id=account,
        feature_key=feature,
        user_id=user,
        quantity=quantity,
        requested_values=values,
        min_view_version=min_view_version,
        at_time=at,
    )
    response = client.call(stub.CheckEntitlement, request)
    client.show(response, lambda: decision_phrase(response.decision))
    _exit(allowed=response.decision.allowed)


def _list(
    client: Client,
    stub: EntitlementServiceStub,
    *,
    account: str,
    user: str | None,
    at: Timestamp | None,
    min_view_version: int,
) -> None:
    request = wire.ListEntitlementsRequest(
        account_id=account, user_id=user, at_time=at, min_view_version=min_view_version
    )
    response = client.call(stub.ListEntitlements, request)
    rows = [decision_row(decision) for decision in response.decisions]
    client.show(
        response, lambda: table(("FEATURE", "ALLOWED", "HOLDS", "RESETS"), rows, empty="the catalogue has no features")
    )


@click.command(
    "consume",
    cls=Command,
    context_settings={"ignore_unknown_options": True},  # or -5 would be an unknown option
    examples=[
        "tallygate consume acme api_calls",
        "tallygate consume acme api_calls 100 --request-id order-17",
        "tallygate consume globex api_calls 5000 --mode best_effort",
        "tallygate consume acme api_calls -5 --request-id refund-17",
    ],
)
@click.argument("account")
@click.argument("feature")
@click.argument("quantity", type=SIGNED_QUANTITY, default=1, metavar="[N]")
@click.option("--request-id", metavar="ID", help="Identifies the effect; a retry sends it again.")
@click.option("--mode", type=click.Choice(list(_MODES)), default="all_or_nothing", help="What happens at the limit.")
@click.option("--user", metavar="ID", help="On whose behalf; kept in the event.")
@click.option(
    "--dimension",
    "dimensions",
    type=PAIR,
    metavar="KEY=VALUE",
    multiple=True,
    help="Kept in the event; may be repeated.",
)
@click.option("--at", type=INSTANT, metavar="TIME", help="When it happened; default: now.")
@remote
def consume_command(
    client: Client,
    *,
    account: str,
    feature: str,
    quantity: int,
    request_id: str | None,
    mode: str,
    user: str | None,
    dimensions: tuple[tuple[str, str], ...],
    at: Timestamp | None,
) -> None:
    """Take N units of a metered feature, atomically and once.

    N is 1 by default; a negative N is a refund. Without --request-id a new one
    is made, and written to standard error before anything is taken.
    """
    identity = request_id or minted("request_id", as_json=client.as_json)
    request = wire.ConsumeQuotaRequest(
        account_id=account,
        feature_key=feature,
        quantity=quantity,
        request_id=identity,
        user_id=user,
        mode=_MODES[mode],
        dimensions=by_key(dimensions, "--dimension"),
        occurred_time=at,
    )
    with repeatable(f"--request-id {identity}"):
        response = client.call(EntitlementServiceStub(client.channel).ConsumeQuota, request)
        client.show(response, lambda: decision_phrase(response.decision, taken=True))
    _exit(allowed=response.decision.allowed)


@click.command(
    "ratelimit",
    cls=Command,
    examples=[
        "tallygate ratelimit acme api_rps",
        "tallygate ratelimit acme --cost 10",
        "tallygate ratelimit - login_attempts --descriptor action=login \\",
        "    --descriptor remote_address=203.0.113.9",
    ],
)
@click.argument("account")
@click.argument("limit", required=False)
@click.option("--cost", type=QUANTITY, metavar="N", help="Tokens it costs; default 1, 0 looks.")
@click.option(
    "--descriptor",
    "descriptors",
    type=PAIR,
    metavar="KEY=VALUE",
    multiple=True,
    help="What is known of the call; in order.",
)
@click.option("--request-id", metavar="ID", help="Identifies the effect; a retry costs once.")
@remote
def ratelimit_command(
    client: Client,
    *,
    account: str,
    limit: str | None,
    cost: int | None,
    descriptors: tuple[tuple[str, str], ...],
    request_id: str | None,
) -> None:
    """Ask whether a call fits its rate limits, and take from them.

    ACCOUNT is - for the tenant's own limits. Without LIMIT every limit that
    matches counts; a denied call takes nothing from any.
    """
    request = wire.RateLimitRequest(
        account_id="" if account == "-" else account,
        limit_key=limit,
        descriptors=[wire.DescriptorEntry(key=key, value=value) for key, value in descriptors],
        cost=cost,
        request_id=request_id,
    )
    response = client.call(EntitlementServiceStub(client.channel).RateLimit, request)
    client.show(response, lambda: _limits(response))
    _exit(allowed=response.allowed)


def _limits(response: wire.RateLimitResponse) -> str:
    """The sentence, and where several limits matched the state of each."""
    lines = [rate_phrase(response)]
    if len(response.statuses) > 1:
        lines += [f"  {s.remaining:,} left of {rate_rule(s)}" for s in response.statuses]
    return "\n".join(lines)


def _exit(*, allowed: bool) -> None:
    if not allowed:
        raise click.exceptions.Exit(DENIED)
