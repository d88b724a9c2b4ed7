"""The built-in gateway's own messenger: tells each event twice, the newest first, and again until it is taken in."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tallygate.domain.billing.payments import AttemptState
from tallygate.gateways.fake_events import HEADER
from tallygate.gateways.signed import signature
from tallygate.records.payments import FakeCharges, FakeEvent, FakeEvents

_AT_ONCE = 100
_TIMES = 2
_KEPT = 200
_WAITS = 2_000_000

Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]
"""Sends bytes with headers to a tenant's webhooks; answers the HTTP status, 0 where nobody answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeSender:
    """Sends what is due; `secret_of` says what a tenant's events are signed with, and `clock` is real time."""

    events: FakeEvents
    charges: FakeCharges
    secret_of: Callable[[str], Awaitable[str]]
    post: Post
    clock: Callable[[], int]

    async def send_due(self) -> int:
        """Send what is due; answers how many events were taken in."""
        due = await self.events.due(now=self.clock(), limit=_AT_ONCE)
        return sum([await self._tell(event) for event in due])

    async def _tell(self, event: FakeEvent) -> bool:
        charge = await self.charges.get(event.tenant_id, event.key)
        if charge is not None and charge.state is AttemptState.PENDING and event.state is not AttemptState.PENDING:
            await self.charges.settle(charge, event.state)  # now its payer acts, and then it is told
        body, secret = event.body.encode(), await self.secret_of(event.tenant_id)
        headers = {HEADER: signature(body, secret, now=self.clock()), "content-type": "application/json"}
        answers = [await self.post(event.tenant_id, body, headers) for _ in range(_TIMES)]
        heard = all(answer == _KEPT for answer in answers)
        await self.events.told(event, again=None if heard else self.clock() + _WAITS)
        return heard
