"""How a command to Redis can fail, and whether it may have been executed."""


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
