"""An installation's database: opened, migrated, and written to directly where no server runs yet. Loads SQL."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.app import clock
from tallygate.app.errors import StartError
from tallygate.control_plane.keys import CreateKey
from tallygate.control_plane.keys import create_key as register_key
from tallygate.control_plane.keys import revoke_key as revoke
from tallygate.domain.credential import ENTROPY_BYTES, Scope, is_well_formed, mint_key
from tallygate.domain.errors import ConflictError, InvalidFieldError, StoreUnavailableError
from tallygate.records.values import Tenant
from tallygate.settings import Settings
from tallygate.storage.sql import schema
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.unit_of_work import SqlStore


def database_url(settings: Settings) -> str:
    """The database that the settings name, else SQLite in the data directory, which is made."""
    named = settings.database.url.get_secret_value()
    if named:
        return named
    directory = settings.data_dir.absolute()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot use {directory} as data directory: {error.strerror}; choose another data_dir"
        raise StartError(msg) from error
    return f"sqlite:///{directory / 'tallygate.db'}"


def migrate(settings: Settings) -> str:
    """Bring the database to the newest schema; returns its version. Blocks."""
    url = database_url(settings)
    schema.migrate(url)
    return schema.schema_version(url)


def require_schema(settings: Settings) -> None:
    """Make sure that the schema is this version's. A database of our own is migrated; one that is named is not. Blocks.

    Raises:
        StartError: the database's schema is another one, or it cannot be reached.
    """
    url = database_url(settings)
    try:
        if not settings.database.url.get_secret_value():
            schema.migrate(url)
            return
        found, wanted = schema.schema_version(url), schema.head()
    except StoreUnavailableError as error:
        msg = f"the database at {settings.database.url} cannot be reached; check database.url (TALLYGATE_DATABASE__URL)"
        raise StartError(msg) from error
    if found != wanted:
        msg = f"the database has schema {found or 'none'}, this version needs {wanted}: run `tallygate migrate`"
        raise StartError(msg)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The database, for one piece of work."""
    engine = create_engine(database_url(settings), pool_size=1)
    try:
        yield engine
    finally:
        await engine.dispose()


async def create_tenant(settings: Settings, *, tenant_id: str, currency: str, time_zone: str, test: bool) -> None:
    """Create a tenant.

    Raises:
        ConflictError: there is one with this id.
    """
    tenant = Tenant(tenant_id=tenant_id, create_time=clock.now(), currency=currency, time_zone=time_zone, test=test)
    async with opened(settings) as engine:
        await SqlStore(engine=engine).create_tenant(tenant)


async def create_key(
    settings: Settings, *, tenant_id: str, name: str, scopes: Collection[str], expire_time: int | None
) -> tuple[str, str]:
    """Create an API key; returns its id and the key."""
    secret = mint_key(clock.entropy(ENTROPY_BYTES))
    request = CreateKey(scopes=_scopes(scopes), name=name, expire_time=expire_time)
    async with opened(settings) as engine, SqlStore(engine=engine).write(tenant_id) as work:
        stored = await register_key(work, request, secret=secret, real_now=clock.now())
        await work.commit()
    return stored.record.key_id, secret


async def revoke_key(settings: Settings, *, tenant_id: str, key_id: str) -> None:
    """Revoke an API key."""
    async with opened(settings) as engine, SqlStore(engine=engine).write(tenant_id) as work:
        await revoke(work, key_id, real_now=clock.now())
        await work.commit()


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
    async with store.write((await store.tenant_ids(after="", limit=1))[0]) as work:
        await register_key(work, request, secret=secret, real_now=clock.now())
        await work.commit()


def _bootstrap_key(key_file: Path) -> str:
    try:
        if not key_file.exists():
            key_file.touch(mode=0o600, exist_ok=False)
            key_file.write_text(mint_key(clock.entropy(ENTROPY_BYTES)) + "\n", encoding="utf-8")
        secret = key_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"cannot use bootstrap_key_file {key_file}: {error}"
        raise StartError(msg) from error
    if not is_well_formed(secret):
        msg = f"bootstrap_key_file {key_file} holds no API key; remove it, and the next start makes one"
        raise StartError(msg)
    return secret


def _scopes(names: Collection[str]) -> frozenset[Scope]:
    known = {scope.value for scope in Scope}
    for name in names:
        if name not in known:
            raise InvalidFieldError(field="scopes", expected=" | ".join(sorted(known)), got=name)
    return frozenset(Scope(name) for name in names)
