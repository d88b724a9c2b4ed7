"""The name that a failed call brings back, where the request brought one that metadata cannot hold."""

import grpc
import pytest

from tallygate.server.calls.port import REQUEST_ID, named
from tallygate.server.wire.errors import Failure


@pytest.mark.parametrize(
    ("request_id", "name"),
    [
        ("req-1 %", "req-1%20%"),
        ("a\nb\x00", "a%0Ab%00"),
        ("Zürich", "Z%C3%BCrich"),
        ("x" * 10_000, "x" * 255),
    ],
)
def test_it_is_visible_ascii_and_bounded(request_id, name):
    failed = Failure(grpc.StatusCode.INVALID_ARGUMENT, "no", (("other", "one"),))
    assert named(failed, request_id).trailing == (("other", "one"), (REQUEST_ID, name))


def test_one_that_has_a_name_keeps_it():
    failed = Failure(grpc.StatusCode.INVALID_ARGUMENT, "no", ((REQUEST_ID, "first"),))
    assert named(failed, "second") is failed
