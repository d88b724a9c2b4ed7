"""The control plane's servicers, joined to their use-cases."""

from collections.abc import Iterable

from google.protobuf.descriptor import ServiceDescriptor

from tallygate.app import clock
from tallygate.app.control_side import ControlSide
from tallygate.app.data_side import DataSide
from tallygate.control_plane.tenants import open_test_tenant
from tallygate.domain.credential import KeyRecord
from tallygate.server.authentication import OpenTestTenant
from tallygate.server.metrics import Metrics


def tenant_opener(control: ControlSide) -> OpenTestTenant:
    """What `--testing` does with an unknown key: open the test tenant that it stands for."""

    async def opened(secret: str) -> KeyRecord:
        stored = await open_test_tenant(control.transactions, secret, now=clock.now())
        return stored.record

    return opened


def control_services(
    data: DataSide, control: ControlSide, metrics: Metrics
) -> Iterable[tuple[ServiceDescriptor, object]]:
    """Every service of the control plane with its servicer."""
    return ()
