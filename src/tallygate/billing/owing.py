"""What an account owes that is collected by itself, and what of it can be asked for now."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tallygate.billing.methods import default_method
from tallygate.domain.billing.dunning import Case
from tallygate.domain.billing.payments import IN_FLIGHT, Attempt, Method, Owed
from tallygate.domain.billing_terms import BillingPolicy, Collection
from tallygate.domain.currency import minor_units
from tallygate.records.ports import BillingWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Owing:
    """An account's open invoices since its tenant's first gateway, and what was tried for them.

    `method` is what it is charged by; None where it has none, or its invoices are collected by hand.
    """

    account_id: str
    now: int
    owed: Sequence[Owed]
    unresolved: Sequence[Attempt]
    cases: dict[str, Case]
    method: Method | None
    policy: BillingPolicy

    @property
    def currencies(self) -> list[str]:
        """What is owed, or was not paid, in order."""
        return sorted({*self.cases, *(one.currency for one in self.owed)})

    def overdue(self, currency: str) -> list[Owed]:
        """What is due by now, oldest first; nothing where it all comes to too little to be charged."""
        due = [one for one in self.owed if one.currency == currency and one.balance.due_time <= self.now]
        return due if sum(one.balance.due for one in due) > self._least(currency) else []

    def target(self, currency: str) -> tuple[Owed, ...]:
        """What is to be asked for next, with the small balances that ride along.

        Nothing while an attempt may still take money for it.
        """
        if any(one.currency == currency and one.state in IN_FLIGHT for one in self.unresolved):
            return ()
        waiting = {share.invoice_id for attempt in self.unresolved for share in attempt.shares}
        free = [one for one in self.overdue(currency) if one.invoice_id not in waiting]
        small = [one for one in free if one.balance.due <= self._least(currency)]
        first = next((one for one in free if one not in small), None)
        if first is None:
            return tuple(small) if sum(one.balance.due for one in small) > self._least(currency) else ()
        return first, *small

    def begins(self, currency: str) -> bool:
        """Whether dunning begins with what is overdue: where nothing can be charged not below its least amount."""
        least = minor_units(Fraction(self.policy.dunning.from_amount), currency)
        return self.method is not None or sum(one.balance.due for one in self.overdue(currency)) >= least

    def due_times(self) -> list[int]:
        """When what is not due yet will be."""
        return [one.balance.due_time for one in self.owed if one.balance.due_time > self.now]

    def _least(self, currency: str) -> Fraction:
        return minor_units(Fraction(self.policy.min_charge), currency)


async def read_owing(work: BillingWork, account_id: str, *, now: int) -> Owing:
    """What an account owes as it is now."""
    gateways = await work.payments.gateways()
    since = min((gateway.create_time for gateway in gateways), default=None)
    owed = await work.payments.owed(account_id) if since is not None else []
    policy = await billing_policy(work)
    return Owing(
        account_id=account_id,
        now=now,
        owed=[one for one in owed if since is not None and one.issue_time >= since],
        unresolved=await work.payments.unresolved(account_id),
        cases={case.currency: case for case in await work.payments.cases(account_id)},
        method=await _chargeable(work, account_id, policy),
        policy=policy,
    )


async def collection_of(work: BillingWork, account_id: str, policy: BillingPolicy) -> Collection:
    """How an account's invoices are collected: by its own word, else the catalogue's."""
    return await work.payments.collection(account_id) or policy.collect


async def billing_policy(work: BillingWork) -> BillingPolicy:
    """How the tenant bills."""
    return (await work.catalog.load()).billing or BillingPolicy()


async def _chargeable(work: BillingWork, account_id: str, policy: BillingPolicy) -> Method | None:
    if await collection_of(work, account_id, policy) is Collection.MANUAL:
        return None
    return await default_method(work, account_id)
