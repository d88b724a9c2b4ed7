"""Counters that were lost, or drifted, and what an operator decides of them. Loads SQL."""

from collections.abc import Callable

from tallygate.app import clock
from tallygate.app.errors import StartError
from tallygate.app.installation import opened
from tallygate.app.rebuilding import new_auditor
from tallygate.app.redis_place import named_redis, redis_factory
from tallygate.domain.errors import StoreUnavailableError
from tallygate.metering.auditing import Mends
from tallygate.metering.comparing import Difference
from tallygate.records.audits import Audit
from tallygate.records.epochs import EpochKeeper, PartitionState
from tallygate.records.rebuilds import Standing
from tallygate.settings import Settings
from tallygate.storage.embedded.directory import DataDirectory
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.audits import RedisAudits
from tallygate.storage.redis.epochs import RedisEpochs
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.redis.link.link import LinkError
from tallygate.storage.sql.epochs import SqlEpochs
from tallygate.storage.sql.unit_of_work import SqlStore


def redis_address(settings: Settings) -> RedisAddress | None:
    """The Redis that the settings name, else the embedded one's socket; None while that one is not running.

    Raises:
        UnusableSettingError: the URL is none.
    """
    named = settings.redis.url.get_secret_value()
    if named:
        return named_redis(settings)
    socket = DataDirectory(settings.data_dir / "valkey").recorded_socket
    return RedisAddress(socket_path=str(socket)) if socket.exists() else None


async def accept_loss(settings: Settings) -> int:
    """Count on from what Redis holds, in every partition that lost its counters; returns how many those were.

    Raises:
        StartError: Redis cannot be reached.
    """
    link = _factory(settings).operator_link()
    try:
        await link.connect()
        async with opened(settings) as engine:
            keeper = EpochKeeper(ledger=SqlEpochs(engine), board=RedisEpochs(link), new_epoch=clock.new_epoch)
            await keeper.settle()  # a loss that no server has noticed yet
            return len(await keeper.accept_loss())
    except LinkError as error:
        raise _unreachable(error) from error
    finally:
        await link.close()


async def audit_usage(settings: Settings, *, repair: bool, tell: Callable[[Difference, bool], None]) -> Audit:
    """Compare all counters with their events, tell of each difference, and on `repair` count what the events say.

    A worker runs meanwhile, so that what is counted is collected.

    Raises:
        StartError: Redis cannot be reached.
    """
    factory = _factory(settings)
    async with opened(settings) as engine:
        ledger = SqlEpochs(engine)
        known = await ledger.load()
        lost = [each.partition for each in known if each.state is PartitionState.REBUILDING]
        audits = RedisAudits(factory=factory, partitions=len(known), clock=clock.now)
        mends = Mends.ALL if repair else Mends.NONE
        standing = Standing(lost=lost)
        auditor = new_auditor(engine, SqlStore(engine=engine), audits, ledger, standing, mends=mends, tell=tell)
        try:
            return await auditor.audit(hurry=True)
        except StoreUnavailableError as error:
            if isinstance(error.__cause__, LinkError):
                raise _unreachable(error.__cause__) from error
            raise


def _factory(settings: Settings) -> RedisFactory:
    address = redis_address(settings)
    if address is None:
        msg = f"the Valkey in {settings.data_dir} is not running: start the server, and say it again beside it"
        raise StartError(msg)
    return redis_factory(settings, address)


def _unreachable(error: LinkError) -> StartError:
    return StartError(f"{error}; check redis.url (TALLYGATE_REDIS__URL) and that the server runs")
