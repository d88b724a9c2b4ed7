"""What the audit log keeps of a call that writes: who, in whose name, from where, and what was asked for."""

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from tallygate.domain.credential import KeyRecord
from tallygate.records.audit_log import Origin
from tallygate.server.calls.method import Method
from tallygate.server.operations.logs import CallInfo

API, SELF_SERVICE = "api", "self_service"


def origin_of(method: Method, request: Message, key: KeyRecord, info: CallInfo) -> Origin:
    """The origin of what a call writes; whoever keeps it takes secrets and what is personal out of the request."""
    return Origin(
        method=method.name,
        key_id=key.key_id,
        key_name=key.name,
        actor=info.actor,
        source=SELF_SERVICE if key.account_id else API,
        request_id=info.request_id,
        asked=lambda: MessageToDict(request, preserving_proto_field_name=True),
    )
