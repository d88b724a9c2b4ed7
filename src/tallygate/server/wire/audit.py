"""Entries of the audit log, domain to wire."""

import json

from tallygate.domain.audit_log import AuditEntry, joined
from tallygate.server.wire.scalars import timestamp
from tallygate_api.v1 import audit_service_pb2 as wire


def encode_entry(entry: AuditEntry) -> wire.AuditEntry:
    """One entry, with what is personal in it in its place."""
    return wire.AuditEntry(
        place=entry.place,
        entry_time=timestamp(entry.entry_time),
        method=entry.method,
        account_id=entry.account_id,
        resource=entry.resource,
        key_id=entry.key_id,
        key_name=entry.key_name,
        actor=entry.actor,
        source=entry.source,
        request_id=entry.request_id,
        reason=entry.reason,
        details=json.dumps(joined(entry.details, entry.personal), ensure_ascii=False, sort_keys=True),
    )
