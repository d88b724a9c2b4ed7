"""Stream entries in the shape that admit.lua gives them, made without the code under test."""

import itertools
from typing import Any

import msgpack

JANUARY = 1_767_225_600_000_000  # 2026-01-01 UTC
FEBRUARY = JANUARY + 31 * 86_400_000_000
_numbers = itertools.count(1)


def entry(
    *,
    tenant: str = "t1",
    account: str = "acme",
    feature: str = "api_calls",
    request: str | None = None,
    user: str = "",
    dimensions: dict[str, str] | None = None,
    kind: str = "consume",
    quantity: int = 1,
    at: int = JANUARY + 1_000_000,
    recorded: int | None = None,
    period: tuple[int, int] = (JANUARY, FEBRUARY),
    pots: list[list[Any]] | None = None,
    payload: bytes = b"\xff\x00payload",
    billable: bool = True,
    carry_in: bool = False,
    trial: bool = False,
) -> dict[bytes, bytes]:
    number = next(_numbers)
    request = request or f"r{number}"
    context = [tenant, account, feature, request, user, dimensions or {}, billable, carry_in, 7, kind, payload]
    pots = [["I", quantity, ""]] if pots is None else pots
    fact = [quantity, at, recorded or at + number, *period, pots or {}, "sub-1", "pro", 1, int(trial)]
    return {b"c": msgpack.packb(context), b"f": msgpack.packb(fact)}
