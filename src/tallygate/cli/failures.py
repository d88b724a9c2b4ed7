"""What stops a command, as a sentence or as google.rpc.Status, and the exit code that it has."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tallygate.cli.terminal import tell

if TYPE_CHECKING:
    import grpc

DONE, DENIED, CALLER, UNDECIDED = range(4)
_INVALID_ARGUMENT, _UNKNOWN, _DEADLINE_EXCEEDED, _RESOURCE_EXHAUSTED, _UNIMPLEMENTED, _UNAVAILABLE = 3, 2, 4, 8, 12, 14
_CALLERS = frozenset({3, 5, 6, 7, 8, 9, 11, 16})
"""Status codes of what the caller must change: arguments, ids, versions, states, keys, and what is too large.

RESOURCE_EXHAUSTED says a message's size alone: overload is UNAVAILABLE.
"""
_DETAILS = "grpc-status-details-bin"
_LONGER = "--timeout gives it longer, as far as the server's server.max_deadline goes"
_NO_KEY = "name a key by --key-file or TALLYGATE_API_KEY, or run where `tallygate dev` runs"


_HANDSHAKE = re.compile(r"handshak|certificate|ssl|tls", re.IGNORECASE)


class CommandError(Exception):
    """A command cannot go on. The text is for people; `status` is google.rpc.Status as JSON."""

    def __init__(
        self,
        message: str,
        *,
        exit_code: int = CALLER,
        status: Mapping[str, Any] | None = None,
        hints: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        code = _INVALID_ARGUMENT if exit_code == CALLER else _UNKNOWN
        self.status = status or {"code": code, "message": message, "details": []}
        self.hints = tuple(hints)

    def reason(self) -> str:
        """The ErrorReason that the server named, or nothing."""
        return str(self._info().get("reason", ""))

    def metadata(self) -> Mapping[str, str]:
        """The facts that came with the reason."""
        facts = self._info().get("metadata", {})
        return facts if isinstance(facts, Mapping) else {}

    def _info(self) -> Mapping[str, Any]:
        found = (item for item in self.status.get("details", ()) if str(item.get("@type", "")).endswith("ErrorInfo"))
        return next(found, {})


def show_failure(error: CommandError, *, as_json: bool) -> None:
    """Write a failure to stderr."""
    if as_json:
        tell(json.dumps(error.status, indent=2, ensure_ascii=False))
        return
    for line in str(error).splitlines():
        tell(f"error: {line}")
    for hint in error.hints:
        tell(f"hint: {hint}")


def failure_of(error: "grpc.RpcError", *, address: str) -> CommandError:
    """The failure that a call ended in."""
    status = _status(error)
    code = int(status["code"])
    exit_code = CALLER if code in _CALLERS else UNDECIDED
    if not status["details"] and code == _UNAVAILABLE and _HANDSHAKE.search(status["message"]):
        message = f"no connection to {address} over TLS: it speaks none, or one side does not accept the other"
        hint = "--tls-ca names who signed its certificate, --tls-cert and --tls-key are ours"
        return CommandError(message, exit_code=exit_code, status=status, hints=[hint])
    if not status["details"] and code == _UNAVAILABLE:
        message = f"no server answers at {address}"
        hints = [
            "start one with `tallygate dev`, or name another by --server",
            "one that speaks TLS needs --tls-ca, and --tls-cert where it wants a certificate of ours",
        ]
        return CommandError(message, exit_code=exit_code, status=status, hints=hints)
    if not status["details"] and code == _DEADLINE_EXCEEDED:
        message = f"{address} gave no answer in time"
        return CommandError(message, exit_code=exit_code, status=status, hints=[_LONGER])
    if not status["details"] and code == _RESOURCE_EXHAUSTED:
        message = f"the message is larger than the server at {address} takes (server.max_message_bytes)"
        return CommandError(message, exit_code=exit_code, status=status)
    if not status["details"] and code == _UNIMPLEMENTED:
        message = f"the server at {address} does not offer this call, by its version or its role"
        return CommandError(message, exit_code=exit_code, status=status)
    failure = CommandError(status["message"] or "the call failed", exit_code=exit_code, status=status)
    failure.args = (field_problem(failure.metadata()) or str(failure),)
    if code == _DEADLINE_EXCEEDED:
        failure.hints = (_LONGER,)
    if failure.reason() == "UNAUTHENTICATED":
        failure.hints = (_NO_KEY,)
    return failure


def field_problem(facts: Mapping[str, str]) -> str:
    """What is wrong with a field, where an error's facts say so: `currency: expected ..., got ...`."""
    if "field" not in facts or "expected" not in facts:
        return ""
    got = f", got {facts['got'] or 'nothing'}" if "got" in facts else ""
    return f"{facts['field']}: expected {facts['expected']}{got}"


def _status(error: "grpc.RpcError") -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - only a failed call pays for it
    from google.rpc import error_details_pb2, status_pb2  # noqa: PLC0415

    call: Any = error  # what a stub raises is both, and its types say only one
    plain = {"code": call.code().value[0], "message": call.details() or "", "details": []}
    try:
        status = status_pb2.Status.FromString(dict(call.trailing_metadata() or ())[_DETAILS])
        assert error_details_pb2.DESCRIPTOR  # noqa: S101 - imported so that details of its types can be shown
        return MessageToDict(status, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    except Exception:  # noqa: BLE001 - details that are missing or unreadable must not hide the failure itself
        return plain
