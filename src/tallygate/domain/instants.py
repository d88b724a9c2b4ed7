"""Instants as people and programs read them: RFC 3339 in UTC, exact to the microsecond. Knows no clock."""

from tallygate.domain.period import MAX_INSTANT, MIN_INSTANT, to_datetime


def rfc3339(instant: int) -> str:
    """An instant's text, as `2026-10-01T00:00:00Z`; one outside of the calendar is told as its nearest end."""
    moment = to_datetime(min(max(instant, MIN_INSTANT), MAX_INSTANT))
    return moment.isoformat().replace("+00:00", "Z")
