"""Whose call it is: a bounded cache of API keys over the key table, revalidated by the table's version.

A revoked key is refused within a poll's interval. While the table cannot be read, keys that were met before last for
`max_staleness`, and far longer for what is answered by failure policies: those promise to hold as long as an outage.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from cachetools import LRUCache, TTLCache

from tallygate.data_plane.ports import Clock, KeySource, Sleep
from tallygate.domain.credential import KeyRecord, is_well_formed, key_digest
from tallygate.domain.errors import StoreUnavailableError, TallygateError, UnauthenticatedError
from tallygate.domain.key_errors import KeyExpiredError, KeyRevokedError
from tallygate.domain.recent import Recent
from tallygate.server.calls.certified import Certified

POLL_SECONDS = 1.0
_SCHEME = "bearer "
_AT_ONCE = 100
_UNKNOWN_SECONDS = 1.0
_EXPECTED = "authorization: Bearer tg_..."

OpenTestTenant = Callable[[str], Awaitable[KeyRecord]]
"""Opens a fresh test tenant for this unknown key, and answers the key's record."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationOptions:
    """`max_staleness` and `outage` in seconds; `listener_key` is what callers without a key act as, or empty.

    `outage` is how long a key that was valid when the table went away serves what needs no more than that.
    """

    max_staleness: float = 5.0
    outage: float = 86_400.0
    cached_keys: int = 10_000
    listener_key: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    record: KeyRecord
    read_time: float


class Authenticator:
    """Finds the record of a call's key. `steady` measures staleness, `clock` says what has expired."""

    def __init__(
        self,
        keys: KeySource,
        *,
        clock: Clock,
        options: AuthenticationOptions,
        open_test_tenant: OpenTestTenant | None = None,
        certified: Certified | None = None,
        steady: Callable[[], float] = monotonic,
    ) -> None:
        self.certified = certified
        self._keys = keys
        self._clock = clock
        self._options = options
        self._open_test_tenant = open_test_tenant
        self._steady = steady
        self._default: str | None = None
        self.use_listener_key(options.listener_key)
        self._known: LRUCache[str, _Entry] = LRUCache(options.cached_keys)
        self._unknown: TTLCache[str, None] = TTLCache(options.cached_keys, _UNKNOWN_SECONDS, timer=steady)
        self._reading: dict[str, asyncio.Task[KeyRecord]] = {}
        self._by_header: Recent[str, _Entry] = Recent(options.cached_keys)
        self._version: int | None = None
        self._verified = float("-inf")

    def use_listener_key(self, key: str) -> None:
        """Callers without a key act as this one from now on; empty: they have none."""
        self._default = f"Bearer {key}" if key else None

    def known(self, authorization: str | None) -> KeyRecord | None:
        """The record of a key that was met before and need not be looked at again; None sends to `authenticate`."""
        if self.certified is not None and (shown := self.certified.read(authorization)) is not None:
            return self.certified.record(shown.name) if shown.authorization is None else None
        header = authorization or self._default
        entry = self._by_header.get(header) if header is not None else None
        if entry is None or not self._is_known(entry, self._options.max_staleness):
            return None
        record = entry.record
        if record.revoke_time is None and record.expire_time is None:
            return record
        ends = min(at for at in (record.revoke_time, record.expire_time) if at is not None)
        return record if self._clock() < ends else None

    async def authenticate(self, authorization: str | None, *, in_outage: bool = False) -> KeyRecord:
        """The record of the key in this metadata value; None where the call brings no such metadata.

        `in_outage` takes a key that was valid when the table could last be read, if it cannot be read now.

        Raises:
            UnauthenticatedError: there is no key, or it is malformed, unknown, expired or revoked.
            CertificateMismatchError: its caller's certificate is for another tenant.
            StoreUnavailableError: it is not known well enough, and the key table cannot be read.
        """
        if self.certified is not None and (shown := self.certified.read(authorization)) is not None:
            if shown.authorization is None:  # its grant is gone since
                raise UnauthenticatedError(expected=_EXPECTED)
            return self.certified.both(await self.authenticate(shown.authorization, in_outage=in_outage), shown.name)
        key = _bearer(authorization or self._default)
        digest = key_digest(key)
        entry = self._known.get(digest)
        if entry is not None and self._is_known(entry, self._options.max_staleness):
            self._remember(authorization or self._default, entry)
            return self._valid(entry.record)
        if entry is None and (digest in self._unknown or not is_well_formed(key)):
            raise UnauthenticatedError(expected=_EXPECTED)
        try:
            return self._valid(await self._read_once(digest, key))
        except StoreUnavailableError:
            if in_outage and entry is not None and self._is_known(entry, self._options.outage):
                return self._valid(entry.record)
            raise

    async def refresh(self) -> None:
        """Compare the key table's version with the cache's; after a change every key in it is read again."""
        started = self._steady()
        version = await self._keys.table_version()
        if not version:
            return  # emptied, or never filled: it says nothing about any key
        if version != self._version:
            known = list(self._known)
            self.on_change()
            self._version = version
            await self._read_again(known)
        self._verified = started
        await self._meet_default()

    async def run(self, sleep: Sleep) -> None:
        """Until cancelled: refresh every second, whatever fails."""
        while True:
            try:
                await self.refresh()
            except TallygateError as error:
                _log.warning("the key table cannot be read: %s", error)
            await sleep(POLL_SECONDS)

    def on_change(self) -> None:
        """The key table changed: read every key again."""
        self._version = None
        self._by_header.clear()
        self._known.clear()
        self._unknown.clear()
        self._reading.clear()

    async def _read_again(self, digests: Sequence[str]) -> None:
        """Know again what was known: an outage may begin before its callers come back."""
        for start in range(0, len(digests), _AT_ONCE):
            readings = [self._read_once(digest) for digest in digests[start : start + _AT_ONCE]]
            for outcome in await asyncio.gather(*readings, return_exceptions=True):
                if isinstance(outcome, BaseException) and not isinstance(outcome, UnauthenticatedError):
                    raise outcome

    async def _meet_default(self) -> None:
        """Know the listener's own key before its first caller comes."""
        if self._default is None or key_digest(_bearer(self._default)) in self._known:
            return
        with suppress(TallygateError):  # whoever calls is told
            await self.authenticate(None)

    def _remember(self, header: str | None, entry: _Entry) -> None:
        if header is not None:
            self._by_header.put(header, entry)

    def _is_known(self, entry: _Entry, seconds: float) -> bool:
        """Whether the key was known to be as it is no longer ago than that."""
        since = self._steady() - seconds
        return self._verified >= since or entry.read_time >= since

    def _valid(self, record: KeyRecord) -> KeyRecord:
        if record.revoke_time is None and record.expire_time is None:
            return record
        now = self._clock()
        if record.revoke_time is not None and record.revoke_time <= now:
            raise KeyRevokedError(key_id=record.key_id)
        if record.expire_time is not None and record.expire_time <= now:
            raise KeyExpiredError(key_id=record.key_id)
        return record

    async def _read_once(self, digest: str, key: str = "") -> KeyRecord:
        """Read the key; callers that arrive together share one reading, which none of them can cancel."""
        task = self._reading.get(digest)
        if task is None:
            task = asyncio.create_task(self._read(digest, key))
            self._reading[digest] = task
            task.add_done_callback(lambda done: self._done(digest, done))
        return await asyncio.shield(task)

    def _done(self, digest: str, task: asyncio.Task[KeyRecord]) -> None:
        if self._reading.get(digest) is task:
            del self._reading[digest]
        if not task.cancelled():
            task.exception()  # retrieved: who waited for it was told, or is gone

    async def _read(self, digest: str, key: str) -> KeyRecord:
        started, mine = self._steady(), asyncio.current_task()
        record = await self._keys.key(digest)
        if record is None and key and self._open_test_tenant is not None:
            record = await self._open_test_tenant(key)
        if record is None and not await self._keys.table_version():
            raise StoreUnavailableError(missing="key table")  # emptied or never filled: absence from it says nothing
        current = self._reading.get(digest) is mine  # a change since then has dropped this reading: keep nothing of it
        if record is None:
            if current:
                self._unknown[digest] = None
            raise UnauthenticatedError(expected=_EXPECTED)
        if current:
            self._known[digest] = _Entry(record, started)
        return record


def _bearer(authorization: str | None) -> str:
    if authorization is None or authorization[: len(_SCHEME)].lower() != _SCHEME:
        raise UnauthenticatedError(expected=_EXPECTED)
    return authorization[len(_SCHEME) :].strip()
