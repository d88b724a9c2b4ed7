"""One figure that is not a row of the throughput table, with what it should be."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`value` is None where it could not be measured; then `note` says why."""

    name: str
    unit: str
    value: float | None
    target: str = ""
    transport: str = ""
    note: str = ""
