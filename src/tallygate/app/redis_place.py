"""Which Redis the settings name, in full: where, over which TLS, as whom, and how long it may take."""

from dataclasses import replace

from tallygate.app.errors import UnusableSettingError
from tallygate.settings import RedisSettings, Settings
from tallygate.storage.redis.address import RedisAddress, RedisUrlError
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.redis.tls import RedisTls


def redis_factory(settings: Settings, address: RedisAddress) -> RedisFactory:
    """Makes connections to this server that wait as long as the settings say."""
    return RedisFactory(
        address=address,
        connect_seconds=settings.redis.connect_timeout,
        reply_seconds=settings.redis.read_timeout,
        partitions=settings.redis.partitions,
    )


def named_redis(settings: Settings) -> RedisAddress | None:
    """The Redis that the settings name; None where they leave it to an embedded one.

    Raises:
        UnusableSettingError: the URL is none, this role needs one and it is empty, or what goes with it does not fit.
    """
    url = settings.redis.url.get_secret_value()
    if not url and settings.role != "all":
        problem = f"role {settings.role} shares its Redis with others: expected its URL"
        raise UnusableSettingError(problem, key="redis.url")
    return address_of(settings.redis)


def address_of(redis: RedisSettings) -> RedisAddress | None:
    """The address in these settings; None where they name none.

    Raises:
        UnusableSettingError: they do not fit together, or a file that they name cannot be used.
    """
    url = redis.url.get_secret_value()
    try:
        address = RedisAddress.parse(url) if url else RedisAddress()
    except RedisUrlError as error:
        raise UnusableSettingError(error, key="redis.url") from None
    address = _with_credentials(redis, address)
    address = _with_tls(redis, address)
    return address if url else None


def _with_credentials(redis: RedisSettings, address: RedisAddress) -> RedisAddress:
    for key, file, other in (
        ("username_file", redis.username_file, address.username),
        ("password_file", redis.password_file, address.password),
    ):
        if file is not None and (other or not redis.url.get_secret_value()):
            what = "redis.url holds one, too" if other else "the embedded Valkey takes none: expected redis.url, too"
            raise UnusableSettingError(what, key=f"redis.{key}")
    if redis.username_file is not None and not (address.password or redis.password_file):
        problem = "a user needs a password: expected redis.password_file, too"
        raise UnusableSettingError(problem, key="redis.username_file")
    found = replace(address, username_file=redis.username_file, password_file=redis.password_file)
    try:
        found.credentials()
    except OSError as error:
        key = "username_file" if str(redis.username_file) in str(error) else "password_file"
        raise UnusableSettingError(error, key=f"redis.{key}") from None
    return found


def _with_tls(redis: RedisSettings, address: RedisAddress) -> RedisAddress:
    chosen = {"ca": redis.tls_ca, "cert": redis.tls_cert, "key": redis.tls_key, "server_name": redis.tls_server_name}
    named = [f"redis.tls_{name}" for name, value in chosen.items() if value]
    if address.tls is None:
        if named:
            problem = "TLS is not used: expected redis.url to begin with rediss://"
            raise UnusableSettingError(problem, key=named[0])
        return address
    if redis.tls_key is not None and redis.tls_cert is None:
        problem = "a key needs its certificate: expected redis.tls_cert, too"
        raise UnusableSettingError(problem, key="redis.tls_key")
    tls = RedisTls(ca=redis.tls_ca, cert=redis.tls_cert, key=redis.tls_key, server_name=redis.tls_server_name)
    try:
        tls.context()
    except OSError as error:
        key = "ca" if redis.tls_ca is not None and str(redis.tls_ca) in str(error) else "cert"
        raise UnusableSettingError(error, key=f"redis.tls_{key}") from None
    return replace(address, tls=tls)
