"""What a store's answer means that decided nothing: the error whose it is."""

from tallygate.data_plane.ports import AdmitCall, AdmitReply
from tallygate.domain.errors import (
    MAX_QUANTITY,
    EventBacklogError,
    InvalidFieldError,
    OutOfRangeError,
    RequestIdReusedError,
    TallygateError,
)
from tallygate.domain.gating.admit import AdmitStatus
from tallygate.domain.gating.quota import LATENESS_AHEAD, QuotaGate
from tallygate.domain.instants import rfc3339


def undecided(reply: AdmitReply, call: AdmitCall) -> TallygateError:
    """Why a call was neither allowed nor denied."""
    match reply.status:
        case AdmitStatus.OCCURRED_OUT_OF_RANGE:
            return _out_of_range(call, reply.now)
        case AdmitStatus.COUNTER_OVERFLOW:
            return InvalidFieldError(field="quantity", expected=f"usage of at most {MAX_QUANTITY} in one period")
        case AdmitStatus.REQUEST_ID_REUSED:
            return RequestIdReusedError()
        case AdmitStatus.EVENT_BACKLOG:
            return EventBacklogError()
        case _:
            msg = f"a status that ends no call: {reply.status}"
            raise ValueError(msg)


def _out_of_range(call: AdmitCall, now: int) -> OutOfRangeError:
    """What the first gate whose instant is too far off could have been asked for."""
    ranges = [
        (item.gate.occurred_time, segment.previous_start, now + LATENESS_AHEAD)
        for item in call.gates
        if isinstance(item.gate, QuotaGate) and item.gate.occurred_time is not None
        for segment in item.gate.segments
        if segment.start <= now < segment.end
    ]
    at, earliest, latest = next(span for span in ranges if not span[1] <= span[0] <= span[2])
    return OutOfRangeError(
        field="occurred_time",
        expected=f"from the start of the previous usage period, {rfc3339(earliest)}, to 5 minutes from now",
        earliest=rfc3339(earliest),
        latest=rfc3339(latest),
        got=rfc3339(at),
    )
