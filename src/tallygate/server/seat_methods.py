"""The methods of AccountService about named seats."""

from tallygate.control_plane.lookup import account_record
from tallygate.control_plane.paging import Page, PageRequest, slice_of
from tallygate.control_plane.ports import UnitOfWork
from tallygate.control_plane.records import SeatHolder
from tallygate.control_plane.seats import AssignSeat, assign_seat, list_seats, unassign_seat
from tallygate.domain.errors import MAX_QUANTITY
from tallygate.server.calls import Call
from tallygate.server.codec import identifier
from tallygate.server.codec_account import encode_seat
from tallygate.server.codec_decision import encode_decision
from tallygate.server.tenant_work import TenantWork, page_request
from tallygate_api.v1 import account_service_pb2 as wire

_ALL = min(MAX_QUANTITY, 1_000_000)
"""More seats than an account can have listed at once."""


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

        async def assign(work: UnitOfWork, now: int) -> wire.AssignSeatResponse:
            decision = await assign_seat(work, wanted, now=now)
            answer = wire.AssignSeatResponse(decision=encode_decision(decision))
            for holder in await work.seats.list(wanted.account_id, wanted.feature_key, after="", limit=_ALL):
                if holder.user_id == wanted.user_id:
                    answer.seat.CopyFrom(encode_seat(holder))
            return answer

        written = await self._work.write(call, assign)
        written.value.view_version = written.value.decision.view_version = written.view_version
        return written.value

    async def UnassignSeat(self, request: wire.UnassignSeatRequest, call: Call) -> wire.UnassignSeatResponse:  # noqa: N802 - the wire's name
        """Take a user's seat; one who holds none is passed over."""
        account_id = identifier(request.account_id, "account_id")
        feature_key = identifier(request.feature_key, "feature_key")
        user_id = identifier(request.user_id, "user_id")
        written = await self._work.write(call, lambda work, _: unassign_seat(work, account_id, feature_key, user_id))
        return wire.UnassignSeatResponse(unassigned=written.value, view_version=written.view_version)

    async def ListSeats(self, request: wire.ListSeatsRequest, call: Call) -> wire.ListSeatsResponse:  # noqa: N802 - the wire's name
        """Seats of one feature, or of all, by feature and user."""
        account_id = identifier(request.account_id, "account_id")
        page = page_request(request.page_size, request.page_token)

        async def load(work: UnitOfWork, _now: int) -> Page[SeatHolder]:
            if request.feature_key:
                return await list_seats(work, account_id, request.feature_key, page)
            return await _all_seats(work, account_id, page)

        found = await self._work.read(call, load)
        return wire.ListSeatsResponse(seats=map(encode_seat, found.items), next_page_token=found.next_page_token)


async def _all_seats(work: UnitOfWork, account_id: str, page: PageRequest) -> Page[SeatHolder]:
    record = await account_record(work, account_id)
    holders = [
        holder
        for feature_key in record.seats
        for holder in await work.seats.list(account_id, feature_key, after="", limit=_ALL)
    ]
    return slice_of(page, holders, lambda holder: f"{holder.feature_key}\x1f{holder.user_id}")
