"""TestClockService: the clock of a test tenant, forwards only."""

from tallygate.control_plane.clocks import TestClock, advance_clock, get_clock
from tallygate.domain.errors import InvalidFieldError
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.scalars import duration, optional_duration, optional_instant, timestamp
from tallygate_api.v1 import test_clock_service_pb2 as wire


class TestClockServicer:
    """Serves TestClockService."""

    __test__ = False  # pytest takes classes called Test... for tests

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def GetTestClock(self, _request: wire.GetTestClockRequest, call: Call) -> wire.GetTestClockResponse:  # noqa: N802 - the wire's name
        """Read the clock."""
        clock = await self._work.read(call, lambda work, now: get_clock(work, now=now))
        return wire.GetTestClockResponse(clock=_encode(clock))

    async def AdvanceTestClock(  # noqa: N802 - the wire's name
        self, request: wire.AdvanceTestClockRequest, call: Call
    ) -> wire.AdvanceTestClockResponse:
        """Move the clock forwards."""
        by, to = optional_duration(request, "duration"), optional_instant(request, "to_time")
        if by is None and to is None:
            raise InvalidFieldError(field="target", expected="duration or to_time")
        written = await self._work.write(call, lambda work, now: advance_clock(work, now=now, by=by or 0, to=to))
        return wire.AdvanceTestClockResponse(clock=_encode(written.value), view_version=written.view_version)


def _encode(clock: TestClock) -> wire.TestClock:
    return wire.TestClock(current_time=timestamp(clock.now), offset=duration(clock.offset))
