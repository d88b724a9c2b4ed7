"""Decisions as sentences: what was decided, the limit behind it, and what would change it."""

from collections.abc import Iterator

from tallygate.cli.output import enum_name, instant, number, span
from tallygate_api.v1.decision_pb2 import Decision, PotKind, Reason, UnblockKind
from tallygate_api.v1.entitlement_service_pb2 import LimitStatus, RateLimitResponse

_REPLAYED = "counted before under this request_id"
_NO_RIGHT = {
    Reason.REASON_ACCOUNT_NOT_FOUND: "there is no such account",
    Reason.REASON_NO_SUBSCRIPTION: "the account has no subscription",
    Reason.REASON_SUBSCRIPTION_EXPIRED: "the subscription has ended",
    Reason.REASON_SUSPENDED: "the subscription is suspended",
}
_ABOUT_FEATURE = {
    Reason.REASON_NOT_IN_PLAN: "{feature} is not in the plan",
    Reason.REASON_VALUE_NOT_GRANTED: "{feature} grants {value}, which is not what was asked for",
    Reason.REASON_SEAT_NOT_ASSIGNED: "the user holds no seat of {feature}",
    Reason.REASON_REFUND_EXCEEDS_USAGE: "the refund exceeds the {used} {feature} used",
    Reason.REASON_STORE_UNAVAILABLE: "by the failure policy: the store could not be asked and nothing was counted",
}
_UNBLOCK = {
    UnblockKind.UNBLOCK_KIND_ADD_ON: "add-on {key}",
    UnblockKind.UNBLOCK_KIND_UPGRADE: "plan {key}",
    UnblockKind.UNBLOCK_KIND_SEAT: "a seat of {key}",
    UnblockKind.UNBLOCK_KIND_TOP_UP: "a grant of {key}",
}


def decision_phrase(decision: Decision, *, taken: bool = False) -> str:
    """A decision in one sentence; `taken` says that it answers a request to take, not a question."""
    parts = [*_facts(decision, taken=taken), *_outlook(decision)]
    if decision.replayed:
        parts.append(_REPLAYED)
    return f"{'allowed' if decision.allowed else 'denied'}: {'; '.join(parts)}"


def _facts(decision: Decision, *, taken: bool) -> Iterator[str]:
    if taken and decision.allowed and decision.granted_quantity:
        yield _granted(decision)
    if decision.reason in _NO_RIGHT:
        yield _NO_RIGHT[decision.reason]
    elif decision.reason in _ABOUT_FEATURE:
        facts = {"feature": decision.feature_key, "value": _value(decision), "used": number(decision.used)}
        yield _ABOUT_FEATURE[decision.reason].format(**facts)
    elif decision.reason == Reason.REASON_ENTITLED:
        held = decision.HasField("value")
        yield (
            f"{decision.feature_key} is {_value(decision)}"
            if held
            else f"the user holds a seat of {decision.feature_key}"
        )
    else:
        yield _count(decision)


def _granted(decision: Decision) -> str:
    verb, quantity = ("took", decision.granted_quantity)
    if quantity < 0:
        verb, quantity = "gave back", -quantity
    over = sum(pot.quantity for pot in decision.pots if pot.kind == PotKind.POT_KIND_OVERAGE)
    return f"{verb} {number(quantity)}" + (f", {number(over)} of it as overage" if over > 0 else "")


def _count(decision: Decision) -> str:
    if not decision.HasField("limit"):
        return f"{number(decision.used)} {decision.feature_key} used, without limit"
    text = f"{number(decision.used)} of {number(decision.limit)} {decision.feature_key} used"
    if decision.allowed and decision.reason == Reason.REASON_WITHIN_LIMIT:
        return f"{text}, {number(decision.remaining)} left"
    if decision.HasField("hard_limit"):
        text += f", overage ends at {number(decision.hard_limit)}"
    if decision.HasField("shortfall"):
        return f"{text}, {number(decision.shortfall)} missing"
    enough = decision.allowed or not decision.remaining
    return text if enough else f"{text}, and {number(decision.remaining)} left is not enough"


def _value(decision: Decision) -> str:
    match decision.value.WhichOneof("value"):
        case "bool_value":
            return "on" if decision.value.bool_value else "off"
        case "number_value":
            return number(decision.value.number_value)
        case "text_value":
            return repr(decision.value.text_value)
        case "list_value":
            return ", ".join(decision.value.list_value.values)
        case _:
            return "unlimited" if decision.unlimited else "nothing"


def _outlook(decision: Decision) -> Iterator[str]:
    if decision.HasField("reset_time"):
        yield f"resets {instant(decision.reset_time)}"
    if not decision.allowed and decision.HasField("retry_after") and not decision.HasField("reset_time"):
        yield f"try again in {span(decision.retry_after)}"
    options = [_UNBLOCK[option.kind].format(key=option.key) for option in decision.unblock_options]
    if options:
        either = " or ".join(part for part in (", ".join(options[:-1]), options[-1]) if part)
        yield f"{either} would allow it"


def decision_row(decision: Decision) -> tuple[str, str, str, str]:
    """A decision as a row: feature, answer, state, and when its count starts anew."""
    limit = number(decision.limit) if decision.HasField("limit") else "no limit"
    state = _value(decision) if decision.HasField("value") else f"{number(decision.used)} of {limit}"
    if decision.reason == Reason.REASON_NOT_IN_PLAN:
        state = "not in the plan"
    reset = instant(decision.reset_time) if decision.HasField("reset_time") else "-"
    return decision.feature_key, "yes" if decision.allowed else "no", state, reset


def rate_phrase(response: RateLimitResponse) -> str:
    """The answer of RateLimit in one sentence."""
    answer = "allowed" if response.allowed else "denied"
    parts = list(_rate_facts(response))
    if response.replayed:
        parts.append(_REPLAYED)
    return f"{answer}: {'; '.join(parts)}"


def _rate_facts(response: RateLimitResponse) -> Iterator[str]:
    binding = next((s for s in response.statuses if s.limit_key == response.binding_limit_key), None)
    if response.reason in _NO_RIGHT:
        yield _NO_RIGHT[response.reason]
    elif response.reason == Reason.REASON_STORE_UNAVAILABLE:
        yield "by the failure policy: the store could not be asked and nothing was counted"
    elif binding is None:
        yield "no rate limit matches" if response.allowed else enum_name(response, "reason").replace("_", " ")
    else:
        yield f"{number(binding.remaining)} left of {rate_rule(binding)}"
        if response.HasField("retry_after"):
            yield f"try again in {span(response.retry_after)}"


def rate_rule(status: LimitStatus) -> str:
    """A limit and its figures, as `api_rps (5 per 1 s)`."""
    burst = f", burst {number(status.burst)}" if status.HasField("burst") and status.burst != status.limit else ""
    return f"{status.limit_key} ({number(status.limit)} per {span(status.window)}{burst})"
