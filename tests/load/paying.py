"""What being paid costs: `python -m load.paying` prints attempts and webhooks a second on both databases, and what a
gateway that takes five seconds for an answer costs everybody else.

The first two in this process, on the built-in gateway, whose own books are in the same database; the last on a whole
server of role `all` beside a stand-in of Stripe.
"""

import asyncio
import base64
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc

from conftest import testing_settings
from faults.crashes import DAY, NOVEMBER, Steps, opened, published
from faults.paying import PayingWorld, attached
from faults.test_webhook_storm import attempts, gateway_set, heard, told
from gateway_worlds import CREDENTIALS, TOKENS
from invoicing import catalog
from load.closing import database, subscribed
from load.figure import Figure
from load.world import scratch_directory
from stand_ins.stripe import StripeStandIn
from tallygate.app import Application, create_key, create_tenant
from tallygate.domain.billing.payments import AttemptState
from tallygate.records.jobs import CLOSE
from tallygate.records.payments import COLLECT
from tallygate.settings import BillingSettings
from tallygate.storage.sql.schema import migrate
from tenants import Tenant, eventually

ACCOUNTS = 400
ABREAST = 8
"""Webhooks that come at the same time."""
SLOW_SECONDS = 5.0
_SLOW, _LOOKS = 40, 400


def figures(databases: Sequence[str] = ("sqlite", "postgresql"), accounts: int = ACCOUNTS) -> list[Figure]:
    """Attempts and webhooks a second, and how much longer others take beside a slow gateway."""
    found: list[Figure] = []
    for name in databases:
        with database(name) as url:
            found += asyncio.run(_money(name, url(), accounts))
    return [*found, *asyncio.run(_beside_a_slow_gateway())]


async def _money(name: str, url: str, accounts: int) -> list[Figure]:
    """Every account pays its first invoice: half at once, half when their gateway tells of it."""
    await asyncio.to_thread(migrate, url)
    world = PayingWorld(url, Steps(), now=NOVEMBER - DAY, durable=True)
    for act in (opened, published, gateway_set):
        await act(world)
    world.now = NOVEMBER
    ids = [f"a{number:06}" for number in range(accounts)]
    await world.write(lambda work, now: subscribed(work, ids, now))
    for number, account_id in enumerate(ids):
        await attached(account_id, "fake_pending" if number % 2 else "fake_ok")(world)
    while await world.worker(kinds=[CLOSE]).round():
        pass
    collecting = world.worker(kinds=[COLLECT])
    begun, cpu = time.monotonic(), time.process_time()
    while await collecting.round():
        pass
    made = _rate(name, "attempts", accounts, begun, cpu)
    pending = [one for one in await attempts(world) if one.state is AttemptState.PENDING]
    bodies = [told(one, AttemptState.SUCCEEDED, f"ev_{number}") for number, one in enumerate(pending)]
    turns = iter(bodies)

    async def one() -> None:
        for body in turns:
            await heard(world, body)

    begun, cpu = time.monotonic(), time.process_time()
    await asyncio.gather(*(one() for _ in range(ABREAST)))
    kept = _rate(name, "webhooks", len(bodies), begun, cpu)
    states = {one.state for one in await attempts(world)}
    assert states == {AttemptState.SUCCEEDED}, states
    await world.close()
    return [made, kept]


def _rate(name: str, what: str, count: int, begun: float, cpu: float) -> Figure:
    seconds, spent = time.monotonic() - begun, time.process_time() - cpu
    note = f"{count:,} in {seconds:.1f} s; {1000 * spent / count:.1f} ms CPU each"
    return Figure(name=f"{what} a second", unit="/s", value=count / seconds, transport=name, note=note)


@asynccontextmanager
async def _server(stand_in: StripeStandIn) -> AsyncIterator[tuple[Tenant, Tenant]]:
    """Two live tenants of one server: the first is paid through Stripe, the second through the built-in gateway."""
    directory = scratch_directory()
    (directory / "master.key").write_text(base64.b64encode(bytes(32)).decode())
    billing = BillingSettings(
        master_key_file=directory / "master.key", fake_on_live=True, gateway_timeout=8, stripe_url=stand_in.url
    )
    settings = testing_settings(directory / "data", billing=billing)
    async with Application(settings):
        pass
    keys = []
    for name in ("slow", "quick"):
        await create_tenant(settings, tenant_id=name)
        _, key = await create_key(settings, tenant_id=name, name="k", scopes={"control", "data", "billing"})
        keys.append(key)
    async with Application(settings) as application, grpc.aio.insecure_channel(application.grpc_address) as channel:
        slow, quick = (Tenant(channel, key) for key in keys)
        yield slow, quick


async def _accounts(tenant: Tenant, gateway: str, token: str, count: int) -> None:
    await tenant.apply(catalog({"recurring": {"amount": "29.00"}}))
    await tenant.call("SetGateway", name=gateway, credentials=CREDENTIALS[gateway])
    for number in range(count):
        await tenant.call("UpsertAccount", account_id=f"a{number}")
        await tenant.call("AttachMethod", account_id=f"a{number}", token=token)


async def _beside_a_slow_gateway() -> list[Figure]:
    """Checks and closes of one tenant, alone and while forty charges of another wait five seconds each."""
    with StripeStandIn() as stand_in:
        async with _server(stand_in) as (slow, quick):
            await _accounts(slow, "stripe", TOKENS["stripe"]["pays"], _SLOW)
            await _accounts(quick, "fake", "fake_ok", 2 * _SLOW)
            alone = await _looks(quick, range(_SLOW))
            charge = stand_in.create_intent

            def late(asked: Any) -> Any:
                stand_in.lock.release()  # it works on many at once, each slowly
                time.sleep(SLOW_SECONDS)
                stand_in.lock.acquire()
                return charge(asked)

            stand_in.create_intent = late  # type: ignore[method-assign] # what a stand-in may do
            for number in range(_SLOW):
                await slow.call("CreateSubscription", account_id=f"a{number}", plan_key="pro")
            await eventually(lambda: _is_asked(stand_in), what="a charge to be on its way")
            beside = await _looks(quick, range(_SLOW, 2 * _SLOW))
            waiting = stand_in.count("POST", "/v1/payment_intents") - len(stand_in.intents)
    assert waiting > 0, "the gateway had answered before the looks were over"
    names = ("check, p50", "check, p99", "close of an account, p50")
    note = f"{SLOW_SECONDS:g} s an answer, {waiting} charges waiting at the end"
    return [
        Figure(name=f"{name}, beside a slow gateway", unit="ms", value=after, note=f"{before:.2f} ms alone; {note}")
        for name, before, after in zip(names, alone, beside, strict=True)
    ]


async def _is_asked(stand_in: StripeStandIn) -> bool:
    return stand_in.count("POST", "/v1/payment_intents") > 0


async def _looks(tenant: Tenant, accounts: range) -> tuple[float, float, float]:
    """Milliseconds of a check in the middle and of the slowest hundredth, and of issuing an account's first invoice."""
    checks, closes = [], []
    for number in accounts:
        await tenant.call("CreateSubscription", account_id=f"a{number}", plan_key="pro")
        begun = time.monotonic()
        await tenant.call("RunBilling", account_id=f"a{number}")
        closes.append(time.monotonic() - begun)
        for _ in range(_LOOKS // len(accounts)):
            begun = time.monotonic()
            await tenant.check(f"a{number}", "calls")
            checks.append(time.monotonic() - begun)
    slowest = statistics.quantiles(checks, n=100)[-1]
    return 1000 * statistics.median(checks), 1000 * slowest, 1000 * statistics.median(closes)


def main(arguments: list[str]) -> None:
    """Print the figures."""
    databases = tuple(word for word in arguments if not word.isdigit()) or ("sqlite", "postgresql")
    accounts = next((int(word) for word in arguments if word.isdigit()), ACCOUNTS)
    for one in figures(databases, accounts):
        sys.stdout.write(f"{one.transport:11} {one.name:45} {one.value or 0.0:9.2f} {one.unit:3}: {one.note}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
