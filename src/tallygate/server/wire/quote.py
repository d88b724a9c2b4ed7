"""Quotes and comparisons of plans, wire to domain and back."""

from collections.abc import Mapping

from tallygate.billing.comparisons import Compared, Comparison
from tallygate.billing.quotes import Buyer, Expected, Quote
from tallygate.control_plane.subscriptions import CreateSubscription
from tallygate.domain.billing.parties import Address
from tallygate.domain.errors import InvalidFieldError
from tallygate.server.wire.invoice import encode_invoice
from tallygate.server.wire.scalars import (
    MAX_ENTRIES,
    entries,
    identifier,
    optional_identifier,
    optional_quantity,
    quantity,
    timestamp,
)
from tallygate.server.wire.subscription import decode_choice
from tallygate_api.v1 import pricing_service_pb2 as wire

_QUOTED = "sub_quoted"
"""The id of a subscription that is not there."""


def decode_quote(request: wire.QuoteRequest) -> tuple[CreateSubscription, Buyer, Mapping[str, int], list[Expected]]:
    """The subscription that would be made, for whom, seats by feature (users: an empty key), and expected usage."""
    if len(request.usage) > MAX_ENTRIES:
        raise InvalidFieldError(field="usage", expected=f"at most {MAX_ENTRIES} of them", got=len(request.usage))
    if len(request.seats) > MAX_ENTRIES:
        raise InvalidFieldError(field="seats", expected=f"at most {MAX_ENTRIES} of them", got=len(request.seats))
    subscription = CreateSubscription(
        account_id=optional_identifier(request.account_id, "account_id"),
        plan_key=identifier(request.plan_key, "plan_key"),
        plan_version=optional_quantity(request, "plan_version", at_least=1),
        trial_days=optional_quantity(request, "trial_days", at_least=0),
        add_ons=[decode_choice(each, f"add_ons[{index}]") for index, each in enumerate(request.add_ons)],
        subscription_id=_QUOTED,
    )
    quantities = {
        identifier(key, "seats (key)"): quantity(n, f"seats[{key}]", at_least=0)
        for key, n in sorted(request.seats.items())
    }
    quantities[""] = quantity(request.users, "users", at_least=0)
    place = Address(country=request.country, region=request.region)
    buyer = Buyer(account_id=subscription.account_id, place=place)
    return (
        subscription,
        buyer,
        quantities,
        [_expected(each, f"usage[{index}]") for index, each in enumerate(request.usage)],
    )


def encode_quote(found: Quote) -> wire.QuoteResponse:
    """What a plan would cost."""
    return wire.QuoteResponse(
        start_time=timestamp(found.start_time),
        opening=[encode_invoice(each) for each in found.opening],
        following=[encode_invoice(each) for each in found.following],
        cut_time=timestamp(found.cut_time),
    )


def encode_comparison(found: Comparison) -> wire.ComparePlansResponse:
    """What plans would have charged."""
    return wire.ComparePlansResponse(
        start_time=timestamp(found.period.start),
        end_time=timestamp(found.period.end),
        plans=[_compared(each) for each in found.plans],
    )


def _expected(usage: wire.ExpectedUsage, path: str) -> Expected:
    events = optional_quantity(usage, "events", at_least=1, path=path)
    return Expected(
        feature_key=identifier(usage.feature_key, f"{path}.feature_key"),
        quantity=quantity(usage.quantity, f"{path}.quantity", at_least=0),
        events=1 if events is None else events,
        dimensions=entries(usage.dimensions, f"{path}.dimensions"),
    )


def _compared(found: Compared) -> wire.PlanComparison:
    return wire.PlanComparison(
        plan_key=found.plan.plan_key,
        plan_version=found.plan.version,
        name=found.plan.name,
        current=found.current,
        invoices=[encode_invoice(each) for each in found.documents],
        exceeded_features=found.exceeded,
    )
