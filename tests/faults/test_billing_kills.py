"""The process that makes invoices dies by kill -9, and Valkey beside it: the books are what they would have been."""

import asyncio
import random
from datetime import UTC, datetime

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from servers import ValkeyServer
from tallygate.domain.credential import mint_key
from tallygate.storage.sql.schema import migrate
from tallygate_api.v1.invoice_pb2 import INVOICE_KIND_OPENING
from tallygate_process import TallygateProcess
from tenants import Tenant, eventually

KEY = mint_key(b"billing kills".ljust(32, b"."))
ACCOUNTS, CALLS, MONTHS = 12, 5, 4
CATALOG = {
    "currency": "USD",
    "billing": {"grace": "0s"},
    "features": {"calls": {"kind": "metered"}},
    "plans": {
        "pro": {
            "version": 1,
            "billing": {"every": "month", "anchor": "calendar"},
            "entitlements": {"calls": {"unlimited": True}},
            "prices": [{"recurring": {"amount": "10.00"}}, {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}],
        }
    },
}


def month(number):
    stamp = Timestamp()
    stamp.FromDatetime(datetime(2026, number, 1, tzinfo=UTC))
    return stamp


@pytest.fixture(params=["sqlite", "postgres"])
def process(request):
    with ValkeyServer(append_only=True, append_fsync="always") as valkey:
        environment = {"TALLYGATE_REDIS__URL": valkey.url, "TALLYGATE_REDIS__PARTITIONS": "8"}
        if request.param == "postgres":
            environment["TALLYGATE_DATABASE__URL"] = request.getfixturevalue("postgres").create_database()
            migrate(environment["TALLYGATE_DATABASE__URL"])
        found = TallygateProcess(environment=environment)
        found.valkey = valkey
        with found:
            yield found


class Calls:
    """A tenant whose calls are repeated until a server answers; what they ask for is done once."""

    def __init__(self, process):
        self.process = process

    async def __call__(self, name, **fields):
        async def asked():
            async with grpc.aio.insecure_channel(self.process.address) as channel:
                try:
                    return await Tenant(channel, KEY).call(name, **fields)
                except grpc.aio.AioRpcError as error:
                    if error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
                        return None
                    raise

        return await eventually(asked, what=name)


async def begun(process):
    """Accounts on 1 January 2026, with calls, on a clock that stands."""
    call = Calls(process)
    await call("SetTestClock", time=month(1), standing=True)
    async with grpc.aio.insecure_channel(process.address) as channel:
        tenant = Tenant(channel, KEY)
        await tenant.apply(CATALOG)
        for number in range(ACCOUNTS):
            await tenant.call("UpsertAccount", account_id=f"a{number}", plan_key="pro")
            await tenant.consume(f"a{number}", "calls", CALLS)
    return call


def fell_due(invoice):
    """As the period began that it opens, or as the one ended that it closes."""
    return invoice.start_time if invoice.kind == INVOICE_KIND_OPENING else invoice.end_time


async def books(call):
    """Every document by number: the account, when it fell due, its total in cents."""
    while (await call("RunBilling")).more:
        pass
    found = (await call("ListInvoices", page_size=100)).invoices
    return sorted(
        (one.number, one.account_id, fell_due(one).seconds, one.total.units * 100 + one.total.nanos // 10**7)
        for one in found
    )


def expected():
    """An opening one of 10.00 each; at the end of January 10.00 and 5 calls at 0.50; then 10.00 a month."""
    return sorted(
        (f"a{number}", month(at).seconds, 1250 if at == 2 else 1000)
        for number in range(ACCOUNTS)
        for at in range(1, MONTHS + 1)
    )


async def test_kill_9_while_months_are_invoiced_changes_nothing(process):
    """Five deaths at random moments while three months fall due at once."""
    call = await begun(process)
    await call("SetTestClock", time=month(MONTHS), standing=True)
    dice = random.Random(5)
    for _ in range(5):
        running = asyncio.create_task(call("RunBilling"))
        await asyncio.sleep(dice.uniform(0.02, 0.5))
        process.kill()
        process.start()
        await running
    found = await books(call)
    assert sorted(one[1:] for one in found) == expected()
    assert [int(one[0][-6:]) for one in found] == list(range(1, len(found) + 1))


async def test_kill_9_of_valkey_and_collector_around_a_close_loses_no_use(process):
    """Both die with uses on their way, and the month ends while they are away: the close waits for the uses."""
    call = await begun(process)
    process.kill()
    process.valkey.kill()
    process.valkey.start()
    process.start()
    await call("SetTestClock", time=month(2), standing=True)
    process.valkey.kill()
    running = asyncio.create_task(call("RunBilling"))
    await asyncio.sleep(1)
    process.valkey.start()
    await running
    await call("SetTestClock", time=month(MONTHS), standing=True)
    assert sorted(one[1:] for one in await books(call)) == expected()
