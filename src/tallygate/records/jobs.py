"""What is to be done of billing: jobs by kind and subject, and how they stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tallygate.domain.billing.late import Unrated

CLOSE = "close"
"""The kind of the job that looks whether an account is to be invoiced."""


COMPLETENESS = "completeness"
"""The kind of the job that looks whether all usage of an account's closed periods is charged."""


VERIFY_TAX_ID = "verify_tax_id"
"""The kind of the job that asks the register again for ids of which it said nothing; its subject is the account."""


AUDIT = "audit"
"""The kind of the job that looks whether a tenant's ledger agrees with what it mirrors; its subject is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """When to look at something; what is done is in the data. `subject` is what it is about, mostly an account's id."""

    tenant_id: str
    kind: str
    subject: str
    due_time: int
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHealth:
    """How jobs of one kind stand: how many are due, the oldest's age in microseconds, how many failed last."""

    due: int = 0
    oldest_age: int = 0
    failing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingHealth:
    """How billing stands over all tenants but test ones: its jobs by kind, of those that fail one with its `problem`.

    `undelivered` messages wait to go out, the oldest for `undelivered_age` microseconds; `undeliverable` were given up.
    `found` is how much the checks have found, `example` one of it in words, by kind. `late` events wait for their
    adjustment; `unrated` ones are charged nowhere, by reason, `unrated_lately` those of the last week.
    """

    jobs: Mapping[str, JobHealth] = field(default_factory=dict)
    problem: str = ""
    late: int = 0
    unrated: Mapping[Unrated, int] = field(default_factory=dict)
    unrated_lately: int = 0
    invoices: int = 0
    undelivered: int = 0
    undelivered_age: int = 0
    undeliverable: int = 0
    found: Mapping[str, int] = field(default_factory=dict)
    example: Mapping[str, str] = field(default_factory=dict)


EXPIRE = "expire"
"""The kind of the job that takes out of a wallet what was given until then; its subject is the entry that put it in."""


class JobRepository(Protocol):
    """When to look at what, of one tenant."""

    async def schedule(self, kind: str, subject: str, *, due_time: int, retry_time: int = 0) -> None:
        """Look at it then, and no more at what was planned before; nor, of real time, before `retry_time`."""
        ...

    async def hasten(self, kind: str, subject: str, *, due_time: int) -> None:
        """Look at it then, or when it was planned before if that is sooner."""
        ...

    async def done(self, kind: str, subject: str) -> None:
        """There is nothing to look at any more."""
        ...

    async def due(self, kind: str, *, now: int, limit: int, subject: str = "") -> Sequence[Job]:
        """What is due, oldest first; of one subject where it is named."""
        ...
