"""What time it is for a tenant: real time, or what a test's clock shows, running apart from it or standing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantClock:
    """A clock that runs `offset` microseconds ahead of real time (negative: behind it), or stands at an instant."""

    offset: int = 0
    standing: int | None = None

    def at(self, real: int) -> int:
        """What it shows at an instant of real time."""
        return real + self.offset if self.standing is None else self.standing


REAL_TIME = TenantClock()
"""The clock of every tenant that is not a test's."""
