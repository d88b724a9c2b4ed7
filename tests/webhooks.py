"""A gateway's side of webhooks: signed bytes, sent over HTTP as another house would."""

import asyncio
import http.client
import json
import time

from tallygate.gateways.fake_events import HEADER
from tallygate.gateways.signed import signature

SECRET = "whsec_3fd1b0c4a7"
SECONDS = 30.0


def real_now():
    return int(time.time() * 1_000_000)  # noqa: TID251 - signatures live on real time


def charge_told(
    tenant_id, attempt, state, *, event_id, amount=None, charge_id=None, advice="", reason="", currency=None
):
    """What the built-in gateway tells of an attempt, as it stands on the wire."""
    units = attempt.amount.units * 100 + attempt.amount.nanos // 10_000_000
    charge = {
        "id": charge_id or f"ch_{attempt.attempt_id}",
        "attempt_id": attempt.attempt_id,
        "currency": currency or attempt.amount.currency_code,
        "amount": units if amount is None else amount,
        "advice": advice,
        "reason": reason,
        "next_action_url": "",
    }
    told = {"id": event_id, "type": f"charge.{state}", "time": real_now(), "tenant": tenant_id, "charge": charge}
    return json.dumps(told).encode()


def refund_told(tenant_id, refund, state, *, event_id, amount=None, reason=""):
    """What it tells of money that goes back."""
    units = refund.amount.units * 100 + refund.amount.nanos // 10_000_000
    told = {
        "id": f"re_{refund.refund_id}",
        "refund_id": refund.refund_id,
        "charge_id": f"ch_{refund.payment_id}",
        "currency": refund.amount.currency_code,
        "amount": units if amount is None else amount,
        "reason": reason,
    }
    told = {"tenant": tenant_id, "refund": told}
    return json.dumps({"id": event_id, "type": f"refund.{state}", "time": real_now(), **told}).encode()


def dispute_told(payment_id, state, *, event_id, amount, fee=None):
    """What it tells of a charge that its payer disputes."""
    told = {"id": "dp_1", "charge_id": f"ch_{payment_id}", "currency": "USD", "amount": amount, "reason": "fraud"}
    told |= {} if fee is None else {"fee": fee}
    return json.dumps({"id": event_id, "type": f"dispute.{state}", "time": real_now(), "dispute": told}).encode()


def signed(body, *, secret=SECRET, now=None):
    return {HEADER: signature(body, secret, now=real_now() if now is None else now)}


async def post(address, path, body, headers):
    """The HTTP status, and the text of the answer."""

    def ask():
        connection = http.client.HTTPConnection(address, timeout=SECONDS)
        try:
            connection.request("POST", path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    return await asyncio.to_thread(ask)
