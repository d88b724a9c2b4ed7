"""Publishes the view and the key table over redis-py; an older version never replaces a newer.

On one server a catalogue and its version in every partition change in one transaction, so no call sees half of it. In a
cluster the catalogue comes first: whoever meets its version finds it.
"""

import uuid
from collections.abc import Sequence
from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from tallygate.domain.account import AccountRecord
from tallygate.domain.catalog import CatalogSnapshot
from tallygate.records.values import Change, StoredKey
from tallygate.storage.documents import ACCOUNT, KEY, SNAPSHOT
from tallygate.storage.redis import keys
from tallygate.storage.redis.announcement_codec import change_announcement
from tallygate.storage.redis.client import reaching
from tallygate.storage.redis.cluster_client import ClusterRedis
from tallygate.storage.redis.link.errors import ReplyError
from tallygate.storage.redis.link.vouching import Places, are_known, begin_publishing, end_publishing

_PUBLISH = files("tallygate.storage.redis").joinpath("scripts/publish.lua").read_text("utf-8")
_SHA = sha1(_PUBLISH.encode(), usedforsecurity=False).hexdigest()
_AT_ONCE = 100


class RedisPublisher:
    """`ViewPublisher` and `KeyPublisher` over a Redis or Valkey server, or a cluster of them."""

    def __init__(self, redis: Redis, *, partitions: int) -> None:
        self._redis = redis
        self._partitions = partitions
        self._scattered = isinstance(redis, ClusterRedis)

    async def publish_catalog(self, snapshot: CatalogSnapshot) -> None:
        """Publish a tenant's catalogue, and its version in every partition."""
        tenant_id, version = snapshot.tenant_id, snapshot.version
        calls: list[tuple[Any, ...]] = [
            (1, keys.catalog_version(partition, tenant_id), version) for partition in range(self._partitions)
        ]
        document = SNAPSHOT.dump_json(snapshot, exclude_defaults=True)
        catalog = (1, keys.catalog(self._partitions, tenant_id), version, document)
        if self._scattered:
            await self._publish([catalog])
            await self._publish(calls)
        else:
            await self._publish([*calls, catalog], atomically=True)

    async def publish_accounts(self, records: Sequence[AccountRecord]) -> None:
        """Publish account records, each atomically."""
        calls: list[tuple[Any, ...]] = []
        for record in records:
            home = keys.partition_of(self._partitions, record.tenant_id, record.account_id)
            key = keys.account(home, record.tenant_id, record.account_id)
            calls.append((1, key, record.version, ACCOUNT.dump_json(record, exclude_defaults=True)))
        await self._publish(calls)

    async def finish(self, tenant_id: str, applied: int, changes: Sequence[Change]) -> None:
        """Say that the tenant's log is published up to `applied`, then announce the changes."""
        await self._publish([(1, keys.applied(self._partitions, tenant_id), applied)])
        async with reaching(self._redis), self._redis.pipeline(transaction=False) as pipeline:
            for change in changes:
                told = change_announcement(change.tenant_id, change.account_id, change.version)
                pipeline.publish(keys.CHANGES_CHANNEL, told)
            await pipeline.execute()

    async def publish_keys(self, stored: Sequence[StoredKey]) -> None:
        """Publish key records, and raise the table's version."""
        await self._publish(
            [
                (2, keys.api_key(key.digest), keys.KEY_TABLE_VERSION, key.version, KEY.dump_json(key.record))
                for key in stored
            ]
        )

    async def is_intact(self) -> bool:
        """Whether this is the server that everything was published to, and it was never emptied."""
        async with reaching(self._redis):
            return await are_known(await self._places(), keys.published_to)

    async def begin(self) -> str:
        """Note on this server that everything is being published to it; what is returned is for `mark_intact`."""
        token = uuid.uuid4().hex
        async with reaching(self._redis):
            await begin_publishing(await self._places(), token)
        return token

    async def mark_intact(self, begun: str) -> bool:
        """Remember that everything is published on this server, unless it was emptied since that began."""
        async with reaching(self._redis):
            return await end_publishing(await self._places(), begun)

    async def _places(self) -> Places:
        if not isinstance(self._redis, ClusterRedis):
            return [(self._call, (keys.KEYS_TAG,))]
        await self._redis.ready()
        return self._redis.link.places()

    async def _call(self, *arguments: Any) -> Any:  # noqa: ANN401 - commands and replies differ
        """One command as the link would send it, with the same errors."""
        try:
            return await self._redis.execute_command(*arguments)  # type: ignore[no-untyped-call] # redis-py left it so
        except NoScriptError as error:
            message = f"NOSCRIPT {error}"
            raise ReplyError(message) from error

    async def _publish(self, calls: Sequence[tuple[Any, ...]], *, atomically: bool = False) -> None:
        """Run publish.lua for each call: number of keys, keys, arguments."""
        size = len(calls) if atomically else _AT_ONCE
        for start in range(0, len(calls), size):
            batch = calls[start : start + size]
            async with reaching(self._redis):
                try:
                    await self._evaluate(batch, atomically=atomically)
                except NoScriptError:  # a server that is new, or was told to forget its scripts
                    await self._evaluate(batch, atomically=atomically, text=_PUBLISH)

    async def _evaluate(self, calls: Sequence[tuple[Any, ...]], *, atomically: bool, text: str = "") -> None:
        """Run the script for each; the first brings its `text` along, from which a server learns it, of several all."""
        async with self._redis.pipeline(transaction=atomically) as pipeline:
            for count, *rest in calls:
                if text:
                    pipeline.eval(text, count, *rest)
                    text = text if self._scattered else ""
                else:
                    pipeline.evalsha(_SHA, count, *rest)
            await pipeline.execute()
