"""HTTP for libraries that block: once, within the deadline of who waits, and without their errors' texts."""

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from typing_extensions import override

from tallygate.billing.ports import NoAnswerError, StrangerError
from tallygate.gateways.asking import NO_TRAIL, Deadline, Trail
from tallygate.gateways.refusals import RefusedError

_REFUSED = {400, 402, 404, 422}
"""Understood and not done. Others (401, 403, 409, 429, 5xx) say nothing of what was asked for."""
_UNAUTHORIZED = 401
_STRANGERS = {_UNAUTHORIZED, 403}
_OK = range(200, 300)
T = TypeVar("T")
_log = logging.getLogger(__name__)


class BoundSession(requests.Session):
    """A session of `requests`, whose threads each have a deadline of their own."""

    def __init__(self, name: str, trail: Trail = NO_TRAIL) -> None:
        super().__init__()
        self._name = name
        self._trail = trail
        self.unauthorized: Callable[[], None] = lambda: None
        self._own = threading.local()

    def within(self, deadline: Deadline, work: Callable[[], T]) -> T:
        """Do something, all of whose requests end by then."""
        self._own.deadline = deadline
        return work()

    @override
    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send once.

        Raises:
            RefusedError: it was refused.
            StrangerError: the credentials are not good enough for it.
            NoAnswerError: whether it was done is not known.
        """
        request.headers.update(self._trail.headers())
        kwargs |= {"timeout": self._own.deadline.left(), "allow_redirects": False}
        try:
            response = super().send(request, **kwargs)
            body = response.json() if response.content else {}
        except requests.RequestException as error:
            _log.warning("%s: %s", self._name, type(error).__name__)
            raise NoAnswerError from None
        if response.status_code in _OK:
            return response
        if response.status_code in _REFUSED and isinstance(body, dict):
            raise RefusedError(response.status_code, body)
        _log.warning("%s: HTTP %d", self._name, response.status_code)
        if response.status_code == _UNAUTHORIZED:
            self.unauthorized()
        raise StrangerError if response.status_code in _STRANGERS else NoAnswerError
