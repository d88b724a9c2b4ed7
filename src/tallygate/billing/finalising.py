"""From a document without a number to one that is issued: all of it in the transaction that made its lines."""

from dataclasses import dataclass, replace

from tallygate.billing.bookkeeping import post_document
from tallygate.billing.paid_effects import after_payment
from tallygate.billing.profiles import parties_of
from tallygate.billing.wallets import pay_from_wallet, put_into_wallet
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.discounts import taken_by
from tallygate.domain.billing.documents import Invoice, InvoiceKind, due_time, number_of, series_of
from tallygate.domain.billing.parties import parties_hash
from tallygate.domain.billing.wallet import WalletEntryKind
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.period import local_date
from tallygate.records.payments import COLLECT
from tallygate.records.ports import BillingWork


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueTerms:
    """By which terms documents of an account are issued: days are the seller's in numbers, the buyer's in due dates."""

    policy: BillingPolicy
    amounts: Policy
    seller_zone: str
    buyer_zone: str


async def finalise(work: BillingWork, document: Invoice, terms: IssueTerms, *, now: int) -> Invoice:
    """Issue a document: what it comes to, then its number, then what follows from it, all in one transaction.

    A credit note fills the wallet; the wallet pays what is open. What is posted of a document is posted here, too.
    """
    final = await _numbered(work, document, terms, now=now)
    await work.invoices.issue(final)
    if final.kind is not InvoiceKind.CREDIT_NOTE and not final.revision:  # what is reissued took it off before
        await work.coupons.note_uses(final.account_id, final.invoice_id, taken_by(final.lines))
    at = final.issue_time
    if final.total < 0:
        await put_into_wallet(work, final, -final.total, WalletEntryKind.CREDIT_NOTE, now=at)
    await post_document(work, final, zone=terms.buyer_zone)
    paid = await pay_from_wallet(work, final, now=at)
    issued = replace(final, balance=paid.get(final.invoice_id, final.balance))
    if (issued.balance.due or paid) and await work.payments.gateways():
        await work.jobs.hasten(COLLECT, final.account_id, due_time=at if paid else final.due_time)
    if paid or issued.state is InvoiceState.PAID:
        await after_payment(work, final.account_id, now=at)
    return issued


async def issue_note(work: BillingWork, note: Invoice, terms: IssueTerms, *, now: int) -> Invoice:
    """Issue a credit note that somebody asked for, whose balance says where its sum goes; nothing is posted yet."""
    final = replace(await _numbered(work, note, terms, now=now), balance=note.balance)
    await work.invoices.issue(final)
    return final


async def _numbered(work: BillingWork, document: Invoice, terms: IssueTerms, *, now: int) -> Invoice:
    series = series_of(document.kind)
    number, issue_time = await work.invoices.next_number(series, now=now)
    year = local_date(issue_time, zone=terms.seller_zone).year
    seller, buyer = await parties_of(work, document.account_id)
    due = 0 if document.total < 0 else due_time(terms.policy.due, issued=issue_time, zone=terms.buyer_zone)
    return replace(
        document,
        series=series,
        number=number_of(terms.policy.number, document.kind, year=year, number=number),
        issue_time=issue_time,
        due_time=due,
        balance=document.balance.issued(due_time=due),
        policy=terms.amounts,
        zone=terms.buyer_zone,
        seller=seller,
        buyer=buyer,
        parties_hash=parties_hash(seller, buyer),
    )
