"""What accounts and calls cost in memory, and whether cost stays flat as accounts grow from thousands to a million."""

from collections.abc import Iterable
from time import perf_counter

from load import requests
from load.figure import Figure
from load.population import PARTITIONS, account_id
from load.processes import resident_bytes
from load.rounds import Effort, Say, drive, measure
from load.rows import ROWS, Row
from load.world import CONTROLLED_ACCOUNT, World
from tallygate.storage.redis import keys

_SAMPLED = 200
_FLAT = ("CheckEntitlement cached (boolean)", "CheckEntitlement metered", "ConsumeQuota")
_BATCH = 50_000
_GROWTH_SECONDS = 120.0


def by_population(world: World, sizes: Iterable[int], effort: Effort, say: Say) -> list[Figure]:
    """Bytes an account at each size, and the cost of calls to the same few accounts beside so many others."""
    flat = [row for row in ROWS if row.echo or row.name in _FLAT]
    figures: list[Figure] = []
    for size in sizes:
        say(f"{world.transport}: {size:,} accounts")
        figures.append(_bytes_per_account(world, size))
        for (name, level), sample in measure(world, flat, effort, say).items():
            if name in _FLAT:
                note = f"{sample.calls_per_second:,.0f} calls/s, {sample.ratio or 0:.2f} x echo"
                figures.append(
                    Figure(
                        name=f"{name} at {level}, beside {size:,} accounts: CPU of server + Valkey",
                        unit="us",
                        value=sample.cpu_server + sample.cpu_valkey,
                        target="within 10 %",
                        transport=world.transport,
                        note=note,
                    )
                )
        figures.append(_anywhere(world, size))
    return figures


def account_figures(world: World) -> list[Figure]:
    """An active account: its record, a counter and two rate limits; and a record that the control plane wrote."""
    drive(world, next(row for row in ROWS if row.name == "ConsumeQuota"), 128, requests.CONSUMERS * 2)
    counters = _counters(world)
    for name in ("one", "fixed"):  # last, and only for few: a full token bucket is forgotten after a second
        _call_each(world, [requests.rate_limit(name, number=number) for number in range(_SAMPLED)])
    sizes = [sum(_size(world, key) for key in _keys_of(world, account_id(n), counters)) for n in range(_SAMPLED)]
    record = _size(world, _record_key(world, account_id(1)))
    controlled = _size(world, _record_key(world, CONTROLLED_ACCOUNT))
    note = f"MEMORY USAGE of record ({record} B), counter, two rate limits; median of {_SAMPLED}"
    active = sorted(sizes)[_SAMPLED // 2]
    return [
        Figure(name="Valkey, an active account", unit="B", value=active, target="<= 1,536", note=note),
        Figure(name="Valkey, a record that the control plane wrote", unit="B", value=controlled, target="<= 600"),
    ]


def growth(world: World, row: Row, calls: int, say: Say) -> list[Figure]:
    """What distinct request ids leave behind, after `calls` or the time limit; the streams are emptied meanwhile."""
    drive(world, row, 128, _BATCH)
    world.forget_events()
    resident, used, records = resident_bytes(world.sidecar.pid), _used(world), _replays(world)
    say(f"{world.transport}: {calls:,} distinct request ids, for {_GROWTH_SECONDS:.0f} s at most")
    done, until = 0, perf_counter() + _GROWTH_SECONDS
    while done < calls and perf_counter() < until:
        done += drive(world, row, 128, _BATCH).calls
        world.forget_events()
    kept = _replays(world) - records
    server = (resident_bytes(world.sidecar.pid) - resident) / 2**20
    beyond = (_used(world) - used - kept) / 2**20
    name, transport = "growth over distinct request ids", world.transport
    note = f"{done:,} of {calls:,} calls; ttl {_replay_ttl(world):,.0f} s; role data, events trimmed from the streams"
    return [
        Figure(name=f"{name}: a replay record", unit="B", value=kept / done, transport=transport, note=note),
        Figure(name=f"{name}: Valkey beyond them", unit="MiB", value=beyond, target="~ 0", transport=transport),
        Figure(name=f"{name}: server RSS", unit="MiB", value=server, target="~ 0", transport=transport),
    ]


def _bytes_per_account(world: World, size: int) -> Figure:
    before, already = _used(world), world.populated
    world.populate(size)
    value = (_used(world) - before) / (size - already)
    note = "growth of used_memory; records written as the publisher writes them"
    return Figure(name=f"Valkey, an idle account of {size:,}", unit="B", value=value, target="<= 600", note=note)


def _anywhere(world: World, size: int) -> Figure:
    """Checks all over the population: beyond 25,000 accounts each one is read from Valkey and folded."""
    row = Row(
        name="anywhere",
        method="CheckEntitlement",
        payloads=lambda _: requests.checks_of("sso", range(size)),
    )
    seen = drive(world, row, 128, 20_000)
    return Figure(
        name=f"CheckEntitlement, any of {size:,} accounts in turn",
        unit="calls/s",
        value=seen.calls / seen.seconds,
        transport=world.transport,
        note=f"{seen.failed} failed; 25,000 fit the cache",
    )


def _call_each(world: World, payloads: list[bytes]) -> None:
    row = Row(name="each", method="RateLimit", payloads=lambda _: iter([payloads[0], *payloads]))
    drive(world, row, 1, len(payloads))


def _used(world: World) -> int:
    info: bytes = world.valkey.command("INFO", "memory")
    return int(next(line for line in info.splitlines() if line.startswith(b"used_memory:")).split(b":")[1])


def _size(world: World, key: str | bytes) -> int:
    return int(world.valkey.command("MEMORY", "USAGE", key, "SAMPLES", 0) or 0)


def _record_key(world: World, who: str) -> str:
    return keys.account(keys.partition_of(PARTITIONS, world.tenant_id, who), world.tenant_id, who)


def _keys_of(world: World, who: str, counters: dict[bytes, list[bytes]]) -> list[bytes | str]:
    """The record, and what `api_calls` and the two rate limits count."""
    home = keys.partition_of(PARTITIONS, world.tenant_id, who)
    meter = keys.meter(home, world.tenant_id, who, "api_calls")
    limits = [
        keys.rate_limit(home, world.tenant_id, who, f"bench_{name}", (("bench", name),)) for name in ("one", "fixed")
    ]
    return [_record_key(world, who), meter, *limits, *counters.get(meter.encode(), [])]


def _counters(world: World) -> dict[bytes, list[bytes]]:
    """The counter of each usage period, by the meter's key."""
    found: dict[bytes, list[bytes]] = {}
    for key in _scan(world, "tg:*:m:*"):
        found.setdefault(key.rpartition(b":")[0], []).append(key)
    return found


def _replays(world: World) -> int:
    return sum(_size(world, key) for key in _scan(world, "tg:*:e:*"))


def _replay_ttl(world: World) -> float:
    found = [int(world.valkey.command("PTTL", key)) for key in list(_scan(world, "tg:*:e:*"))[:200]]
    return max(found, default=0) / 1000


def _scan(world: World, pattern: str) -> Iterable[bytes]:
    cursor = b"0"
    while True:
        cursor, page = world.valkey.command("SCAN", cursor, "MATCH", pattern, "COUNT", 10_000)
        yield from page
        if cursor == b"0":
            return
