"""The options that say how a change is charged, and when it is invoiced."""

from collections.abc import Callable
from typing import Any

import click

from tallygate_api.v1 import subscription_pb2
from tallygate_api.v1 import subscription_service_pb2 as wire

PRORATION = {
    "prorate": subscription_pb2.CHANGE_PRORATION_PRORATE,
    "none": subscription_pb2.CHANGE_PRORATION_NONE,
}
INVOICE = {"next": wire.CHANGE_INVOICE_NEXT, "now": wire.CHANGE_INVOICE_NOW}


def charge_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--proration` and `--invoice`."""
    none = "none: nothing is credited or charged before the invoice period ends."
    proration = click.Choice(list(PRORATION))
    at_once = "now: on an invoice of its own, at once."
    invoice = click.Choice(list(INVOICE))
    function = click.option("--invoice", type=invoice, default="next", show_default=True, help=at_once)(function)
    return click.option("--proration", type=proration, default="prorate", show_default=True, help=none)(function)
