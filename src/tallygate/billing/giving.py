"""Money that a seller gives: into a wallet, which pays what is open at once and what is issued later."""

from dataclasses import dataclass, replace

from tallygate.billing.dunning_runs import review
from tallygate.billing.wallets import spend
from tallygate.domain.billing.posting import given_entry
from tallygate.domain.billing.wallet import WalletEntry, WalletEntryKind
from tallygate.domain.errors import ConflictError, InvalidFieldError
from tallygate.domain.fields import checked_id
from tallygate.records.lookup import known_account
from tallygate.records.ports import BillingWork, NewId

_LARGEST = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveCredit:
    """A credit to give, in minor units."""

    account_id: str
    currency: str
    amount: int
    credit_id: str = ""


async def give_credit(work: BillingWork, wanted: GiveCredit, *, now: int, new_id: NewId) -> WalletEntry:
    """Put a credit into an account's wallet; the same one again answers what there is.

    Raises:
        InvalidFieldError: it is no amount above 0.
        AccountNotFoundError: there is no such account.
        ConflictError: another credit has this id.
    """
    if not 0 < wanted.amount <= _LARGEST:
        raise InvalidFieldError(field="amount", expected="more than 0, and at most 10^15 minor units")
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
    )
    known = await work.wallet.get(entry.entry_id)
    if known is not None:
        if replace(known, create_time=now) != entry:
            raise ConflictError(credit_id=credit_id)
        return known
    await work.wallet.add(entry)
    await work.ledger.post([given_entry(entry)])
    await spend(work, wanted.account_id, wanted.currency, cause_id=entry.entry_id, now=now)
    await review(work, wanted.account_id, now=now)
    return entry
