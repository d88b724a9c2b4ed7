"""MessageService: what was told of what happened."""

from tallygate.billing.telling import list_messages
from tallygate.domain.fields import checked_page
from tallygate.records.messages import MessageQuery
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.message import decode_kind, encode_message
from tallygate.server.wire.scalars import optional_identifier, quantity
from tallygate_api.v1 import message_service_pb2 as wire

_USUAL_PAGE, _LARGEST_PAGE = 25, 100


class MessageServicer:
    """Serves MessageService."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def ListMessages(self, request: wire.ListMessagesRequest, call: Call) -> wire.ListMessagesResponse:  # noqa: N802 - the wire's name
        """Messages after a sequence."""
        wanted = MessageQuery(
            limit=checked_page(request.page_size, usual=_USUAL_PAGE, most=_LARGEST_PAGE),
            after=quantity(request.after_sequence, "after_sequence", at_least=0),
            account_id=optional_identifier(request.account_id, "account_id"),
            invoice_id=optional_identifier(request.invoice_id, "invoice_id"),
            kind=decode_kind(request.type),
        )
        found, following = await self._work.read(call, lambda work, _: list_messages(work, wanted))
        return wire.ListMessagesResponse(messages=map(encode_message, found), next_after_sequence=following)
