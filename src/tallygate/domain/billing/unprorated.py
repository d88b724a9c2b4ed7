"""Changes that are not prorated: what was charged counts as paid until the invoice period ends, and nothing is on top.

So they count from that end on, for what is charged. What may be used, and what usage costs, changes when it changes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import TypeVar

from tallygate.domain.account import AddOnHolding, ChangeProration, PlanTerm
from tallygate.domain.billing.runs import Run
from tallygate.domain.billing.timeline import QuantityChange, Timeline

T = TypeVar("T")
Step = tuple[int, ChangeProration, AddOnHolding | None]
"""From when on an add-on is held so, or is not held; how that change is charged."""


def as_charged(timeline: Timeline, all_runs: Sequence[Run]) -> Timeline:
    """A timeline as its recurring prices are charged.

    A change that another one follows within the period never counts: what is credited then is what was charged before.
    """
    held = timeline.subscription
    terms, add_ons = tuple(_terms(held.terms, all_runs)), tuple(_add_ons(held.add_ons, all_runs))
    quantities = timeline.counted
    if any(change.proration is ChangeProration.NONE for change in quantities):
        by_source = groupby(sorted(quantities, key=lambda change: change.source), lambda change: change.source)
        quantities = tuple(counted for _, own in by_source for counted in _quantities(own, all_runs))
    counted = replace(held, terms=terms, add_ons=add_ons, bookings=())
    return replace(timeline, subscription=counted, quantities=quantities)


def _terms(terms: Sequence[PlanTerm], all_runs: Sequence[Run]) -> Iterator[PlanTerm]:
    moved = [(_counts_from(term.start_time, term.proration, all_runs), term) for term in terms]
    for start, term in _standing(moved):
        yield replace(term, start_time=start)


def _add_ons(held: Sequence[AddOnHolding], all_runs: Sequence[Run]) -> Iterator[AddOnHolding]:
    ordered = sorted(held, key=lambda holding: (holding.add_on_key, holding.start_time))
    for _, own in groupby(ordered, lambda holding: holding.add_on_key):
        moved = [(_counts_from(at, how, all_runs), holding) for at, how, holding in _steps(list(own))]
        kept = _standing(moved)
        ends = [*(start for start, _ in kept[1:]), None]
        for (start, holding), end in zip(kept, ends, strict=True):
            if holding is not None:
                yield replace(holding, start_time=start, end_time=end)


def _quantities(changes: Iterable[QuantityChange], all_runs: Sequence[Run]) -> Iterator[QuantityChange]:
    """What seats of one feature, or users, are charged as: each change for itself, up to as many as there are.

    What was charged and is not held any more stays paid until the period ends; it makes room for others. What is held
    and not charged until then is not credited when it goes.
    """
    held = charged = settles = 0
    source = ""
    for change in changes:
        source = change.source
        if charged != held and settles <= change.change_time:
            charged = held
            yield replace(change, change_time=settles, quantity=held)
        before, held = held, change.quantity
        if change.proration is ChangeProration.NONE:
            settles = _counts_from(change.change_time, change.proration, all_runs)
            due = held if settles <= change.change_time else charged
        elif held > before:
            due = max(charged, min(held, charged + held - before))
        else:
            due = min(charged, max(held, charged + held - before))
        if due != charged:
            charged = due
            yield replace(change, quantity=charged)
    if charged != held:
        yield QuantityChange(source=source, change_time=settles, quantity=held)


def _standing(moved: Sequence[tuple[int, T]]) -> list[tuple[int, T]]:
    """Those that no later one comes before, or with."""
    found: list[tuple[int, T]] = []
    for start, value in reversed(moved):
        if not found or start < found[-1][0]:
            found.append((start, value))
    return found[::-1]


def _steps(held: Sequence[AddOnHolding]) -> Iterator[Step]:
    for holding, after in pairwise([*held, None]):
        if holding is None:
            continue
        yield holding.start_time, holding.proration, holding
        if holding.end_time is not None and (after is None or after.start_time > holding.end_time):
            yield holding.end_time, holding.end_proration, None


def _counts_from(at: int, proration: ChangeProration, all_runs: Sequence[Run]) -> int:
    if proration is ChangeProration.NONE:
        for run in all_runs:
            if run.start < at < run.end:
                return at if run.period(at).start == at else run.stretch(run.period(at)).end
    return at
