"""Stripe's library: what is asked of it, once and in bounded time, and its errors without their texts."""

import logging
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any

import stripe
from typing_extensions import override

from tallygate.billing.ports import NoAnswerError, StrangerError
from tallygate.gateways.asking import NO_TRAIL, Trail
from tallygate.gateways.stripe.answers import RefusedError

VERSION = "2026-10-28.endive"
"""The API's version that answers are read in, whatever the account's own is."""
Record = dict[str, Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Stripe with one key: `v1` is what can be asked."""

    v1: Any = field(repr=False)

    async def did(self, asked: Awaitable[Any]) -> Record:
        """An answer as a document.

        Raises:
            RefusedError: it was refused, and not done.
            StrangerError: the key is unknown, or may not do so.
            NoAnswerError: anything else: not even whether it was done is known.
        """
        answer: Record = (await _answered(asked)).to_dict()
        return answer

    async def all(self, first: Awaitable[Any]) -> AsyncIterator[Record]:
        """What a list has, page by page; raises as `did`."""
        page = await _answered(first)
        while True:
            for record in page.data:
                yield record.to_dict()
            if not page.has_more:
                return
            page = await _answered(page.next_page_async())


class _Http(stripe.HTTPXClient):  # type: ignore[misc] # its types are skipped, see pyproject.toml
    """The library's own way to send, which tells of the trace that a request belongs to."""

    def __init__(self, seconds: float, trail: Trail) -> None:
        super().__init__(timeout=seconds)
        self._trail = trail

    @override
    async def request_async(self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None) -> Any:
        """Send it."""
        return await super().request_async(method, url, {**headers, **self._trail.headers()}, post_data)


def connect(url: str, key: str, *, seconds: float, shared: dict[str, Any], trail: Trail = NO_TRAIL) -> Client:
    """The way to Stripe with a key; nothing is sent yet. Connections are `shared` by all keys: they cost more."""
    if "http" not in shared:
        shared["http"] = _Http(seconds, trail)
    client = stripe.StripeClient(
        key,
        stripe_version=VERSION,
        base_addresses={"api": url},
        http_client=shared["http"],
        max_network_retries=0,
    )
    return Client(v1=client.v1)


async def _answered(asked: Awaitable[Any]) -> Any:  # noqa: ANN401 - the library's objects
    """An answer; the library's own error texts, which may quote what was sent, go no further."""
    try:
        return await asked
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        body = error.json_body
        told = body.get("error") if isinstance(body, dict) else None
        raise RefusedError(told if isinstance(told, dict) else {}) from None
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        _log.warning("stripe: %s", type(error).__name__)
        raise StrangerError from None
    except stripe.StripeError as error:
        _log.warning("stripe: %s, HTTP %s", type(error).__name__, error.http_status or "none")
        raise NoAnswerError from None
