"""How a command to Redis can fail, whether it may have been executed, and what helps."""

from enum import Enum, auto

_ANOTHER_SERVER = {
    "READONLY", "MASTERDOWN", "CLUSTERDOWN", "LOADING", "BUSY", "UNKILLABLE", "NOAUTH", "WRONGPASS",
}  # fmt: skip
_NO_WRITES = {"OOM", "MISCONF", "NOREPLICAS"}
_RIGHTS = ("NOPERM", "ACL failure in script", "The user executing the script can't")


class Refusal(Enum):
    """What an error reply says about its server: nothing, or one of these."""

    SERVER = auto()
    """Nothing that it answers counts now, and the one that does may be a new connection away: leave this one."""

    WRITES = auto()
    """What it reads is true, but it takes no writes for the moment."""

    RIGHTS = auto()
    """Our user may not do this: an operator has to act."""


def refusal_of(error: str) -> Refusal | None:
    """What the text of an error reply says about its server; None where it is about the command alone."""
    code = error.partition(" ")[0]
    if code in _ANOTHER_SERVER:
        return Refusal.SERVER
    if code in _NO_WRITES:
        return Refusal.WRITES
    return Refusal.RIGHTS if any(mark in error for mark in _RIGHTS) else None


class LinkError(Exception):
    """The connection has no answer; the class says whether the command may have been executed."""


class NotSentError(LinkError):
    """The command never left this process: nothing happened, retrying is safe."""


class LinkDownError(NotSentError):
    """There is no connection at the moment."""


class LinkFullError(NotSentError):
    """Too many commands wait for their replies."""


class ConnectError(NotSentError):
    """Redis did not accept the connection; the text is one line with address and cause."""


class OutcomeUnknownError(LinkError):
    """The command was sent and its reply never came: it may have been executed."""


class ReplyTimeoutError(OutcomeUnknownError):
    """Redis fell silent for longer than the reply timeout, or the caller's deadline passed."""


class LinkLostError(OutcomeUnknownError):
    """The connection broke, spoke nonsense or was closed."""


class ReplyError(Exception):
    """Redis answered this command with an error: `code` is its first word, as in `WRONGTYPE`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        self.code = text.partition(" ")[0]

    @property
    def refusal(self) -> Refusal | None:
        """What it says about the server."""
        return refusal_of(self.text)
