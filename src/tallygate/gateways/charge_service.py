"""Apps that tell charges of their own: JSON by POST under the https address that their product names.

`v1/charge-limit` answers {"chargeLimit": "50.00"}, `v1/charges` {"currency": "USD", "charges": [{"chargeId": "sms",
"amount": "18.50", "description": "37 SMS"}]}. Amounts are text in major units.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from ssl import SSLContext, create_default_context
from urllib.parse import urlsplit

from tallygate.billing.charge_services import ChargesRequest
from tallygate.domain.billing.app_charges import ToldCharge, ToldCharges, limit_of
from tallygate.domain.instants import rfc3339
from tallygate.domain.product_errors import ChargesNotToldError
from tallygate.gateways.asking import NO_TRAIL, Trail

_MOST_BYTES = 64 * 1024
_MOST_TOLD = 100
_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpChargeServices:
    """Asks apps, each within `timeout` seconds; `authorities` is a PEM file, None: the system's."""

    timeout: float
    authorities: Path | None = None
    trail: Trail = NO_TRAIL

    async def limit(self, address: str, *, account_id: str, subscription_id: str, currency: str) -> int | None:
        """The most that an app will charge in a period."""
        asked = {"accountId": account_id, "subscriptionId": subscription_id or None, "currency": currency}
        told = await self._ask(address, "v1/charge-limit", asked)
        limit = told.get("chargeLimit") if isinstance(told, dict) else None
        return limit_of(limit, currency) if isinstance(limit, str) else None

    async def charges(self, address: str, request: ChargesRequest) -> ToldCharges | None:
        """What an app charges."""
        asked = {
            "accountId": request.account_id,
            "subscriptionId": request.subscription_id,
            "currency": request.currency,
            "periodStart": rfc3339(request.period_start),
            "periodEnd": rfc3339(request.period_end),
            "intent": request.intent.value,
        }
        return _charges(await self._ask(address, "v1/charges", asked))

    async def _ask(self, address: str, path: str, asked: Mapping[str, str | None]) -> object:
        """What it answers, None where that is no JSON."""
        try:
            with self.trail.asking("charge service"):
                async with asyncio.timeout(self.timeout):
                    return await asyncio.to_thread(self._post, address, path, asked)
        except (OSError, HTTPException) as error:  # a time-out is an OSError
            raise ChargesNotToldError(address=address, problem=type(error).__name__) from error

    def _post(self, address: str, path: str, asked: Mapping[str, str | None]) -> object:
        place = urlsplit(address)
        connection = HTTPSConnection(place.hostname or "", place.port, timeout=self.timeout, context=self._context())
        try:
            headers = {"Content-Type": "application/json", "Accept": "application/json", **self.trail.headers()}
            whole = f"{place.path.rstrip('/')}/{path}"
            connection.request("POST", whole, body=json.dumps(asked), headers=headers)
            with connection.getresponse() as response:  # who answers without a length is closed with the answer only
                if response.status not in _SUCCESS:
                    raise ChargesNotToldError(address=address, problem=f"status {response.status}")
                return _json(response.read(_MOST_BYTES + 1))
        finally:
            connection.close()

    def _context(self) -> SSLContext:
        return create_default_context(cafile=None if self.authorities is None else str(self.authorities))


def _json(body: bytes) -> object:
    try:
        return json.loads(body) if len(body) <= _MOST_BYTES else None
    except ValueError:
        return None


def _charges(told: object) -> ToldCharges | None:
    """What cannot be read as charges at all is None; what is wrong with one of them is the rules' to say."""
    listed = told.get("charges") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(listed, list) or len(listed) > _MOST_TOLD:
        return None
    if any(not isinstance(each, dict) for each in listed):
        return None
    charges = [
        ToldCharge(
            charge_id=_text(each.get("chargeId")),
            amount=_text(each.get("amount")),
            text=_text(each.get("description")),
        )
        for each in listed
    ]
    return ToldCharges(charges=tuple(charges), currency=_text(told.get("currency")))


def _text(value: object) -> str:
    """A number is no amount: what it was written as is not known."""
    return value if isinstance(value, str) else ""
