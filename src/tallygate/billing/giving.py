"""Money that a seller gives: into a wallet, which pays what is open at once and what is issued later."""

from dataclasses import dataclass, replace

from tallygate.billing.dunning_runs import review
from tallygate.billing.wallets import spend, take_what_is_left
from tallygate.domain.billing.amounts import check_amount
from tallygate.domain.billing.posting import given_entry
from tallygate.domain.billing.wallet import WalletEntry, WalletEntryKind
from tallygate.domain.errors import ConflictError, InvalidFieldError
from tallygate.domain.fields import checked_id
from tallygate.records.fields import check_instant
from tallygate.records.jobs import EXPIRE
from tallygate.records.lookup import known_account
from tallygate.records.ports import BillingWork, NewId

_MOST_PRIORITY = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveCredit:
    """A credit to give, in minor units."""

    account_id: str
    currency: str
    amount: int
    credit_id: str = ""
    expire_time: int | None = None
    priority: int = 0


async def give_credit(work: BillingWork, wanted: GiveCredit, *, now: int, new_id: NewId) -> WalletEntry:
    """Put a credit into an account's wallet; the same one again answers what there is.

    Raises:
        InvalidFieldError: it is no amount above 0, or would be gone already.
        AccountNotFoundError: there is no such account.
        ConflictError: another credit has this id.
    """
    check_amount(wanted.amount, wanted.currency)
    if abs(wanted.priority) > _MOST_PRIORITY:
        raise InvalidFieldError(
            field="priority", expected=f"-{_MOST_PRIORITY} to {_MOST_PRIORITY}", got=wanted.priority
        )
    await known_account(work, wanted.account_id)
    credit_id = checked_id("credit_id", wanted.credit_id or f"credit_{new_id()}")
    entry = WalletEntry(
        entry_id=f"{WalletEntryKind.GIVEN.value}/{credit_id}",
        account_id=wanted.account_id,
        create_time=now,
        currency=wanted.currency,
        amount=wanted.amount,
        kind=WalletEntryKind.GIVEN,
        invoice_id="",
        expire_time=wanted.expire_time,
        priority=wanted.priority,
    )
    known = await work.wallet.get(entry.entry_id)
    if known is not None:
        if replace(known, create_time=now) != entry:
            raise ConflictError(credit_id=credit_id)
        return known
    if wanted.expire_time is not None:
        check_instant("expire_time", wanted.expire_time, after=now)
        await work.jobs.schedule(EXPIRE, entry.entry_id, due_time=wanted.expire_time)
    await work.wallet.add(entry)
    await work.ledger.post([given_entry(entry)])
    await spend(work, wanted.account_id, wanted.currency, cause_id=entry.entry_id, now=now)
    await review(work, wanted.account_id, now=now)
    return entry


async def expire_credit(work: BillingWork, entry_id: str, *, now: int) -> None:
    """Take what was given and not spent by now out of its wallet, once."""
    given = await work.wallet.get(entry_id)
    if given is not None and given.expire_time is not None and given.expire_time <= now:
        await take_what_is_left(work, given, at=given.expire_time)
    await work.jobs.done(EXPIRE, entry_id)
