"""From a document without a number to one that is issued: all of it in the transaction that made its lines."""

from dataclasses import dataclass, replace

from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.documents import Invoice, due_time, number_of, series_of
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.period import local_date
from tallygate.records.ports import BillingWork


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueTerms:
    """By which terms documents of an account are issued: days are the seller's in numbers, the buyer's in due dates."""

    policy: BillingPolicy
    amounts: Policy
    seller_zone: str
    buyer_zone: str


async def finalise(work: BillingWork, document: Invoice, terms: IssueTerms, *, now: int) -> Invoice:
    """Issue a document: what it comes to, then its number, which is taken last, so that the series is locked briefly.

    What is posted of it comes after its number, in the same transaction.
    """
    final = await _numbered(work, document, terms, now=now)
    await work.invoices.issue(final)
    return final


async def _numbered(work: BillingWork, document: Invoice, terms: IssueTerms, *, now: int) -> Invoice:
    series = series_of(document.kind)
    number, issue_time = await work.invoices.next_number(series, now=now)
    year = local_date(issue_time, zone=terms.seller_zone).year
    return replace(
        document,
        series=series,
        number=number_of(terms.policy.number, document.kind, year=year, number=number),
        issue_time=issue_time,
        due_time=due_time(terms.policy.due, issued=issue_time, zone=terms.buyer_zone),
        policy=terms.amounts,
        zone=terms.buyer_zone,
    )
