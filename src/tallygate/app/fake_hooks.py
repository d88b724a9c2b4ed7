"""The built-in gateway tells this process's own listener what happened, over HTTP as another house would."""

import asyncio
import http.client
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.app import clock
from tallygate.billing.gateways import FAKE, Gateways
from tallygate.domain.errors import TallygateError, UnavailableError
from tallygate.gateways.fake_events import SECRET
from tallygate.gateways.fake_sender import FakeSender
from tallygate.records.transactions import Transactions
from tallygate.storage.sql.billing.fake_charges import SqlFakeCharges
from tallygate.storage.sql.billing.fake_events import SqlFakeEvents

_SECONDS = 5.0
_PAUSE_SECONDS = 0.5


@dataclass(slots=True, kw_only=True)
class FakeHooks:
    """Sends while there is a listener without TLS; `address` is where."""

    engine: AsyncEngine
    transactions: Transactions
    gateways: Gateways
    address: str = ""

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Send for ever; an outage is waited for."""
        sender = FakeSender(
            events=SqlFakeEvents(engine=self.engine),
            charges=SqlFakeCharges(engine=self.engine),
            secret_of=self._secret,
            post=self._post,
            clock=clock.now,
        )
        while True:
            if self.address:
                with suppress(UnavailableError):  # the database's own watch complains
                    await sender.send_due()
            await sleep(_PAUSE_SECONDS)

    async def _secret(self, tenant_id: str) -> str:
        try:
            used = await self.transactions.read(tenant_id, lambda work, _: work.payments.gateways(), now=clock.now())
            found = next(gateway for gateway in used if gateway.name == FAKE)
            return self.gateways.credentials(tenant_id, found).get(SECRET)
        except (TallygateError, StopIteration):
            return ""

    async def _post(self, tenant_id: str, body: bytes, headers: Mapping[str, str]) -> int:
        path = f"/gateways/{quote(tenant_id, safe='')}/{FAKE}"
        return await asyncio.to_thread(_posted, self.address, path, body, dict(headers))


def _posted(address: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(address, timeout=_SECONDS)
    try:
        connection.request("POST", path, body=body, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
