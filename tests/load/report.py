"""Turns what was measured into one table for people, the file RESULTS.md, JSON for later runs, and a comparison."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from load.figure import Figure
from load.rows import ROWS, SINGLE, Target
from load.sample import Sample

_TARGETS = {row.name: row for row in ROWS}
_HEAD = (
    "transport",
    "AOF",
    "row",
    "in flight",
    "calls/s",
    "x echo",
    "target",
    "",
    "spread",
    "rounds",
    "x echo by CPU",
    "p50 us",
    "p99 us",
    "p50 x echo",
    "CPU us server",
    "CPU us Valkey",
    "driver CPU",
    "failed",
)
_TRANSPORTS = ("native", "native, TCP", "grpcio", "grpcio, TCP")
_P50 = {"CheckEntitlement cached (boolean)": 1.3, "ConsumeQuota": 2.2}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row as measured on one transport with one AOF policy at one level."""

    transport: str
    fsync: str
    row: str
    level: int
    sample: Sample
    multiple: float | None = None

    @property
    def key(self) -> str:
        return f"{self.transport}, {self.fsync}, {self.row}, {self.level}"


@dataclass(kw_only=True)
class Report:
    """Everything of one run; `notes` are lines about what is missing or wrong."""

    about: Mapping[str, str]
    lines: list[Line] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, transport: str, fsync: str, samples: Mapping[tuple[str, int], Sample]) -> None:
        for (row, level), sample in samples.items():
            single = samples.get((SINGLE, level))
            checks = _TARGETS[row].checks
            multiple = sample.calls_per_second * checks / single.calls_per_second if single and checks > 1 else None
            line = Line(transport=transport, fsync=fsync, row=row, level=level, sample=sample, multiple=multiple)
            self.lines.append(line)

    def as_json(self) -> str:
        content = {
            "about": dict(self.about),
            "rows": {line.key: asdict(line.sample) | {"multiple": line.multiple} for line in self.lines},
            "figures": {f"{figure.transport}, {figure.name}": asdict(figure) for figure in self.figures},
            "notes": self.notes,
        }
        return json.dumps(content, indent=1) + "\n"

    def as_markdown(self) -> str:
        about = "\n".join(f"* {name}: {value}" for name, value in self.about.items())
        notes = "\n".join(f"* {note}" for note in self.notes)
        parts = [about, table(_HEAD, map(_cells, self._sorted()))]
        if self.figures:
            parts.append(table(("figure", "transport", "value", "target", "how"), map(_figure_cells, self.figures)))
        return "\n\n".join([*parts, *([notes] if notes else [])]) + "\n"

    def _sorted(self) -> list[Line]:
        order = list(_TARGETS)
        return sorted(
            self.lines,
            key=lambda line: (
                _TRANSPORTS.index(line.transport),
                line.fsync != "everysec",
                order.index(line.row),
                line.level,
            ),
        )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose columns line up for the eye; all but texts to the right."""
    content = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in content) for column in range(len(head))]
    number = [all(_is_number(row[column]) for row in content[1:]) for column in range(len(head))]
    rule = ["-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, number, strict=True)]
    return "\n".join(
        "| " + " | ".join(_aligned(row, widths, number)) + " |" for row in [content[0], rule, *content[1:]]
    )


def compared(report: Report, earlier: Path) -> str:
    """Each row beside the same row of an earlier run: calls/s, ratio to echo, CPU of the server."""
    then: dict[str, dict[str, Any]] = json.loads(earlier.read_text())["rows"]
    rows = []
    for line in report.lines:
        old = then.get(line.key)
        if old is not None:
            now = asdict(line.sample)
            rows.append(
                [
                    line.key,
                    *(_change(old[name], now[name]) for name in ("calls_per_second", "ratio", "cpu_server", "p99")),
                ]
            )
    return table((f"since {earlier.name}", "calls/s", "x echo", "CPU us server", "p99 us"), rows)


def _change(then: float | None, now: float | None) -> str:
    if not then or now is None:
        return "-"
    return f"{then:,.4g} -> {now:,.4g} ({now / then - 1:+.0%})"


def _cells(line: Line) -> list[str]:
    sample, row = line.sample, _TARGETS[line.row]
    measured = f"{line.multiple:.1f} x single" if line.multiple is not None else _number(sample.ratio, 2)
    p50_target = f" (<= {_P50[line.row]})" if line.level == 1 and line.row in _P50 else ""
    return [
        line.transport,
        line.fsync,
        line.row,
        str(line.level),
        f"{sample.calls_per_second:,.0f}",
        measured,
        *_met(line, row.targets.get(line.transport.partition(",")[0])),
        f"{sample.spread:.0%}",
        str(sample.rounds),
        _number(sample.cpu_ratio, 2),
        _number(sample.p50, 0),
        _number(sample.p99, 0),
        _number(sample.p50_ratio, 2) + p50_target,
        _number(sample.cpu_server, 1),
        _number(sample.cpu_valkey, 1),
        f"{sample.driver_cpu:.0%}",
        str(sample.failed),
    ]


def _figure_cells(figure: Figure) -> list[str]:
    value = "-" if figure.value is None else f"{figure.value:,.4g} {figure.unit}"
    return [figure.name, figure.transport, value, figure.target, figure.note]


def _met(line: Line, target: Target | None) -> tuple[str, str]:
    """What a row should reach, and whether it does."""
    reached = line.multiple if line.multiple is not None else line.sample.ratio
    if target is None or reached is None or line.level == 1 or line.fsync != "everysec":
        return "", ""
    return f">= {target.floor}", "met" if reached >= target.floor and not line.sample.failed else "missed"


def _number(value: float | None, places: int) -> str:
    return "" if value is None else f"{value:,.{places}f}"


def _is_number(text: str) -> bool:
    return text == "" or text.rstrip("%").replace(",", "").replace(".", "", 1).replace("-", "", 1).isdigit()


def _aligned(row: Sequence[str], widths: Sequence[int], number: Sequence[bool]) -> list[str]:
    return [
        text.rjust(width) if right else text.ljust(width)
        for text, width, right in zip(row, widths, number, strict=True)
    ]
