"""A gateway's no, before anybody knows what it means."""

from typing import Any


class RefusedError(Exception):
    """A gateway understood and refused; `body` is the document that it said so with."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
