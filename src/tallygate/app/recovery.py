"""Counting on after counters were lost: an operator's decision, never one of ours. Loads SQL."""

from tallygate.app import clock
from tallygate.app.errors import StartError
from tallygate.app.installation import opened
from tallygate.app.redis_place import named_redis, redis_factory
from tallygate.records.epochs import EpochKeeper
from tallygate.settings import Settings
from tallygate.storage.embedded.directory import DataDirectory
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.epochs import RedisEpochs
from tallygate.storage.redis.link.link import LinkError
from tallygate.storage.sql.epochs import SqlEpochs


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
    address = redis_address(settings)
    if address is None:
        msg = f"the Valkey in {settings.data_dir} is not running: start the server, and say it again beside it"
        raise StartError(msg)
    link = redis_factory(settings, address).operator_link()
    try:
        await link.connect()
    except LinkError as error:
        msg = f"{error}; check redis.url (TALLYGATE_REDIS__URL) and that the server runs"
        raise StartError(msg) from error
    try:
        async with opened(settings) as engine:
            keeper = EpochKeeper(ledger=SqlEpochs(engine), board=RedisEpochs(link), new_epoch=clock.new_epoch)
            await keeper.settle()  # a loss that no server has noticed yet
            return len(await keeper.accept_loss())
    finally:
        await link.close()
