"""Prices of accounts' own, in place of those of the catalogue."""

from decimal import Decimal

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.client import Client
from tallygate.cli.groups import Group
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import optional_instant
from tallygate.cli.values import INSTANT, MONEY
from tallygate_api.v1 import billing_service_pb2 as wire
from tallygate_api.v1 import catalog_service_pb2
from tallygate_api.v1.billing_service_pb2_grpc import BillingServiceStub
from tallygate_api.v1.catalog_pb2 import Price
from tallygate_api.v1.catalog_service_pb2_grpc import CatalogServiceStub

_PAGE = 100
"""The largest page of own prices."""

_AMOUNT = {"recurring": "amount", "setup": "amount", "commitment": "amount", "usage": "unit_amount"}
"""Which field of a price its amount is."""


@click.group("price", cls=Group)
def price_command() -> None:
    """Give accounts prices of their own."""


@price_command.command(
    "override",
    examples=[
        "tallygate price override acme pro recurring 39.00",
        "tallygate price override acme reports recurring 9.00 --add-on --end 2027-01-01",
    ],
)
@click.argument("account")
@click.argument("plan")
@click.argument("price")
@click.argument("amount", type=MONEY)
@click.option("--add-on", is_flag=True, help="PLAN is an add-on.")
@click.option("--start", type=INSTANT, metavar="TIME", help="From when on; default: now.")
@click.option("--end", type=INSTANT, metavar="TIME", help="Until when; default: without end.")
@click.option("--id", "override_id", metavar="ID", help="Your own id, so that repeating it changes nothing.")
@remote
def override(
    client: Client,
    *,
    account: str,
    plan: str,
    price: str,
    amount: Decimal,
    add_on: bool,
    start: Timestamp | None,
    end: Timestamp | None,
    override_id: str | None,
) -> None:
    """Charge an account another amount for a price of a plan, else as the price says.

    PRICE is the key of the price: recurring, setup, or a feature where it has
    none of its own. Tiers and all else can be set over the API.
    """
    request = wire.SetPriceOverrideRequest(
        account_id=account,
        override_id=override_id,
        plan_key=None if add_on else plan,
        add_on_key=plan if add_on else None,
        price=_with_amount(client, plan, price, f"{amount:f}", add_on=add_on),
        start_time=start,
        end_time=end,
    )
    response = client.call(BillingServiceStub(client.channel).SetPriceOverride, request)
    client.show(response, lambda: _told(response.price_override))


@price_command.command("end", examples=["tallygate price end acme price_4f1c..."])
@click.argument("account")
@click.argument("override_id", metavar="ID")
@click.option("--at", type=INSTANT, metavar="TIME", help="When; default: now.")
@remote
def end(client: Client, *, account: str, override_id: str, at: Timestamp | None) -> None:
    """End an account's own price; what the catalogue says is charged again."""
    request = wire.EndPriceOverrideRequest(account_id=account, override_id=override_id, end_time=at)
    response = client.call(BillingServiceStub(client.channel).EndPriceOverride, request)
    client.show(response, lambda: _told(response.price_override))


@price_command.command("list", examples=["tallygate price list acme"])
@click.argument("account")
@limit_option
@remote
def list_(client: Client, *, account: str, limit: int | None) -> None:
    """List an account's own prices, newest first, ended ones included."""
    request = wire.ListPriceOverridesRequest(account_id=account)
    stub = BillingServiceStub(client.channel)
    header = ("ID", "OF", "PRICE", "AMOUNT", "START", "END")
    field, empty = "price_overrides", "no own prices"
    client.show_list(
        stub.ListPriceOverrides, request, field=field, limit=limit, header=header, row=_row, empty=empty, most=_PAGE
    )


def _with_amount(client: Client, bundle: str, key: str, amount: str, *, add_on: bool) -> Price:
    """The catalogue's newest price with another amount; where there is none, one that the server refuses by name."""
    stub, request = CatalogServiceStub(client.channel), catalog_service_pb2.GetCatalogRequest()
    catalog = client.call(stub.GetCatalog, request).catalog
    items = catalog.add_ons if add_on else catalog.plans
    prices = items[bundle].prices if bundle in items else []
    found = Price(key=key)
    found.recurring.amount = amount
    for price in prices:
        if price.key == key:
            found.CopyFrom(price)
            kind = price.WhichOneof("charge") or "recurring"
            setattr(getattr(found, kind), _AMOUNT[kind], amount)
    return found


def _amount(price: Price) -> str:
    kind = price.WhichOneof("charge") or "recurring"
    return str(getattr(getattr(price, kind), _AMOUNT[kind])) or "tiers"


def _told(own: wire.PriceOverride) -> str:
    start, end = (optional_instant(own, field) for field in ("start_time", "end_time"))
    until = f" until {end}" if own.HasField("end_time") else ""
    what = f"{own.account_id}: {own.plan_key or own.add_on_key} {own.price.key} at {_amount(own.price)}"
    return f"{what} from {start}{until}, as {own.override_id}"


def _row(own: wire.PriceOverride) -> tuple[str, ...]:
    start, end = optional_instant(own, "start_time"), optional_instant(own, "end_time")
    return own.override_id, own.plan_key or own.add_on_key, own.price.key, _amount(own.price), start, end
