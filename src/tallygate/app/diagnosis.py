"""What `doctor` looks at: the store's promises that Tallygate relies on, each with its fix. Loads SQL."""

import asyncio
from collections.abc import Sequence

from tallygate.app import clock
from tallygate.app.asking import look_at_server
from tallygate.app.billing_watch import look_at_billing
from tallygate.app.catalogue_watch import look_at_plans
from tallygate.app.errors import UnusableSettingError
from tallygate.app.finding import Finding
from tallygate.app.gateway_watch import look_at_gateways
from tallygate.app.installation import absent, database_address, is_there, opened, why_not
from tallygate.app.mailing import look_at_mail
from tallygate.app.promises import at_each, eviction, persistence, replicas
from tallygate.app.recovery import redis_address
from tallygate.app.redis_place import redis_factory
from tallygate.domain.errors import InvalidFieldError, StoreUnavailableError
from tallygate.domain.gating.admit import MAX_CLOCK_SKEW
from tallygate.domain.period import to_datetime
from tallygate.records.audits import Audit
from tallygate.records.epochs import PartitionEpoch, PartitionState, hidden, is_older
from tallygate.records.rebuilds import Rebuild
from tallygate.settings import Settings
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.audits import read_audit
from tallygate.storage.redis.clocks import NOTED_SKEW, ClockWatch, ahead
from tallygate.storage.redis.counters import read_rebuilds
from tallygate.storage.redis.epochs import RedisEpochs
from tallygate.storage.redis.link.cluster import AnyLink, ClusterLink
from tallygate.storage.redis.link.link import LinkError, ReplyError
from tallygate.storage.sql import schema
from tallygate.storage.sql.catalog.durability import strict_features
from tallygate.storage.sql.epochs import SqlEpochs
from tallygate.storage.sql.schema import Schema
from tallygate.storage.sql.writes import write

_SECONDS = 5.0
_OTHERS = Finding(
    name="database", ok=True, detail="role data has none of its own: ask doctor about it where control or worker runs"
)
_ABOVE = "see what is said of the database and its schema above"
_NEWER = "it is newer than this version: run the version of Tallygate that made it, or a later one"


async def diagnose(settings: Settings) -> list[Finding]:
    """Look at the database and at Redis; what cannot be reached is a finding, too."""
    database = [_OTHERS] if settings.role == "data" else await _look_at_database(settings)
    findings = [*database, *await look_at_server(settings)]
    if settings.mail.address and settings.role != "data":
        findings += await look_at_mail(settings)
    try:
        address = redis_address(settings)
    except UnusableSettingError as error:
        fix = "correct " + str(error).partition(" ")[0]  # it begins with the setting's name
        return [*findings, Finding(name="redis", ok=False, detail=str(error), fix=fix)]
    if address is None:
        detail = f"embedded, not running in {settings.data_dir}"
        return [*findings, Finding(name="redis", ok=True, detail=detail)]
    return findings + await _look_at_redis(settings, address)


async def _look_at_database(settings: Settings) -> list[Finding]:
    fix = "check database.url (TALLYGATE_DATABASE__URL) and that the server runs"
    if not is_there(settings):
        found_none, told = absent(settings)
        detail = f"none, this version needs {schema.head()}: {found_none}"
        return [Finding(name="schema version", ok=False, detail=detail, fix=told)]
    try:
        target = database_address(settings)
        found = await asyncio.wait_for(asyncio.to_thread(schema.read_schema, target), _SECONDS)
    except UnusableSettingError as error:
        return [Finding(name="database", ok=False, detail=str(error), fix="correct database.url or data_dir")]
    except TimeoutError:
        return [Finding(name="database", ok=False, detail="cannot be reached: no answer in time", fix=fix)]
    except StoreUnavailableError as error:
        return [Finding(name="database", ok=False, detail=f"cannot be used: {why_not(error)}", fix=fix)]
    except InvalidFieldError as error:
        facts = error.metadata
        unfit = Finding(name="database encoding", ok=False, detail=facts.get("got", ""), fix=facts["expected"])
        return [Finding(name="database", ok=True, detail="reached"), unfit]
    looks = (look_at_plans, look_at_billing, look_at_gateways) if found.serves else ()
    return [
        Finding(name="database", ok=True, detail="reached"),
        Finding(name="database encoding", ok=True, detail="UTF-8"),
        _version(found),
        *([await _database_writes(settings)] if found.serves else []),
        *[finding for look in looks for finding in await look(settings)],
    ]


async def _database_writes(settings: Settings) -> Finding:
    async with opened(settings) as engine:
        refused = await write(engine)
    return Finding(
        name="database writes",
        ok=not refused,
        detail=refused or "accepted",
        fix="what the database says is what it needs: room on its disk, a primary and no replica, or rights",
    )


def _version(found: Schema) -> Finding:
    detail = f"{found.version or 'none'}, this version needs {schema.head()}"
    if found.is_newer and found.serves:
        detail = f"{found.version}, newer than this version's {schema.head()}, which may run on it still"
    elif found.is_newer and found.oldest:
        detail += f"; programs of {found.oldest} or later may run on it"
    return Finding(
        name="schema version",
        ok=found.serves,
        detail=detail,
        fix=_NEWER if found.is_newer else "run `tallygate migrate`",
    )


async def _look_at_redis(settings: Settings, address: RedisAddress) -> list[Finding]:
    fix = "check redis.url (TALLYGATE_REDIS__URL) and that the server runs"
    try:
        link = redis_factory(settings, address).operator_link()
        await link.connect()
    except LinkError as error:
        return [Finding(name="redis", ok=False, detail=str(error), fix=fix)]
    try:
        findings = [Finding(name="redis", ok=True, detail="reached"), *_nodes(link), await _writes(link)]
        if not link.connected:  # what follows asks every node
            return findings
        findings += [await at_each(link, look) for look in (eviction, persistence)]
        findings.append(await _skew(link))
        findings += await _partitions(settings, link)
    except (LinkError, ReplyError, StoreUnavailableError) as error:
        return [Finding(name="redis", ok=False, detail=str(error), fix=fix)]
    else:
        return findings
    finally:
        await link.close()


def _nodes(link: AnyLink) -> list[Finding]:
    """Whether every partition of a cluster has a node that can be reached."""
    if not isinstance(link, ClusterLink):
        return []
    names = ", ".join(name for name, _ in sorted(link.nodes()))
    return [
        Finding(
            name="cluster",
            ok=link.connected,
            detail=f"{len(link.nodes())} nodes have the partitions: {names}" if link.connected else link.last_error,
            fix="see `CLUSTER INFO` on any node: each slot needs a primary that can be reached from here",
        )
    ]


async def _writes(link: AnyLink) -> Finding:
    refused = await link.write()
    return Finding(
        name="writes",
        ok=not refused,
        detail=refused or "accepted",
        fix="what the server says is what it needs: memory (OOM), disk (MISCONF), replicas (NOREPLICAS); "
        "READONLY: redis.url leads to a replica",
    )


async def _skew(link: AnyLink) -> Finding:
    skew = await ClockWatch(link, clock.now).look()
    return Finding(
        name="clock skew",
        ok=abs(skew) <= NOTED_SKEW,
        detail=f"Redis' clock differs by {abs(skew) / 1_000_000:.3f} s; by more than {MAX_CLOCK_SKEW // 1_000_000} s "
        "nothing is decided",
        fix="synchronise both machines' clocks (NTP); the script's clock decides",
    )


async def _kept_clocks(link: AnyLink, partitions: Sequence[int]) -> Finding:
    """A partition never decides behind an instant at which it has decided: one that lies ahead is a jump's."""
    leads = await ahead(link, partitions)
    most = max(leads.values(), default=0) / 1_000_000
    return Finding(
        name="partition clocks",
        ok=not leads,
        detail=f"{len(leads)} of {len(partitions)} are ahead of Redis' clock" + (f", by {most:.0f} s" if leads else ""),
        fix="Redis' clock has jumped and come back; each is set right by the next call that takes something there",
    )


async def _shown(settings: Settings, link: AnyLink) -> Finding:
    """What callers meet, where the database is others'."""
    numbers = range(settings.redis.partitions)
    refusing = hidden(await RedisEpochs(link).read(numbers), numbers)
    return Finding(
        name="epoch",
        ok=not refusing,
        detail=f"{len(numbers) - len(refusing)} of {len(numbers)} partitions count",
        fix="a worker shows and rebuilds them: see that one runs on this Redis, and what doctor says there",
    )


async def _partitions(settings: Settings, link: AnyLink) -> list[Finding]:
    if settings.role == "data":
        return [await _shown(settings, link), await _kept_clocks(link, range(settings.redis.partitions))]
    unknown = [Finding(name="epoch", ok=False, detail="the database cannot say", fix=_ABOVE)]
    if not is_there(settings):  # opening a file would make it
        return unknown
    async with opened(settings) as engine:
        try:
            known, strict = await SqlEpochs(engine).load(), await strict_features(engine)
        except StoreUnavailableError:
            return unknown
    numbers = [partition.partition for partition in known]
    rebuilds = await read_rebuilds(link, numbers)
    audited = _audited(await read_audit(link))
    found = [await _epochs(link, known), *_rebuilt(rebuilds), *audited, await _kept_clocks(link, numbers)]
    if strict:
        wanted, seconds = settings.redis.strict_replicas, settings.redis.strict_timeout
        found.append(await at_each(link, lambda node: replicas(node, wanted=wanted, seconds=seconds, features=strict)))
    return found


def _audited(audit: Audit | None) -> list[Finding]:
    """What the last comparison of all counters with their events came to, where there was one."""
    if audit is None:
        return []
    detail = (
        f"{audit.meters} counted features of {audit.accounts} accounts were compared with their events at "
        f"{to_datetime(audit.ended_time):%Y-%m-%d %H:%M:%S} UTC: {audit.mended} were set right ({audit.mended_units} "
        f"units), {audit.drifting} differ ({audit.missing} units missing, {audit.surplus} too many)"
    )
    fix = "`tallygate audit usage` tells whose; `--repair` counts what the events say, unless these lack something"
    return [Finding(name="counters", ok=not audit.drifting, detail=detail, fix=fix)]


def _rebuilt(rebuilds: Sequence[Rebuild]) -> list[Finding]:
    """What was lost and restored, and how much of it nobody knows: no ill, but an operator should know."""
    if not rebuilds:
        return []
    last = max(each.ended_time for each in rebuilds)
    unknown = max((each.unknown or 0 for each in rebuilds), default=0) / 1_000_000
    units, accounts = sum(each.units for each in rebuilds), sum(each.accounts for each in rebuilds)
    detail = (
        f"the counters of {len(rebuilds)} partitions were lost and rebuilt, the last at "
        f"{to_datetime(last):%Y-%m-%d %H:%M:%S} UTC: {units} units of {accounts} accounts; of what was admitted in the "
        f"{unknown:.3f} s before, what was not collected is lost"
    )
    return [Finding(name="rebuilt", ok=True, detail=detail)]


async def _epochs(link: AnyLink, known: Sequence[PartitionEpoch]) -> Finding:
    numbers = [partition.partition for partition in known]
    board = RedisEpochs(link)
    shown = await board.read(numbers)
    try:
        look = await board.look(numbers, anyway=True)
    except StoreUnavailableError:  # a user who may not ask how far a stream goes
        look = None
    lost = [
        partition.partition
        for partition in known
        if partition.state is PartitionState.REBUILDING
        or shown.get(partition.partition) != partition.epoch
        or (look is not None and is_older(look, partition))
    ]
    return Finding(
        name="epoch",
        ok=not lost,
        detail=f"{len(known) - len(lost)} of {len(known)} partitions count",
        fix="a worker rebuilds them from the database: see that one runs, and its log; where that cannot be, count on "
        "from what Redis holds: `tallygate migrate --accept-loss`",
    )
