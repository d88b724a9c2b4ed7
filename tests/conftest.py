"""What every test may ask for: a running server in this process, on real Valkey and SQLite."""

import logging
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc
import pytest
import pytest_asyncio
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

import patience
from apps import Apps
from billed_worlds import Places
from registers import Register
from tallygate.app import Application
from tallygate.domain.credential import ENTROPY_BYTES, mint_key
from tallygate.server.transport.lending import LendingLoop
from tallygate.settings import BillingSettings, DatabaseSettings, RedisSettings, ServerSettings, Settings, TaxSettings

hypothesis_settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("patient")  # how long an example takes says how loaded the machine is


def pytest_xdist_auto_num_workers():
    """Two more than there are CPUs: a fifth of the time tests wait for servers that start, stop or die."""
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown():
    """What a server in this process set up to log stays with its test; its stream is closed behind it."""
    try:
        return (yield)
    finally:
        root = logging.getLogger()
        root.handlers[:] = [each for each in root.handlers if type(each).__module__.startswith("_pytest")]
        root.setLevel(logging.WARNING)


def pytest_asyncio_loop_factories():
    """The loop that servers run on."""
    return {"lending": LendingLoop}


@dataclass(frozen=True)
class LiveServer:
    """A server with `--testing`: any fresh key opens a tenant of its own with a clock that can be moved."""

    application: Application
    address: str
    admin_address: str
    settings: Settings

    def new_test_tenant(self) -> str:
        return mint_key(secrets.token_bytes(ENTROPY_BYTES))

    def channel(self) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(self.address)


def bearer(key: str) -> tuple[tuple[str, str], ...]:
    """The metadata that carries a key."""
    return (("authorization", f"Bearer {key}"),)


def testing_settings(directory, **changes) -> Settings:
    """Settings of a server on free ports in this directory, which waits for a loaded machine."""
    return Settings(
        data_dir=directory,
        testing=True,
        server=ServerSettings(grpc_address="127.0.0.1:0", admin_address="127.0.0.1:0", **patience.SERVER),
        database=DatabaseSettings(),
        **{"redis": RedisSettings(**patience.REDIS), **changes},
    )


@pytest.fixture(scope="session")
def apps(tmp_path_factory):
    """Apps that tell charges of their own, which the live server trusts."""
    with Apps(tmp_path_factory.mktemp("apps")) as found:
        yield found


@pytest_asyncio.fixture(scope="session")
async def live_server(tmp_path_factory: pytest.TempPathFactory, apps: Apps) -> AsyncIterator[LiveServer]:
    with Register() as register:
        tax = TaxSettings(vies_url=register.url, vies_timeout=0.5)
        billing = BillingSettings(charge_service_ca=apps.authority)
        settings = testing_settings(tmp_path_factory.mktemp("live"), tax=tax, billing=billing)
        async with Application(settings) as application:
            yield LiveServer(
                application=application,
                address=application.grpc_address,
                admin_address=application.admin_address,
                settings=settings,
            )


testing_settings.__test__ = False


@pytest.fixture(scope="session")
def places(tmp_path_factory):
    """Databases of a test's own, on either kind."""
    found = Places(tmp_path_factory.mktemp("places"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def postgres(places):
    """PostgreSQL for databases of a test's own: one starts for all tests of a process."""
    return places.postgres()
