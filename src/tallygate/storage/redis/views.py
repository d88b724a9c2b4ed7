"""The published view and key table as the data plane reads them, over the hot link."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from tallygate.data_plane.ports import ViewVersions
from tallygate.domain.account import AccountRecord
from tallygate.domain.catalog import CatalogSnapshot
from tallygate.domain.credential import KeyRecord
from tallygate.domain.errors import StoreUnavailableError
from tallygate.storage.documents import ACCOUNT, KEY, SNAPSHOT
from tallygate.storage.redis import keys
from tallygate.storage.redis.link.cluster import AnyLink, ClusterLink
from tallygate.storage.redis.link.link import LinkError, ReplyError
from tallygate.storage.redis.link.vouching import known_token

T = TypeVar("T")

_log = logging.getLogger(__name__)


class RedisViews:
    """`ViewSource` and `KeySource` over the link."""

    def __init__(self, link: AnyLink, *, partitions: int) -> None:
        self._link = link
        self._scattered = isinstance(link, ClusterLink)
        self._partitions = partitions

    async def versions(self, tenant_id: str, account_id: str) -> ViewVersions:
        """What is newest now. The watermark is read before the versions, so these are at least as new."""
        return (await self.all_versions(tenant_id, (account_id,)))[0]

    async def all_versions(self, tenant_id: str, account_ids: Sequence[str]) -> Sequence[ViewVersions]:
        """The same for several accounts; accounts of one partition share the reading of its catalogue's version."""
        homes = [keys.partition_of(self._partitions, tenant_id, account_id) for account_id in account_ids]
        shared = list(dict.fromkeys(homes))
        commands: list[tuple[str, ...]] = [("GET", keys.applied(self._partitions, tenant_id))]
        commands += [("GET", keys.catalog_version(home, tenant_id)) for home in shared]
        commands += [
            ("HGET", keys.account(home, tenant_id, account_id), "v")
            for home, account_id in zip(homes, account_ids, strict=True)
            if account_id
        ]
        applied, *read = await self._replies(commands)
        catalogs, accounts = dict(zip(shared, read, strict=False)), iter(read[len(shared) :])
        return [
            ViewVersions(
                catalog=_number(catalogs[home]),
                account=_number(next(accounts)) if account_id else 0,
                applied=_number(applied),
            )
            for home, account_id in zip(homes, account_ids, strict=True)
        ]

    async def catalog(self, tenant_id: str) -> CatalogSnapshot | None:
        """The tenant's catalogue snapshot, or None where it has none."""
        return await self._document(keys.catalog(self._partitions, tenant_id), SNAPSHOT)

    async def newest(self, tenant_id: str, account_id: str) -> tuple[ViewVersions, AccountRecord | None]:
        """The account's record and what is newest; it is read after the watermark and before the catalogue's version.

        So the one is not ahead of it, and the other not behind the catalogue on which it rests.
        """
        home = keys.partition_of(self._partitions, tenant_id, account_id)
        key = keys.account(home, tenant_id, account_id)
        applied, fields, catalog = await self._replies(
            [
                ("GET", keys.applied(self._partitions, tenant_id)),
                ("HMGET", key, "v", "d"),
                ("GET", keys.catalog_version(home, tenant_id)),
            ]
        )
        if not isinstance(fields, list) or len(fields) != 2:  # noqa: PLR2004 - as many as were asked for
            raise _damaged(key, fields)
        version, document = fields
        if document is None:  # until all is published an account's absence is no answer, nor a catalogue's
            if catalog is None:
                raise StoreUnavailableError(missing="catalogue")
            version, document = await self._found(key, str(home), "account")
        versions = ViewVersions(catalog=_number(catalog), account=_number(version), applied=_number(applied))
        return versions, _validated(key, document, ACCOUNT)

    async def key(self, digest: str) -> KeyRecord | None:
        """The record of the key with this SHA-256 digest; None where all keys are published, and it is none of them."""
        name = keys.api_key(digest)
        found = await self._document(name, KEY)
        return found or _validated(name, (await self._found(name, keys.KEYS_TAG, "key table"))[1], KEY)

    async def table_version(self) -> int:
        """Raised with every change of any key; 0 until all of them are published, which is told first and last."""
        version, token = await self._replies([("GET", keys.KEY_TABLE_VERSION), ("GET", keys.PUBLISHED_TO)])
        return _number(version) if token is not None else 0

    async def _found(self, key: str, tag: str, what: str) -> tuple[bytes | None, bytes | None]:
        """Version and document of what was not found, looked for again where all is published, before and after.

        Raises:
            StoreUnavailableError: it may be missing because the server was emptied, or is an older copy of itself.
        """
        before = await self._published(tag)
        (fields,) = await self._replies([("HMGET", key, "v", "d")])
        if not isinstance(fields, list) or len(fields) != 2:  # noqa: PLR2004 - as many as were asked for
            raise _damaged(key, fields)
        version, document = fields
        if document is None and (not before or await self._published(tag) != before):
            raise StoreUnavailableError(missing=what)
        return version, document

    async def _published(self, tag: str) -> str:
        """By which token the server of this tag is known as the one to which everything was published; or nothing."""
        tag = tag if self._scattered else keys.KEYS_TAG
        call = next((call for call, tags in self._link.places() if tag in tags), None)
        if call is None:
            raise StoreUnavailableError(store="redis")
        try:
            return await known_token(call, tag, keys.published_to)
        except (LinkError, ReplyError) as error:
            raise StoreUnavailableError(store="redis") from error

    async def _document(self, key: str, adapter: TypeAdapter[T]) -> T | None:
        (document,) = await self._replies([("HGET", key, "d")])
        return _validated(key, document, adapter)

    async def _replies(self, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        """All in one round trip, in their order; of a cluster the first one before the others, which lie elsewhere."""
        first, others = (commands[:1], commands[1:]) if self._scattered else ((), commands)
        try:
            replies = [await self._link.call(*command) for command in first]
            return replies + await asyncio.gather(*(self._link.call(*command) for command in others))
        except (LinkError, ReplyError) as error:
            raise StoreUnavailableError(store="redis") from error


def _validated(key: str, document: object, adapter: TypeAdapter[T]) -> T | None:
    if document is None:
        return None
    if not isinstance(document, bytes):
        raise _damaged(key, document)
    try:
        return adapter.validate_json(document)
    except ValidationError as error:
        _log.error("a published document is damaged: %s: %s", key, error)
        raise StoreUnavailableError(damaged="view") from error


_VERSION = "version"


def _number(reply: object) -> int:
    """A version; a key that is not there has none.

    Raises:
        StoreUnavailableError: what came back is no number.
    """
    if reply is None:
        return 0
    if isinstance(reply, bytes) and reply.isdigit():
        return int(reply)
    raise _damaged(_VERSION, reply)


def _damaged(what: str, reply: object) -> StoreUnavailableError:
    _log.error("Redis answered what cannot be read: %s: %s", what, type(reply).__name__)
    return StoreUnavailableError(damaged="view")
