"""Quotes and comparisons of plans, wire to domain and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallygate.billing.comparisons import Compared, Comparison
from tallygate.billing.quotes import Buyer, Expected, Quote
from tallygate.billing.suggesting import Suggestion
from tallygate.control_plane.subscriptions import CreateSubscription
from tallygate.domain.billing.advance import Option
from tallygate.domain.billing.parties import Address
from tallygate.domain.errors import InvalidFieldError
from tallygate.server.wire.coupon import encode_option
from tallygate.server.wire.invoice import encode_invoice, encode_money
from tallygate.server.wire.scalars import (
    MAX_ENTRIES,
    counts,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a quote is asked for: the subscription that would be made, for whom, seats by feature (users: an empty key).

    And the usage that is expected, the coupons that are named, and how many periods are to be paid at once (0: none).
    """

    subscription: CreateSubscription
    buyer: Buyer
    quantities: Mapping[str, int]
    usage: Sequence[Expected]
    codes: Sequence[str] = ()
    length: int = 0


def decode_quote(request: wire.QuoteRequest) -> Asked:
    """What a quote is asked for."""
    if len(request.usage) > MAX_ENTRIES:
        raise InvalidFieldError(field="usage", expected=f"at most {MAX_ENTRIES} of them", got=len(request.usage))
    account_id = optional_identifier(request.account_id, "account_id")
    anybody = None if account_id else True
    subscription = CreateSubscription(
        account_id=account_id,
        plan_key=identifier(request.plan_key, "plan_key"),
        plan_version=optional_quantity(request, "plan_version", at_least=1),
        trial_days=optional_quantity(request, "trial_days", at_least=0),
        add_ons=[decode_choice(each, f"add_ons[{index}]") for index, each in enumerate(request.add_ons)],
        subscription_id=_QUOTED,
        chargeable=request.payment_method if request.HasField("payment_method") else anybody,
    )
    quantities = {**counts(request.seats, "seats"), "": quantity(request.users, "users", at_least=0)}
    place = Address(country=request.country, region=request.region)
    buyer = Buyer(account_id=subscription.account_id, place=place)
    return Asked(
        subscription=subscription,
        buyer=buyer,
        quantities=quantities,
        usage=[_expected(each, f"usage[{index}]") for index, each in enumerate(request.usage)],
        codes=[identifier(code, f"coupon_codes[{index}]") for index, code in enumerate(request.coupon_codes)],
        length=quantity(request.advance_length, "advance_length", at_least=0),
    )


def encode_quote(
    found: Quote, options: Sequence[Option], suggestion: Suggestion | None, currency: str
) -> wire.QuoteResponse:
    """What a plan would cost, the ways to pay it, and the one that costs least."""
    return wire.QuoteResponse(
        options=[encode_option(one, currency) for one in options],
        suggestion=None if suggestion is None else _suggestion(suggestion, currency),
        start_time=timestamp(found.start_time),
        plan_key=found.plan.plan_key if found.plan is not None else "",
        plan_version=found.plan.version if found.plan is not None else 0,
        trial_end_time=timestamp(found.trial_end_time),
        opening=[encode_invoice(each) for each in found.opening],
        following=[encode_invoice(each) for each in found.following],
        cut_time=timestamp(found.cut_time),
    )


def _suggestion(suggestion: Suggestion, currency: str) -> wire.QuoteSuggestion:
    return wire.QuoteSuggestion(
        advance_length=suggestion.best.length,
        coupon_codes=suggestion.best.codes,
        total=encode_money(suggestion.best.total, currency),
        explanation=suggestion.explanation,
    )


def encode_comparison(found: Comparison) -> wire.ComparePlansResponse:
    """What plans would have charged."""
    return wire.ComparePlansResponse(
        start_time=timestamp(found.period.end if found.period.is_instant else found.period.start),
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
