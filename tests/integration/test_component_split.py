"""The parts of a house, each with a contract of its own: what stops takes nothing else with it."""

from contextlib import asynccontextmanager

import grpc
import pytest

from child_processes import temporary_directory
from command_line import tallygate
from servers import ValkeyServer
from tallygate_process import TallygateProcess
from tenants import METHODS, Tenant, failure

CONTRACTS = {
    "entitlements": {"CheckEntitlement", "ConsumeQuota", "RateLimit"},
    "metering": {"GetUsage", "RecordUsage"},
    "billing": {"RunBilling", "CreateFee"},
    "invoices": {"GetInvoice", "ListInvoices"},
    "payments": {"Pay", "AttachMethod"},
    "pricing": {"Quote", "PreviewChange"},
    "discounts": {"CreateCoupon", "CheckCoupon"},
    "messages": {"ListMessages"},
}
CATALOG = {
    "currency": "USD",
    "features": {"calls": {"kind": "metered"}},
    "plans": {
        "p": {"version": 1, "entitlements": {"calls": {"limit": 10}}, "prices": [{"recurring": {"amount": "29.00"}}]}
    },
}
ACME = {"account_id": "acme"}


@pytest.fixture
def house():
    """Control plane (with pricing, discounts, billing), worker and sidecar, each a process of its own."""
    directory = temporary_directory("tg-split-")
    (directory / "sidecar").mkdir()
    with ValkeyServer(append_only=True) as valkey:
        shared = {"TALLYGATE_REDIS__URL": valkey.url, "TALLYGATE_TESTING": "false"}
        with_sql = {
            **shared,
            "TALLYGATE_DATABASE__URL": f"sqlite:///{directory}/shared.db",
            "TALLYGATE_BOOTSTRAP_KEY_FILE": str(directory / "key"),
        }
        parts = {
            "worker": TallygateProcess(directory=directory, role="worker", environment=with_sql),
            "control": TallygateProcess(directory=directory, role="control", environment=with_sql),
            "data": TallygateProcess(directory=directory / "sidecar", role="data", environment=shared),
        }
        tallygate("migrate", environment=parts["worker"].environment, directory=directory)
        try:
            for part in parts.values():
                part.start()
            yield parts, (directory / "key").read_text().strip()
        finally:
            for part in reversed(parts.values()):
                part.stop()


@asynccontextmanager
async def tenant_of(part, key):
    async with grpc.aio.insecure_channel(part.address) as channel:
        yield Tenant(channel, key)


def test_ar_31_each_part_has_a_contract_of_its_own():
    services = {
        part: {METHODS[name].containing_service.full_name for name in names} for part, names in CONTRACTS.items()
    }
    assert all(len(each) == 1 for each in services.values()), services
    assert len({name for each in services.values() for name in each}) == len(services), "no two parts share one"


async def test_ar_31_without_pricing_billing_and_metering_entitlements_are_still_answered(house):
    """The control plane and the worker are killed: checks and consumes go on, no limit is passed, nothing is lost."""
    parts, key = house
    async with tenant_of(parts["control"], key) as control, tenant_of(parts["data"], key) as sidecar:
        await control.apply(CATALOG)
        await control.call("UpsertAccount", **ACME, plan_key="p")
        assert (await control.call("Quote", plan_key="p")).opening
        sidecar.view_version = control.view_version
        assert (await sidecar.check("acme", "calls")).remaining == 10
        parts["control"].kill()
        assert (await failure(control.call("Quote", plan_key="p")))[0] is grpc.StatusCode.UNAVAILABLE
        assert (await sidecar.consume("acme", "calls", 4, request_id="a")).used == 4
        parts["worker"].kill()
        assert (await sidecar.consume("acme", "calls", 4, request_id="b")).used == 8
        assert (await sidecar.check("acme", "calls")).remaining == 2
        assert not (await sidecar.consume("acme", "calls", 4, request_id="c")).allowed
    for name in ("worker", "control"):
        parts[name].start()
    async with tenant_of(parts["control"], key) as control:
        await control.usage_reaches("acme", "calls", 8)
        events = (await control.call("ListEvents", **ACME)).events
        assert sorted(event.data.request_id for event in events) == ["a", "b"]
