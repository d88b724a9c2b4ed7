"""Why a line of an invoice says what it says, in sentences that can be read out."""

from collections.abc import Callable, Iterator
from fractions import Fraction

from tallygate.cli.amounts import money
from tallygate.cli.output import instant
from tallygate.domain.currency import DECIMALS
from tallygate_api.v1.invoice_pb2 import LineDiscount, LineKind, LineStep
from tallygate_api.v1.invoice_service_pb2 import ExplainLineResponse, LineEvent, LineEventMark

_DIGITS = 6
_EXACT_DIGITS = 12
_ROUNDINGS = {"half_even": "halves to the even neighbour", "half_up": "halves up"}
_MARKS: dict[int, str] = {
    LineEventMark.LINE_EVENT_MARK_FREE: "free",
    LineEventMark.LINE_EVENT_MARK_PARTLY_FREE: "free in part",
    LineEventMark.LINE_EVENT_MARK_MIN_AMOUNT: "the least",
    LineEventMark.LINE_EVENT_MARK_MAX_AMOUNT: "the greatest",
    LineEventMark.LINE_EVENT_MARK_UNREADABLE: "no amount that can be read",
    LineEventMark.LINE_EVENT_MARK_CARRIED_OVER: "carried over",
}
_PRORATIONS = {"day": "by local days", "second": "by seconds", "fixed_30": "by months of 30 days"}


def explanation(answer: ExplainLineResponse, *, amount: str) -> str:
    """One line of a document, with where its amount comes from; `amount` is the line's, as it is shown."""
    line = answer.line
    sentences = (*_about(answer), *_steps(answer), _end(answer))
    return "\n".join([f"{answer.line_number}. {line.text}: {amount}", *(f"   {sentence}" for sentence in sentences)])


def event_row(event: LineEvent) -> tuple[str, ...]:
    """An event behind a line, as a row."""
    dimensions = " ".join(f"{key}={value}" for key, value in sorted(event.dimensions.items()))
    counted, amount = figure(event.counted), figure(event.amount) if event.amount else ""
    marks = ", ".join(_MARKS.get(mark, f"mark {mark}") for mark in event.marks)
    what = event.request_id, event.user_id, dimensions, marks
    return instant(event.occurred_time), f"{event.quantity:,}", counted, amount, *what


def figure(text: str) -> str:
    """An exact figure, with thousands apart; of one that goes on the first places that are certain, and an ellipsis."""
    value = Fraction(text or 0)
    sign, size = ("-" if value < 0 else ""), abs(value)
    whole = size * 10**_EXACT_DIGITS
    if whole.denominator != 1:
        units, rest = divmod(size.numerator * 10**_DIGITS // size.denominator, 10**_DIGITS)
        return f"{sign}{units:,}.{rest:0{_DIGITS}d}…"
    units, rest = divmod(whole.numerator, 10**_EXACT_DIGITS)
    decimals = f"{rest:0{_EXACT_DIGITS}d}".rstrip("0")
    return f"{sign}{units:,}.{decimals}" if decimals else f"{sign}{units:,}"


def _about(answer: ExplainLineResponse) -> Iterator[str]:
    line, zone = answer.line, answer.time_zone or "UTC"
    if line.kind == LineKind.LINE_KIND_FEE:
        yield f"charged as a fee of its own on {instant(line.start_time)}"
    elif line.kind == LineKind.LINE_KIND_SETUP:
        yield f"charged once, as it began on {instant(line.start_time)}"
    else:
        yield f"for {instant(line.start_time)} to {instant(line.end_time)}; the account's days are those of {zone}"
    if line.price:
        yield f"by the price {line.price}, which never changes"
    if line.source_line:
        yield f"goes back to the line {line.source_line}"
    if answer.HasField("inputs"):
        inputs = answer.inputs
        served = f" that {inputs.plan} served" if inputs.plan else ""
        yield f"counts the events of {inputs.feature_key}{served}, up to number {inputs.through_sequence} of the log"
        if inputs.unreadable:
            yield f"charges nothing for {inputs.unreadable:,} of them, whose amount cannot be read; --events marks them"


def _steps(answer: ExplainLineResponse) -> Iterator[str]:
    usage = answer.line.kind == LineKind.LINE_KIND_USAGE
    sentences = _OF_USAGE if usage else _OF_COVER
    for step in answer.line.steps:
        sentence = sentences.get(step.kind)
        yield sentence(answer, step) if sentence is not None else f"{step.kind}: {_amount(answer, step.amount)}"


def _end(answer: ExplainLineResponse) -> str:
    exact = Fraction(answer.line.exact_amount or 0)
    billed = Fraction(answer.inputs.billed_before or 0)
    found = figure(str(exact))
    if billed:
        found = f"{figure(str(exact + billed))}, less {figure(str(billed))} charged before: {found}"
    rounding = _ROUNDINGS.get(answer.rounding, "") if exact.denominator != 1 else ""
    off = "".join(f"; less {money(each.amount)} by {_named(each)}" for each in answer.line.discounts)
    return f"in minor units of the currency: {found}{f', rounded once, {rounding}' if rounding else ''}{off}"


def _named(off: LineDiscount) -> str:
    return f"{'discount' if off.negotiated else 'coupon'} {off.code}"


def _amount(answer: ExplainLineResponse, text: str) -> str:
    """An amount or price with at least the decimals of the line's currency."""
    shown = figure(text)
    whole, _, decimals = shown.partition(".")
    decimals = decimals.ljust(DECIMALS.get(answer.line.amount.currency_code, 0), "0")
    return shown if shown.endswith("…") or not decimals else f"{whole}.{decimals}"


def _counted(answer: ExplainLineResponse, step: LineStep) -> str:
    per = answer.price.usage.per_units
    units = f" (counted in {per:,} units of the meter each)" if per > 1 else ""
    return f"counted: {figure(step.quantity)}{units}"


def _covered(answer: ExplainLineResponse, step: LineStep) -> str:
    if answer.line.source_line and answer.line.source_line != answer.line.line_key and Fraction(step.rate) < 0:
        whole = _amount(answer, step.rate.removeprefix("-"))
        return f"gives back what is left of it, {_parts(answer, step)} of {whole}: {_product(answer, step)}"
    return f"a whole period costs {_amount(answer, step.rate)}; {_part(answer, step)}: {_product(answer, step)}"


def _part(answer: ExplainLineResponse, step: LineStep) -> str:
    part = Fraction(step.quantity)
    if part == 1:
        return "all of it is covered"
    how = _PRORATIONS.get(answer.proration, "")
    return f"{part.numerator} of {part.denominator} parts of it are covered{f', {how}' if how else ''}"


def _parts(answer: ExplainLineResponse, step: LineStep) -> str:
    part, how = Fraction(step.quantity), _PRORATIONS.get(answer.proration, "")
    return f"{part.numerator} of {part.denominator} parts{f', {how},' if how else ''}"


def _product(answer: ExplainLineResponse, step: LineStep) -> str:
    return _amount(answer, step.amount)


def _before(answer: ExplainLineResponse, step: LineStep) -> str:
    if answer.line.kind == LineKind.LINE_KIND_USAGE:
        what = f"the {figure(step.quantity)} counted under the price before had come to"
        return f"less what {what}: {_amount(answer, step.amount)}"
    if answer.line.kind == LineKind.LINE_KIND_COMMITMENT:
        what = "was charged of it before" if Fraction(step.quantity or 0) else "else was charged for its time"
        return f"less what {what}: {_amount(answer, step.amount)}"
    return f"less what was charged for the same stretch before the change: {_amount(answer, step.amount)}"


def _advance(answer: ExplainLineResponse, step: LineStep) -> str:
    off = f"{figure(step.rate)} % off" if Fraction(step.rate or 0) else "off"
    return f"{off} for paying {figure(step.quantity)} periods at once: {_amount(answer, step.amount)}"


def _forgiven(answer: ExplainLineResponse, step: LineStep) -> str:
    return f"not given back, as its invoice is void: {_amount(answer, step.amount)}"


def _no_more(answer: ExplainLineResponse, step: LineStep) -> str:
    return f"not given back, as no more was charged before: {_amount(answer, step.amount)}"


_Sentence = Callable[[ExplainLineResponse, LineStep], str]
_OF_USAGE: dict[str, _Sentence] = {
    "counted": _counted,
    "capped": lambda _, step: f"beyond {figure(step.quantity)} nothing is charged",
    "free": lambda _, step: f"free of it: {figure(step.quantity)}",
    "charged": lambda answer, step: (
        f"{figure(step.quantity)} at {_amount(answer, step.rate)} each: {_amount(answer, step.amount)}"
    ),
    "packages": lambda answer, s: (
        f"{figure(s.quantity)} started packages at {_amount(answer, s.rate)} each: {_amount(answer, s.amount)}"
    ),
    "flat": lambda answer, step: f"for having entered the tier: {_amount(answer, step.amount)}",
    "percent": lambda answer, step: f"{figure(step.rate)} % of {figure(step.quantity)}: {_amount(answer, step.amount)}",
    "events": lambda answer, s: (
        f"{figure(s.quantity)} events, each by the price's rate and bounds: {_amount(answer, s.amount)};"
        " --events lists each"
    ),
    "multiplied": lambda answer, step: (
        f"{figure(step.quantity)} times {figure(step.rate)}: {_amount(answer, step.amount)}"
    ),
    "discount": lambda answer, step: (
        f"{figure(step.rate)} % off {figure(step.quantity)}: {_amount(answer, step.amount)}"
    ),
    "min_spend": lambda answer, step: (
        f"up to the least amount, {_amount(answer, step.quantity)}: {_amount(answer, step.amount)}"
    ),
    "max_spend": lambda answer, step: (
        f"down to the greatest amount, {_amount(answer, step.quantity)}: {_amount(answer, step.amount)}"
    ),
    "before": _before,
    "forgiven": _forgiven,
    "no_more": _no_more,
}
_OF_COVER: dict[str, _Sentence] = {
    "charged": _covered,
    "advance": _advance,
    "flat": lambda answer, step: f"as it was asked for: {_amount(answer, step.amount)}",
    "before": _before,
    "forgiven": _forgiven,
}
_OF_COVER = {**_OF_USAGE, **_OF_COVER}
