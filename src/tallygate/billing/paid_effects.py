"""What follows when an account's invoices are paid, and when that is taken back: in the transaction of what changed."""

from dataclasses import replace
from fractions import Fraction

from tallygate.billing.activation import activate_paid
from tallygate.billing.wallets import spend, take_what_is_left
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import Invoice, InvoiceKind
from tallygate.domain.billing.fees import Fee
from tallygate.domain.billing.posting import given_entry
from tallygate.domain.billing.referrals import Referral
from tallygate.domain.billing.wallet import WalletEntry, WalletEntryKind
from tallygate.records.billing import InvoiceQuery
from tallygate.records.ports import BillingWork

_A_PAGE = 100
_TAKEN_BACK = "Referral credit taken back"


async def after_payment(work: BillingWork, account_id: str, *, now: int) -> None:
    """Do what hangs on an account's invoices being paid, as they stand now; once, in any order of events."""
    await activate_paid(work, account_id, now=now)
    referral = await work.discounts.referral(account_id)
    if referral is None or referral.return_time is not None:
        return
    first = await _first(work, referral)
    if first is None:
        return
    paid, gone = first.state is InvoiceState.PAID, first.balance.credited + first.balance.returned
    if referral.earn_time is None and paid:
        await _credit(work, replace(referral, invoice_id=first.invoice_id, credited=gone), now=now)
    elif referral.earn_time is not None and (not paid or gone > referral.credited):
        await _take_back(work, referral, now=now)


async def _first(work: BillingWork, referral: Referral) -> Invoice | None:
    """The referee's first invoice that there was something to pay of, and that counts."""
    if referral.invoice_id:
        return await work.invoices.get(referral.invoice_id)
    query, first = InvoiceQuery(limit=_A_PAGE, account_id=referral.referee_id), None
    while page := await work.invoices.list(query):
        for each in page:
            if each.kind is not InvoiceKind.CREDIT_NOTE and each.total > 0 and each.state is not InvoiceState.VOID:
                first = each
        if len(page) < _A_PAGE:
            break
        query = replace(query, before=(page[-1].issue_time, page[-1].invoice_id))
    return first


async def _credit(work: BillingWork, referral: Referral, *, now: int) -> None:
    entry = WalletEntry(
        entry_id=_entry_id(referral),
        account_id=referral.referrer_id,
        create_time=now,
        currency=referral.currency,
        amount=referral.amount,
        kind=WalletEntryKind.GIVEN,
        invoice_id="",
    )
    await work.wallet.add(entry)
    await work.ledger.post([given_entry(entry)])
    await work.discounts.put_referral(replace(referral, earn_time=now))
    await spend(work, referral.referrer_id, referral.currency, cause_id=entry.entry_id, now=now)


async def _take_back(work: BillingWork, referral: Referral, *, now: int) -> None:
    """What is left of the credit leaves the wallet; what was spent of it is on the referrer's next invoice."""
    entry_id = _entry_id(referral)
    given = await work.wallet.get(entry_id)
    assert given is not None, entry_id  # noqa: S101 - it was added when it was earned
    left = await take_what_is_left(work, given, at=now, kind=WalletEntryKind.TAKEN_BACK)
    if left < referral.amount:
        await work.fees.add(
            Fee(
                fee_id=f"referral/{referral.referee_id}",
                account_id=referral.referrer_id,
                create_time=now,
                currency=referral.currency,
                text=f"{_TAKEN_BACK}: {referral.referee_id}",
                exact=Fraction(referral.amount - left),
            )
        )
    await work.discounts.put_referral(replace(referral, return_time=now))


def _entry_id(referral: Referral) -> str:
    return f"{WalletEntryKind.GIVEN.value}/referral/{referral.referee_id}"
