"""AuditService: who did what, and whether that is as it was written."""

from tallygate.control_plane.audit_log import VERIFIED_AT_ONCE, list_entries, verify
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.audit_log import EntryQuery
from tallygate.records.sealing import Sealing
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork, document_page
from tallygate.server.wire.audit import encode_entry
from tallygate.server.wire.scalars import optional_identifier, optional_instant
from tallygate_api.v1 import audit_service_pb2 as wire


class AuditServicer:
    """Serves AuditService."""

    def __init__(self, work: TenantWork, sealing: Sealing) -> None:
        self._work = work
        self._sealing = sealing

    async def ListAuditEntries(  # noqa: N802 - the wire's name
        self, request: wire.ListAuditEntriesRequest, call: Call
    ) -> wire.ListAuditEntriesResponse:
        """Entries, newest first."""
        page = document_page(request.page_size, request.page_token)
        wanted = EntryQuery(
            account_id=optional_identifier(request.account_id, "account_id"),
            method=optional_identifier(request.method, "method"),
            key_id=optional_identifier(request.key_id, "key_id"),
            request_id=optional_identifier(request.request_id, "request_id"),
            start_time=optional_instant(request, "start_time"),
            end_time=optional_instant(request, "end_time"),
        )
        found = await self._work.read(call, lambda work, _: list_entries(work, wanted, page))
        return wire.ListAuditEntriesResponse(
            entries=map(encode_entry, found.items), next_page_token=found.next_page_token
        )

    async def VerifyAuditLog(self, request: wire.VerifyAuditLogRequest, call: Call) -> wire.VerifyAuditLogResponse:  # noqa: N802 - the wire's name
        """Whether all is as it was chained."""
        after = request.after_place
        if after < 0:
            raise InvalidFieldError(field="after_place", expected="at least 0", got=str(after))
        found = await self._work.read(call, lambda work, _: verify(work, self._sealing, after=after))
        return wire.VerifyAuditLogResponse(
            verified_place=found.entries,
            waiting=found.waiting,
            anchored_place=found.anchored,
            head_hash=found.head,
            faulty_place=found.place,
            fault=found.fault.value if found.fault is not None else "",
            more=found.fault is None and found.entries + found.waiting - after >= VERIFIED_AT_ONCE,
        )
