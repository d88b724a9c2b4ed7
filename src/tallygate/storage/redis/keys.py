"""Every key that Tallygate keeps in Redis, and nothing else makes one.

All keys of an account share the hash tag of its partition, so that one script reaches them all. Parts are escaped, so
that no two different identities ever share a key.
"""

from binascii import crc_hqx
from hashlib import blake2b
from urllib.parse import unquote

CHANGES_CHANNEL = "tg:changes"
KEYS_TAG = "keys"
"""The hash tag of what belongs to no partition. One server says under it what it says of itself; in a cluster each node
says that under the tags of the partitions that it has.
"""

KEY_TABLE_VERSION = "tg:{keys}:v"
"""String: raised with every change of any API key; where it is missing, nothing was ever published."""

AUDITED = "tg:{keys}:audited"
"""Hash: what the last audit of all counters came to."""


def published_to(tag: str) -> str:
    """String: the token of the server to which everything was published; any other server may have lost some."""
    return f"tg:{{{tag}}}:run"


def publishing(tag: str, token: str) -> str:
    """String: somebody is publishing everything to the server, under this token; gone where it is emptied meanwhile."""
    return f"tg:{{{tag}}}:publishing:{token}"


def whole(tag: str) -> str:
    """String: the token of the server that a worker found whole, which knows a script of it (`link/vouching.py`)."""
    return f"tg:{{{tag}}}:whole"


def confirmed(tag: str) -> str:
    """String: what is written behind what replicas shall confirm (`link/confirming.py`); it expires."""
    return f"tg:{{{tag}}}:confirmed"


def canary(tag: str) -> str:
    """String: one that expires, by its server's clock (`canary.py`)."""
    return f"tg:{{{tag}}}:canary"


def canary_set(tag: str) -> str:
    """String: when that one was last set, by the worker's clock."""
    return f"tg:{{{tag}}}:canary:set"


def probes(tag: str) -> tuple[str, ...]:
    """What a connection writes to find out whether it may; nobody reads them, and they expire."""
    return tuple(f"tg:{{{tag}}}:probe:{kind}" for kind in ("string", "hash", "list", "stream"))


PUBLISHED_TO, CANARY = published_to(KEYS_TAG), canary(KEYS_TAG)
"""Those of a lone server."""

RESET, OWN_RESET, APART = "r", "s", "s"
"""A meter's fields of its last resets, outside and in trials, and what a trial's counter has behind it (`meter`)."""

RESETS = b"x:"
"""What fields of a meter begin with that remember a reset; the digest of its effect follows."""

_LONGEST_ENTRIES = 256
_ESCAPES = str.maketrans({"%": "%25", ":": "%3A", "{": "%7B", "}": "%7D", "=": "%3D", ",": "%2C"})


def part(text: str) -> str:
    """One part of a key, escaped so that joining parts with `:` is injective."""
    return text.translate(_ESCAPES)


def partition_of(partitions: int, *parts: str) -> int:
    """The home partition of an identity: CRC-16 (as Redis Cluster's) of its escaped parts."""
    return crc_hqx(":".join(part(text) for text in parts).encode(), 0) % partitions


def epoch(partition: int) -> str:
    """String: the partition's epoch, minted in SQL; `!` before it means that counters are being rebuilt."""
    return f"tg:{{{partition}}}:epoch"


def turn(partition: int) -> str:
    """String: in whose hands the partition is while its counters are rebuilt; it expires where they are still."""
    return f"tg:{{{partition}}}:turn"


def rebuilt(partition: int) -> str:
    """Hash: what the last rebuild of the partition's counters has restored."""
    return f"tg:{{{partition}}}:rebuilt"


def mending(partition: int) -> str:
    """String: in whose hands the partition is while counters that drifted are set right; it expires."""
    return f"tg:{{{partition}}}:mending"


def returned(partition: int) -> str:
    """Hash {n}: how often units of late replays were returned in the partition."""
    return f"tg:{{{partition}}}:returned"


def clock(partition: int) -> str:
    """String: an instant in microseconds before which no script of this partition decides any more (`admit.lua`)."""
    return f"tg:{{{partition}}}:clock"


def stream(partition: int) -> str:
    """Stream: the partition's facts, until they are collected."""
    return f"tg:{{{partition}}}:ev"


def catalog_version(partition: int, tenant_id: str) -> str:
    """String: the version of the tenant's newest catalogue, in every partition."""
    return f"tg:{{{partition}}}:v:{part(tenant_id)}"


def catalog(partitions: int, tenant_id: str) -> str:
    """Hash {v, d}: the tenant's catalogue snapshot and its version."""
    return f"tg:{{{partition_of(partitions, tenant_id)}}}:c:{part(tenant_id)}"


def applied(partitions: int, tenant_id: str) -> str:
    """String: up to which view version the tenant's log has been published without a gap."""
    return f"tg:{{{partition_of(partitions, tenant_id)}}}:w:{part(tenant_id)}"


def account(partition: int, tenant_id: str, account_id: str) -> str:
    """Hash {v, d}: the account's record and its version."""
    return f"tg:{{{partition}}}:a:{part(tenant_id)}:{part(account_id)}"


def meter(partition: int, tenant_id: str, account_id: str, feature_key: str) -> str:
    """Hash {r, s, l, t, g:<grant>}: last reset, that in a trial, last level and its time, units burnt of each grant.

    Besides `x:<digest>`: the record of a reset, by which it is answered however late it is sent again.
    With `:<period start>` behind it: hash {u, i, o, t, g:<grant>}: one usage period's counter. That of a trial that
    begins together with a period of the calendar has `s` behind it besides.
    """
    return f"tg:{{{partition}}}:m:{part(tenant_id)}:{part(account_id)}:{part(feature_key)}"


METERS = "tg:{*}:m:*"
"""What every meter's key, and every counter's, looks like to SCAN."""


def read_meter(key: bytes) -> tuple[tuple[str, str, str], tuple[int, bool] | None]:
    """Whose meter this is, and of which counter of it, if it is one's; the opposite of `meter`."""
    tenant_id, account_id, feature_key, *counter = map(unquote, key.decode().split(":")[3:])
    found = (int(counter[0].removesuffix(APART)), counter[0].endswith(APART)) if counter else None
    return (tenant_id, account_id, feature_key), found


def rate_limit(
    partition: int, tenant_id: str, account_id: str, limit_key: str, descriptor: tuple[tuple[str, str], ...]
) -> str:
    """A rate limit's counter; `account_id` is empty for a limit that the tenant owns.

    Entries may be as long as an end user makes them; long ones are digested, behind a `%#` that no part has.
    """
    entries = ",".join(f"{part(key)}={part(value)}" for key, value in descriptor)
    if len(entries) > _LONGEST_ENTRIES:
        entries = f"%#{blake2b(entries.encode(), digest_size=16).hexdigest()}"
    return f"tg:{{{partition}}}:l:{part(tenant_id)}:{part(account_id)}:{part(limit_key)}:{entries}"


def replays(partition: int) -> str:
    """Prefix of the hashes that remember effects; `<generation>:<bucket>` follows."""
    return f"tg:{{{partition}}}:e:"


def api_key(digest: str) -> str:
    """Hash {v, d}: the record of the API key with this digest, and its version."""
    return f"tg:{{keys}}:k:{digest}"
