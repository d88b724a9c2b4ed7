"""TestClockService: the clock of a test tenant, set once, then forwards only."""

from google.protobuf.duration_pb2 import Duration

from tallygate.control_plane.clocks import TestClock, advance_clock, get_clock, set_clock
from tallygate.domain.errors import InvalidFieldError
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.scalars import optional_duration, optional_instant, timestamp
from tallygate_api.v1 import test_clock_service_pb2 as wire


class TestClockServicer:
    """Serves TestClockService."""

    __test__ = False  # pytest takes classes called Test... for tests

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def GetTestClock(self, _request: wire.GetTestClockRequest, call: Call) -> wire.GetTestClockResponse:  # noqa: N802 - the wire's name
        """Read the clock."""
        real = self._work.clock()
        clock = await self._work.read(call, lambda work, now: get_clock(work, now=now, real=real))
        return wire.GetTestClockResponse(clock=_encode(clock))

    async def SetTestClock(self, request: wire.SetTestClockRequest, call: Call) -> wire.SetTestClockResponse:  # noqa: N802 - the wire's name
        """Set the clock, and let it run or stand."""
        to, real = optional_instant(request, "time"), self._work.clock()
        standing = request.standing if request.HasField("standing") else None
        if to is None and standing is None:
            raise InvalidFieldError(field="time", expected="time, standing or both")
        written = await self._work.write(
            call, lambda work, now: set_clock(work, now=now, real=real, to=to, standing=standing)
        )
        return wire.SetTestClockResponse(clock=_encode(written.value), view_version=written.view_version)

    async def AdvanceTestClock(  # noqa: N802 - the wire's name
        self, request: wire.AdvanceTestClockRequest, call: Call
    ) -> wire.AdvanceTestClockResponse:
        """Move the clock forwards."""
        by, to = optional_duration(request, "duration"), optional_instant(request, "to_time")
        if by is None and to is None:
            raise InvalidFieldError(field="target", expected="duration or to_time")
        real = self._work.clock()
        written = await self._work.write(
            call, lambda work, now: advance_clock(work, now=now, real=real, by=by or 0, to=to)
        )
        return wire.AdvanceTestClockResponse(clock=_encode(written.value), view_version=written.view_version)


def _encode(clock: TestClock) -> wire.TestClock:
    offset = Duration()
    offset.FromMicroseconds(clock.offset)
    return wire.TestClock(current_time=timestamp(clock.now), offset=offset, standing=clock.standing)
