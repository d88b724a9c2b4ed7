"""What the built-in gateway tells by itself: a JSON document and a signature in the header `fake-signature`."""

import json
from collections.abc import Mapping
from typing import Any

from tallygate.billing.ports import UnverifiedEventError
from tallygate.domain.billing.gateway_events import ChargeNews, GatewayEvent
from tallygate.domain.billing.payments import Advice, AttemptState, Outcome
from tallygate.gateways.signed import verify

HEADER = "fake-signature"
SECRET = "webhook_secret"  # noqa: S105 - the name of one


def charge_event(event_id: str, *, time: int, news: ChargeNews) -> bytes:
    """The bytes that tell what became of a charge."""
    outcome = news.outcome
    told: dict[str, Any] = {
        "id": event_id,
        "type": f"charge.{outcome.state.value}",
        "time": time,
        "charge": {
            "id": outcome.gateway_id,
            "attempt_id": news.attempt_id,
            "currency": news.currency,
            "amount": news.amount,
            "advice": outcome.advice.value if outcome.advice is not None else "",
            "reason": outcome.reason,
            "next_action_url": outcome.next_action_url,
        },
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def read(raw: bytes, headers: Mapping[str, str], secret: str, *, now: int) -> GatewayEvent:
    """An event that the built-in gateway has signed.

    Raises:
        UnverifiedEventError: it has not, or not lately.
    """
    verify(raw, headers.get(HEADER, ""), secret, now=now)
    try:
        told = json.loads(raw)
        return GatewayEvent(event_id=told["id"], kind=told["type"], time=told["time"], news=_news(told))
    except (ValueError, KeyError, TypeError) as error:
        raise UnverifiedEventError from error


def _news(told: dict[str, Any]) -> ChargeNews | None:
    of, _, state = told["type"].partition(".")
    if of != "charge":
        return None
    charge = told["charge"]
    return ChargeNews(
        attempt_id=charge["attempt_id"],
        currency=charge["currency"],
        amount=charge["amount"],
        outcome=Outcome(
            state=AttemptState(state),
            gateway_id=charge["id"],
            advice=Advice(charge["advice"]) if charge["advice"] else None,
            reason=charge["reason"],
            next_action_url=charge["next_action_url"],
        ),
    )
