"""The options that say how a change is charged, and when it is invoiced."""

from collections.abc import Callable
from typing import Any

import click

from tallygate_api.v1 import subscription_pb2
from tallygate_api.v1 import subscription_service_pb2 as wire

_PRORATION = {
    "prorate": subscription_pb2.CHANGE_PRORATION_PRORATE,
    "none": subscription_pb2.CHANGE_PRORATION_NONE,
}
_INVOICE = {"next": wire.CHANGE_INVOICE_NEXT, "now": wire.CHANGE_INVOICE_NOW}


def charge_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--proration` and `--invoice`."""
    none = "none: nothing is credited or charged before the invoice period ends."
    proration = click.Choice(list(_PRORATION))
    at_once = "now: on an invoice of its own, at once."
    invoice = click.Choice(list(_INVOICE))
    function = click.option("--invoice", type=invoice, help=f"Default: next; {at_once}")(function)
    return click.option("--proration", type=proration, help=f"Default: prorate; {none}")(function)


def charged_by(proration: str | None, invoice: str | None) -> dict[str, Any]:
    """What a request says of it: nothing where nothing was chosen, as keys of accounts may not say more."""
    return {
        "proration": _PRORATION[proration] if proration is not None else None,
        "invoice": _INVOICE[invoice] if invoice is not None else None,
    }
