"""Who changed a subscription, when, how and why: noted in the transaction that changed it, and never changed itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tallygate.records.values import StoredSubscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who writes, by the API key that it is asked with, and why; empty where Tallygate does so itself."""

    key_id: str = ""
    key_name: str = ""
    reason: str = ""


NOBODY = Author()
"""Tallygate itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChange:
    """One change of a subscription; `before` is None where it began. `sequence` counts an account's, from 1 on.

    `method` is the call that made it; OPENING marks what stood when the history began.
    """

    account_id: str
    subscription_id: str
    method: str
    before: StoredSubscription | None
    after: StoredSubscription
    change_time: int = 0
    author: Author = NOBODY
    sequence: int = 0


class SubscriptionHistory(Protocol):
    """The changes of one tenant's subscriptions."""

    def note(self, change: SubscriptionChange) -> None:
        """Note a change by the author of this unit of work, now; it is written when that commits."""
        ...

    async def list(self, account_id: str, *, before: int | None, limit: int) -> Sequence[SubscriptionChange]:
        """An account's changes, newest first, those before a sequence number."""
        ...
