"""The control plane's servicers, joined to their use-cases."""

from google.protobuf.descriptor import ServiceDescriptor

from tallygate.app import clock
from tallygate.app.control_side import ControlSide
from tallygate.app.data_side import DataSide
from tallygate.control_plane.tenants import open_test_tenant
from tallygate.domain.credential import KeyRecord
from tallygate.server.account_service import AccountServicer
from tallygate.server.api_key_service import ApiKeyServicer
from tallygate.server.authentication import OpenTestTenant
from tallygate.server.catalog_service import CatalogServicer
from tallygate.server.subscription_service import SubscriptionServicer
from tallygate.server.tenant_work import TenantWork
from tallygate.server.test_clock_service import TestClockServicer
from tallygate.server.usage_service import UsageServicer
from tallygate_api.v1 import (
    account_service_pb2,
    api_key_service_pb2,
    catalog_service_pb2,
    subscription_service_pb2,
    test_clock_service_pb2,
    usage_service_pb2,
)


def tenant_opener(control: ControlSide) -> OpenTestTenant:
    """What `--testing` does with an unknown key: open the test tenant that it stands for."""

    async def opened(secret: str) -> KeyRecord:
        stored = await open_test_tenant(control.transactions, secret, now=clock.now())
        return stored.record

    return opened


def control_services(data: DataSide, control: ControlSide) -> list[tuple[ServiceDescriptor, object]]:
    """Every service of the control plane with its servicer."""
    work = TenantWork(transactions=control.transactions, clock=clock.now, new_id=clock.new_id)
    usage = UsageServicer(work, events=control.events, usage=control.usage, consume=data.consumes.consume)
    return [
        (account_service_pb2.DESCRIPTOR.services_by_name["AccountService"], AccountServicer(work)),
        (api_key_service_pb2.DESCRIPTOR.services_by_name["ApiKeyService"], ApiKeyServicer(work, entropy=clock.entropy)),
        (catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"], CatalogServicer(work)),
        (subscription_service_pb2.DESCRIPTOR.services_by_name["SubscriptionService"], SubscriptionServicer(work)),
        (test_clock_service_pb2.DESCRIPTOR.services_by_name["TestClockService"], TestClockServicer(work)),
        (usage_service_pb2.DESCRIPTOR.services_by_name["UsageService"], usage),
    ]
