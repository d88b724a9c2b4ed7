"""ReportService: what the business looks like."""

from tallygate.billing.experiments import compare_variants
from tallygate.billing.reporting import report
from tallygate.domain.billing.experiments import Arm
from tallygate.domain.billing.reporting import Report
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.ports import BillingWork
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.plan import texts
from tallygate.server.wire.report import encode_arm, encode_report
from tallygate.server.wire.scalars import optional_instant
from tallygate_api.v1 import report_service_pb2 as wire


class ReportServicer:
    """Serves ReportService."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def GetReport(self, request: wire.GetReportRequest, call: Call) -> wire.GetReportResponse:  # noqa: N802 - the wire's name
        """What happened in a time."""
        start, end = _time(request)

        async def made(work: BillingWork, now: int) -> Report:
            return await report(work, start=start, end=now if end is None else end, now=now)

        return encode_report(await self._work.read(call, made))

    async def CompareVariants(self, request: wire.CompareVariantsRequest, call: Call) -> wire.CompareVariantsResponse:  # noqa: N802 - the wire's name
        """What came of an experiment."""
        start, end = _time(request)
        experiment, variants = request.experiment_key, texts(request.variants, "variants")

        async def compared(work: BillingWork, now: int) -> tuple[Arm, ...]:
            until = now if end is None else end
            return await compare_variants(work, experiment, variants, start=start, end=until, now=now)

        return wire.CompareVariantsResponse(outcomes=map(encode_arm, await self._work.read(call, compared)))


def _time(request: wire.GetReportRequest | wire.CompareVariantsRequest) -> tuple[int, int | None]:
    start = optional_instant(request, "start_time")
    if start is None:
        raise InvalidFieldError(field="start_time", expected="an instant")
    return start, optional_instant(request, "end_time")
