"""An installation's database: opened, migrated, and written to directly where no server runs yet. Loads SQL."""

import asyncio
import getpass
import logging
import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.app import clock
from tallygate.app.errors import StartError, TenantExistsError, UnusableSettingError, reason
from tallygate.app.key_files import read_key
from tallygate.control_plane.keys import CreateKey
from tallygate.control_plane.keys import create_key as register_key
from tallygate.control_plane.keys import revoke_key as revoke
from tallygate.control_plane.tenants import CreateTenant, tenant_of
from tallygate.domain.credential import ENTROPY_BYTES, Scope, mint_key
from tallygate.domain.errors import ConflictError, InvalidFieldError, StoreUnavailableError
from tallygate.records.audit_log import Origin
from tallygate.records.values import Tenant
from tallygate.settings import Settings
from tallygate.settings.directories import make_private
from tallygate.storage.sql import schema
from tallygate.storage.sql.address import DatabaseUrlError, parse_database, shown, sqlite_at
from tallygate.storage.sql.alone import alone
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.partitions import seed_partitions
from tallygate.storage.sql.unit_of_work import SqlStore, SqlUnitOfWork

_FILE = "tallygate.db"
_log = logging.getLogger(__name__)


def database_address(settings: Settings) -> URL:
    """The database that the settings name, else SQLite in the data directory, which is made.

    Raises:
        UnusableSettingError: the URL is none, or the directory cannot be made.
    """
    named = settings.database.url.get_secret_value()
    try:
        if named:
            return parse_database(named)
        directory = settings.data_dir.absolute()
        make_private(directory)
    except DatabaseUrlError as error:
        raise UnusableSettingError(error, key="database.url") from None
    except (OSError, ValueError) as error:
        problem = f"cannot use {settings.data_dir.absolute()} as data directory: {reason(error)}"
        raise UnusableSettingError(problem, key="data_dir") from error
    return sqlite_at(directory / _FILE)


def migrate(settings: Settings) -> str:
    """Bring the database to the newest schema; returns its version. Blocks.

    One that is newer, and on which this version may run, stays as it is.

    Raises:
        StartError: it cannot be reached, or is too new for this version.
    """
    target = database_address(settings)
    with reached(target):
        _migrate(target)
        return schema.schema_version(target)


def require_schema(settings: Settings) -> None:
    """Make sure that this version may run on the schema. A database of our own is migrated; one that is named is not.

    Blocks.

    Raises:
        StartError: the database's schema does not serve it, or it cannot be reached.
        InvalidFieldError: it cannot hold every text.
    """
    target = database_address(settings)
    with reached(target):
        if not settings.database.url.get_secret_value():
            _migrate(target)
        found = schema.read_schema(target)
    _require(found)
    if found.is_newer:
        _log.warning(
            "the database has schema %s, newer than this version's %s, which may run on it still: a later version has "
            "migrated it; upgrade this one, too",
            found.version,
            schema.head(),
        )


def _migrate(target: URL) -> None:
    with alone(target):
        found = schema.read_schema(target)
        if found.is_newer:
            _require(found)
        schema.migrate(target)


def _require(found: schema.Schema) -> None:
    """Refuse a schema that this version cannot run on."""
    if found.serves:
        return
    wanted = schema.head()
    if found.is_newer:
        why = f", and needs a program of {found.oldest} or later" if found.oldest else ""
        msg = (
            f"the database has schema {found.version}, newer than this version's {wanted}{why}:"
            " run the version of Tallygate that made it, or a later one"
        )
        raise StartError(msg)
    msg = f"the database has schema {found.version or 'none'}, this version needs {wanted}: run `tallygate migrate`"
    raise StartError(msg)


def is_there(settings: Settings) -> bool:
    """Whether there is a database to look at: our own is a file, which looking would make."""
    if named := settings.database.url.get_secret_value():
        with suppress(DatabaseUrlError):  # whoever opens it says so
            file = parse_database(named)
            return file.get_backend_name() != "sqlite" or Path(str(file.database)).exists()
        return True
    home = settings.data_dir
    in_the_way = home.exists() and not home.is_dir()  # no directory: opening it says so
    return in_the_way or (home / _FILE).exists()


def absent(settings: Settings) -> tuple[str, str]:
    """Of a database that is not there: a sentence that says where it would be, and what to do."""
    setting, place = "data_dir", str(settings.data_dir.absolute())
    if named := settings.database.url.get_secret_value():
        setting, place = "database.url", shown(parse_database(named))  # is_there has read it
    return f"there is no database in {place} yet", f"run `tallygate migrate`, or name another {setting}"


def _require_current(settings: Settings) -> None:
    """Make sure that there is a database that this version may run on, without making or changing one. Blocks."""
    if not is_there(settings):
        place = settings.data_dir.absolute()
        named = settings.database.url.get_secret_value()
        if not named and place.exists() and not place.is_dir():
            problem = f"cannot use {place} as data directory: it is a file"
            raise UnusableSettingError(problem, key="data_dir")
        raise StartError(": ".join(absent(settings)))
    target = database_address(settings)
    with reached(target):
        found = schema.read_schema(target)
    _require(found)


@contextmanager
def reached(target: URL) -> Iterator[None]:
    """Say which database it was that could not be worked on, why, and what to look at.

    Raises:
        StartError: the store failed.
    """
    try:
        yield
    except StoreUnavailableError as error:
        why = why_not(error)
        msg = f"the database at {shown(target)} cannot be used ({why}); check database.url (TALLYGATE_DATABASE__URL)"
        if target.get_backend_name() == "sqlite":
            msg += " and data_dir (TALLYGATE_DATA_DIR)"
        raise StartError(msg) from error


_CAUSES = (
    (r"connection refused|no such file or directory.*socket|\.s\.PGSQL", "nobody listens there"),
    (r"could not translate|name or service|nodename|resolve host", "its host is not known"),
    (r"no password|password authentication|authentication failed|pg_hba", "user or password are refused"),
    (r'role ".*" does not exist', "there is no such user"),
    (r'database ".*" does not exist', "there is no such database"),
    (r"certificate", "a certificate is not accepted"),
    (r"ssl|tls", "TLS was not agreed on"),
    (r"timeout|timed out", "no answer in time"),
    (r"not a database|malformed", "the file is no database"),
    (r"read-?only", "it cannot be written"),
    (r"permission denied for|must be owner", "a right is missing"),
    (r"unable to open|permission denied", "the file cannot be opened"),
    (r"permission|privilege", "a right is missing"),
    (r"disk|space|full", "its disk is full"),
    (r"locked", "another process works on it"),
)
"""What databases' own words mean; those stay in the log."""


def why_not(error: BaseException) -> str:
    """Why a database cannot be worked on, in words for operators."""
    words = reason(error.__cause__ or error)
    found = (cause for pattern, cause in _CAUSES if re.search(pattern, words, re.IGNORECASE))
    return next(found, "the log has its own words")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The database, for one piece of work."""
    target = database_address(settings)
    engine = create_engine(target, pool_size=1)
    try:
        with reached(target):
            yield engine
    finally:
        await engine.dispose()


async def create_tenant(settings: Settings, *, tenant_id: str, currency: str, time_zone: str, test: bool) -> None:
    """Create a tenant.

    Raises:
        TenantExistsError: there is one with this id.
        InvalidFieldError: a field is not what is expected.
    """
    request = CreateTenant(tenant_id=tenant_id, currency=currency, time_zone=time_zone, test=test)
    tenant = tenant_of(request, now=clock.now())
    await asyncio.to_thread(_require_current, settings)
    async with opened(settings) as engine:
        try:
            asked = {"tenant_id": tenant_id, "currency": currency, "time_zone": time_zone, "test": test}
            await SqlStore(engine=engine).create_tenant(tenant, origin=_local("create_tenant", asked))
        except ConflictError as error:
            raise TenantExistsError(tenant_id=tenant_id) from error


async def create_key(
    settings: Settings, *, tenant_id: str, name: str, scopes: Collection[str], expire_time: int | None
) -> tuple[str, str]:
    """Create an API key; returns its id and the key."""
    secret = mint_key(clock.entropy(ENTROPY_BYTES))
    request = CreateKey(scopes=_scopes(scopes), name=name, expire_time=expire_time)
    await asyncio.to_thread(_require_current, settings)
    origin = _local("create_key", {"name": name, "scopes": sorted(scopes)})
    async with opened(settings) as engine, _writing(engine, tenant_id, origin) as work:
        stored = await register_key(work, request, secret=secret, real_now=clock.now())
        await work.commit()
    return stored.record.key_id, secret


async def revoke_key(settings: Settings, *, tenant_id: str, key_id: str) -> None:
    """Revoke an API key."""
    await asyncio.to_thread(_require_current, settings)
    origin = _local("revoke_key", {"key_id": key_id})
    async with opened(settings) as engine, _writing(engine, tenant_id, origin) as work:
        await revoke(work, key_id, real_now=clock.now())
        await work.commit()


async def prepare(engine: AsyncEngine, settings: Settings) -> None:
    """Make sure that the database knows its partitions, and the first key, where the settings name one's file.

    Raises:
        StartError: it has another number of partitions, or the key cannot be made.
    """
    try:
        await seed_partitions(engine, settings.redis.partitions, clock.new_epoch)
    except InvalidFieldError as error:
        raise StartError(str(error)) from error
    if settings.bootstrap_key_file is not None:
        await bootstrap(engine, settings.bootstrap_key_file)


async def bootstrap(engine: AsyncEngine, key_file: Path, *, tenant_id: str = "default") -> None:
    """Register the key of this file, which is minted where there is no file, for the installation's first tenant.

    A second start changes nothing.

    Raises:
        StartError: the file holds no key, or cannot be made.
    """
    secret = _bootstrap_key(key_file)
    store = SqlStore(engine=engine)
    if not await store.tenant_ids(after="", limit=1):
        with suppress(ConflictError):  # another process was first
            await store.create_tenant(Tenant(tenant_id=tenant_id, create_time=clock.now()))
    request = CreateKey(scopes=frozenset({Scope.DATA, Scope.CONTROL}), name="bootstrap")
    first = (await store.tenant_ids(after="", limit=1))[0]
    async with store.write(first, now=clock.now()) as work:
        await register_key(work, request, secret=secret, real_now=clock.now())
        await work.commit()


def _writing(engine: AsyncEngine, tenant_id: str, origin: Origin) -> AbstractAsyncContextManager[SqlUnitOfWork]:
    return SqlStore(engine=engine).write(tenant_id, now=clock.now(), origin=origin)


def _user() -> str:
    with suppress(OSError, KeyError, ImportError):  # a system that has no name for it
        return getpass.getuser()
    return ""


def _local(what: str, asked: Mapping[str, Any]) -> Origin:
    """Where a write at this command line comes from."""
    return Origin(method=f"local/{what}", actor=_user(), source="local", asked=lambda: asked)


def _bootstrap_key(key_file: Path) -> str:
    try:
        if not key_file.exists():
            key_file.touch(mode=0o600, exist_ok=False)
            key_file.write_text(mint_key(clock.entropy(ENTROPY_BYTES)) + "\n", encoding="utf-8")
    except (OSError, ValueError) as error:
        problem = f"cannot make {key_file}: {reason(error)}"
        raise UnusableSettingError(problem, key="bootstrap_key_file") from error
    return read_key("bootstrap_key_file", key_file)


def _scopes(names: Collection[str]) -> frozenset[Scope]:
    known = {scope.value for scope in Scope}
    for name in names:
        if name not in known:
            raise InvalidFieldError(field="scopes", expected=" | ".join(sorted(known)), got=name)
    return frozenset(Scope(name) for name in names)
