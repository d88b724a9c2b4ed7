"""Wallets: credit notes fill them, open invoices are paid from them at once, oldest first."""

from dataclasses import dataclass, replace

from tallygate.domain.billing.balances import Balance
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.posting import expired_entry, spent_entry
from tallygate.domain.billing.wallet import EXPIRED, WalletEntry, WalletEntryKind, left_of
from tallygate.records.billing import WalletQuery
from tallygate.records.lookup import known_account
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, newest_of
from tallygate.records.ports import BillingWork

_AT_ONCE, _A_PAGE = 100, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """What an account has, in minor units by currency, and a page of what moved."""

    sums: dict[str, int]
    entries: Page[WalletEntry]


async def get_wallet(work: BillingWork, account_id: str, page: PageRequest = FIRST_PAGE) -> Wallet:
    """An account's wallet, movements newest first.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    await known_account(work, account_id)
    entries = await newest_of(
        page,
        lambda before, limit: work.wallet.list(WalletQuery(account_id=account_id, limit=limit, before=before)),
        lambda entry: (entry.create_time, entry.entry_id),
    )
    return Wallet(sums=dict(await work.wallet.sums(account_id)), entries=entries)


async def take_what_is_left(
    work: BillingWork, given: WalletEntry, *, at: int, kind: WalletEntryKind = WalletEntryKind.EXPIRED
) -> int:
    """Take what was given and is not spent out of its wallet again; how much that was."""
    moved = [one for one in await _every_entry(work, given.account_id) if one.currency == given.currency]
    left = max(left_of(moved, given.entry_id), 0)
    if left:
        gone = replace(
            given,
            entry_id=f"{EXPIRED}{given.entry_id}",
            create_time=at,
            amount=-left,
            kind=kind,
            expire_time=None,
        )
        await work.wallet.add(gone)
        await work.ledger.post([expired_entry(gone)])
    return left


async def _every_entry(work: BillingWork, account_id: str) -> list[WalletEntry]:
    """All that ever moved in an account's wallet, newest first."""
    found: list[WalletEntry] = []
    query = WalletQuery(account_id=account_id, limit=_A_PAGE)
    while page := await work.wallet.list(query):
        found += page
        query = replace(query, before=(page[-1].create_time, page[-1].entry_id))
    return found


async def put_into_wallet(
    work: BillingWork, document: Invoice, amount: int, kind: WalletEntryKind, *, now: int
) -> None:
    """Put money of a document into its account's wallet, once."""
    await work.wallet.add(
        WalletEntry(
            entry_id=f"{kind.value}/{document.invoice_id}",
            account_id=document.account_id,
            create_time=now,
            currency=document.currency,
            amount=amount,
            kind=kind,
            invoice_id=document.invoice_id,
        )
    )


async def pay_from_wallet(work: BillingWork, cause: Invoice, *, now: int) -> dict[str, Balance]:
    """Pay what is open because of a document, which gave money or is to be paid; the balances that changed, by id."""
    return await spend(work, cause.account_id, cause.currency, cause_id=cause.invoice_id, now=now)


async def spend(work: BillingWork, account_id: str, currency: str, *, cause_id: str, now: int) -> dict[str, Balance]:
    """Pay the open invoices of an account, oldest first, as far as its wallet goes; the balances that changed, by id.

    Of each cause an invoice is paid from the wallet once.
    """
    left = (await work.wallet.sums(account_id)).get(currency, 0)
    changed: dict[str, Balance] = {}
    while left > 0 and (found := await work.balances.open(account_id, currency, limit=_AT_ONCE)):
        for invoice_id, balance in found.items():
            amount = min(left, balance.due)
            if not amount:
                break
            changed[invoice_id] = balance.spent(amount)
            entry = WalletEntry(
                entry_id=f"{WalletEntryKind.SPENT.value}/{invoice_id}/{cause_id}",
                account_id=account_id,
                create_time=now,
                currency=currency,
                amount=-amount,
                kind=WalletEntryKind.SPENT,
                invoice_id=invoice_id,
            )
            await work.wallet.add(entry)
            await work.ledger.post([spent_entry(entry)])
            await work.balances.put(invoice_id, changed[invoice_id])
            left -= amount
    return changed
