"""What comparing counters with the facts has found, and mended: for metrics and operators."""

from dataclasses import dataclass, fields


@dataclass(slots=True, kw_only=True)
class Audit:
    """One round over all accounts. Of `drifting` meters the counters differ still; `mended` ones were set right.

    `missing` units the drifting counters do not know, `surplus` units only they do; `unsure` accounts could not be
    compared, as their events waited to be collected.
    """

    ended_time: int = 0
    accounts: int = 0
    meters: int = 0
    drifting: int = 0
    missing: int = 0
    surplus: int = 0
    mended: int = 0
    mended_units: int = 0
    unsure: int = 0


AUDIT_FIELDS = tuple(each.name for each in fields(Audit))


@dataclass(slots=True, kw_only=True)
class AuditStats:
    """What was audited since this process started; `last` is the last round that ended, `waited` seconds were idle."""

    meters: int = 0
    mended: int = 0
    mended_units: int = 0
    failures: int = 0
    waited: float = 0.0
    last: Audit | None = None
