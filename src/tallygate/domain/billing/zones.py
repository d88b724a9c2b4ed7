"""In which zones an account is billed, and from when on: what was charged keeps its boundaries."""

from collections.abc import Iterator, Sequence
from heapq import merge

from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.catalog import FormerZone
from tallygate.domain.timetable import Since, since


def said(own: Sequence[Since[str]], tenants: Sequence[Since[str]]) -> Iterator[Since[str]]:
    """The zones that an account was in: its own, or its tenant's where it had none."""
    last = ""
    for start in merge(*([each.start for each in some] for some in (own, tenants))):
        zone = _at(own, start) or _at(tenants, start) or "UTC"
        if zone != last:
            yield Since(start, zone)
        last = zone


def billed(known: Sequence[Since[str]], wanted: Sequence[Since[str]], *, until: int) -> Iterator[Since[str]]:
    """The zones that were known when an account was billed until an instant, and what has been said since.

    What had been said by then and was not known counts from behind it: what began at that instant was charged.
    """
    yield from known
    if (zone := _at(wanted, until)) != known[-1].value:
        yield Since(until + 1, zone)
    yield from (each for each in wanted if each.start > until)


def calendar_of(zones: Sequence[Since[str]], *, account_create_time: int) -> Calendar:
    """The calendar of an account that was in these zones."""
    return Calendar(zone=zones[0].value, account_create_time=account_create_time, changes=tuple(zones[1:]))


def known_until(calendar: Calendar, until: int) -> tuple[tuple[FormerZone, ...], str]:
    """What to keep of zones when an account is billed until an instant: the former ones, and that of the instant."""
    changes = [each for each in calendar.changes if each.start <= until]
    zones = [calendar.zone, *(each.value for each in changes)]
    former = (FormerZone(time_zone=zone, end_time=each.start) for zone, each in zip(zones, changes, strict=False))
    return tuple(former), zones[-1]


def stretches(former: Sequence[FormerZone], present: str) -> list[Since[str]]:
    """Zones by the instants from which they held."""
    return since([(each.time_zone, each.end_time) for each in former], present)


def _at(zones: Sequence[Since[str]], at: int) -> str:
    return next(each.value for each in reversed(zones) if each.start <= at)
