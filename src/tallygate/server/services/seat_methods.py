"""The methods of AccountService about named seats."""

from dataclasses import replace

from tallygate.control_plane.seats import AssignSeat, assign_seat, list_seats, unassign_seat
from tallygate.server.calls.method import Call
from tallygate.server.services.charging import charged
from tallygate.server.services.tenant_work import TenantWork, page_request
from tallygate.server.wire.account import encode_seat
from tallygate.server.wire.decision import encode_decision
from tallygate.server.wire.invoice import encode_invoice
from tallygate.server.wire.scalars import identifier, optional_identifier
from tallygate_api.v1 import account_service_pb2 as wire


class SeatMethods:
    """Assign, unassign and list seats."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def AssignSeat(self, request: wire.AssignSeatRequest, call: Call) -> wire.AssignSeatResponse:  # noqa: N802 - the wire's name
        """Give a user a seat; who holds one keeps it. A denial is an answer."""
        wanted = AssignSeat(
            account_id=identifier(request.account_id, "account_id"),
            feature_key=identifier(request.feature_key, "feature_key"),
            user_id=identifier(request.user_id, "user_id"),
        )

        change = charged(wanted.account_id, request, lambda work, now: assign_seat(work, wanted, now=now))
        written = await self._work.write(call, change)
        assigned, version = written.value.value, written.view_version
        return wire.AssignSeatResponse(
            decision=encode_decision(replace(assigned.decision, view_version=version)),
            seat=encode_seat(assigned.holder) if assigned.holder is not None else None,
            view_version=version,
            invoices=map(encode_invoice, written.value.invoices),
        )

    async def UnassignSeat(self, request: wire.UnassignSeatRequest, call: Call) -> wire.UnassignSeatResponse:  # noqa: N802 - the wire's name
        """Take a user's seat; one who holds none is passed over."""
        account_id = identifier(request.account_id, "account_id")
        feature_key = identifier(request.feature_key, "feature_key")
        user_id = identifier(request.user_id, "user_id")
        change = charged(account_id, request, lambda work, _: unassign_seat(work, account_id, feature_key, user_id))
        written = await self._work.write(call, change)
        return wire.UnassignSeatResponse(
            unassigned=written.value.value,
            view_version=written.view_version,
            invoices=map(encode_invoice, written.value.invoices),
        )

    async def ListSeats(self, request: wire.ListSeatsRequest, call: Call) -> wire.ListSeatsResponse:  # noqa: N802 - the wire's name
        """Seats of one feature, or of all, by feature and user."""
        account_id = identifier(request.account_id, "account_id")
        feature_key = optional_identifier(request.feature_key, "feature_key")
        page = page_request(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, _: list_seats(work, account_id, feature_key, page))
        return wire.ListSeatsResponse(seats=map(encode_seat, found.items), next_page_token=found.next_page_token)
