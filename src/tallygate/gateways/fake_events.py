"""What the built-in gateway tells by itself: a JSON document and a signature in the header `fake-signature`."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tallygate.billing.ports import UnverifiedEventError
from tallygate.domain.billing.gateway_events import ChargeNews, DisputeNews, DisputeState, GatewayEvent, RefundNews
from tallygate.domain.billing.payments import Advice, AttemptState, Outcome
from tallygate.gateways.signed import verify
from tallygate.records.payments import FakeCharge, FakeEvent, FakeEvents

HEADER = "fake-signature"
SECRET = "webhook_secret"  # noqa: S105 - the name of one
_DECIDED_AFTER = 3_000_000


def charge_event(event_id: str, *, tenant_id: str, time: int, news: ChargeNews) -> bytes:
    """The bytes that tell what became of a charge."""
    outcome = news.outcome
    told: dict[str, Any] = {
        "id": event_id,
        "type": f"charge.{outcome.state.value}",
        "time": time,
        "tenant": tenant_id,
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


def dispute_event(event_id: str, *, tenant_id: str, time: int, news: DisputeNews) -> bytes:
    """The bytes that tell where a dispute stands."""
    dispute = {
        "id": news.dispute_id,
        "charge_id": news.charge_id,
        "currency": news.currency,
        "amount": news.amount,
        "reason": news.reason,
    }
    told = {"id": event_id, "type": f"dispute.{news.state.value}", "time": time, "tenant": tenant_id}
    return json.dumps(told | {"dispute": dispute}, sort_keys=True, separators=(",", ":")).encode()


def read(raw: bytes, headers: Mapping[str, str], secret: str, *, tenant_id: str, now: int) -> GatewayEvent:
    """An event that the built-in gateway has signed.

    Raises:
        UnverifiedEventError: it has not, or not lately.
    """
    verify(raw, headers.get(HEADER, ""), secret, now=now)
    try:
        told = json.loads(raw)
        return GatewayEvent(event_id=told["id"], kind=told["type"], time=told["time"], news=_news(told, tenant_id))
    except (ValueError, KeyError, TypeError) as error:
        raise UnverifiedEventError from error


def _news(told: dict[str, Any], tenant_id: str) -> ChargeNews | RefundNews | DisputeNews | None:
    of, _, state = told["type"].partition(".")
    if of in {"charge", "refund"} and told["tenant"] != tenant_id:
        return None
    match of:
        case "charge":
            charge = told["charge"]
            return ChargeNews(attempt_id=charge["attempt_id"], **_amount(charge), outcome=_outcome(charge, state))
        case "refund":
            refund = told["refund"]
            ids = {"refund_id": refund["refund_id"], "charge_id": refund["charge_id"]}
            return RefundNews(**ids, **_amount(refund), outcome=_outcome(refund, state))
        case "dispute":
            dispute = told["dispute"]
            ids = {"dispute_id": dispute["id"], "charge_id": dispute["charge_id"]}
            more = {"fee": dispute.get("fee"), "reason": dispute.get("reason", "")}
            return DisputeNews(**ids, **_amount(dispute), state=DisputeState(state), **more)
        case _:
            return None


def _amount(told: dict[str, Any]) -> dict[str, Any]:
    return {"currency": told["currency"], "amount": told["amount"]}


def _outcome(told: dict[str, Any], state: str) -> Outcome:
    advice = told.get("advice", "")
    return Outcome(
        state=AttemptState(state),
        gateway_id=told["id"],
        advice=Advice(advice) if advice else None,
        reason=told.get("reason", ""),
        next_action_url=told.get("next_action_url", ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeTeller:
    """Notes what is to be told; `clock` is real time."""

    events: FakeEvents
    clock: Callable[[], int]

    async def tell(self, charge: FakeCharge, outcome: Callable[[FakeCharge], Outcome], *, waits: int) -> None:
        """What became of a charge, and what will once its payer has acted, so many seconds from now."""
        if charge.state is AttemptState.UNKNOWN:
            return
        now = self.clock()
        told = [self._event(charge, outcome, due_time=now)]
        if charge.state is AttemptState.PENDING and waits:
            decided = replace(charge, state=AttemptState.SUCCEEDED)
            told.append(self._event(decided, outcome, due_time=now + waits * 1_000_000))
        await self.events.add(told)

    async def tell_disputes(self, charge: FakeCharge, disputes: Sequence[DisputeNews]) -> None:
        """That its holder disputes a charge, and what was decided about it later."""
        now = self.clock()
        await self.events.add(
            [
                self._disputed(charge, news, due_time=now + number * _DECIDED_AFTER)
                for number, news in enumerate(disputes)
            ]
        )

    @staticmethod
    def _disputed(charge: FakeCharge, news: DisputeNews, *, due_time: int) -> FakeEvent:
        event_id = f"ev_{charge.key}_dispute_{news.state.value}"
        body = dispute_event(event_id, tenant_id=charge.tenant_id, time=charge.create_time, news=news).decode()
        return FakeEvent(
            tenant_id=charge.tenant_id,
            event_id=event_id,
            key=charge.key,
            state=charge.state,
            body=body,
            due_time=due_time,
        )

    @staticmethod
    def _event(charge: FakeCharge, outcome: Callable[[FakeCharge], Outcome], *, due_time: int) -> FakeEvent:
        event_id = f"ev_{charge.key}_{charge.state.value}"
        news = ChargeNews(
            attempt_id=charge.key, currency=charge.currency, amount=charge.amount, outcome=outcome(charge)
        )
        body = charge_event(event_id, tenant_id=charge.tenant_id, time=charge.create_time, news=news).decode()
        return FakeEvent(
            tenant_id=charge.tenant_id,
            event_id=event_id,
            key=charge.key,
            state=charge.state,
            body=body,
            due_time=due_time,
        )
