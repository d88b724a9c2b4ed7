"""By what an account is taxed, and what the lines that its documents credit had of tax."""

from collections.abc import Iterable, Mapping

from tallygate.billing.ports import Sources
from tallygate.billing.profiles import SELLER
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.parties import BillingProfile
from tallygate.domain.billing.tax import Credited, TaxTerms, terms_of
from tallygate.domain.catalog import Catalog
from tallygate.records.ports import BillingWork


async def tax_terms(work: BillingWork, account_id: str, catalog: Catalog, *, now: int) -> TaxTerms | None:
    """By what documents of an account are taxed that are made now; None where its tenant charges no tax."""
    return await terms_for(work, await work.profiles.get(account_id), catalog, now=now)


async def terms_for(work: BillingWork, buyer: BillingProfile | None, catalog: Catalog, *, now: int) -> TaxTerms | None:
    """By what documents of a buyer are taxed, who need not be an account."""
    policy = catalog.billing
    if policy is None or policy.tax is None:
        return None
    seller = await work.profiles.get(SELLER)
    if seller is None:
        return None
    return terms_of(
        policy.tax,
        policy.rounding,
        work.shipped_rates,
        seller=seller,
        buyer=buyer,
        zone=catalog.time_zone,
        time=now,
    )


async def credited_lines(work: Sources, lines: Iterable[Line]) -> Mapping[str, Credited]:
    """The issued lines that lines give back of, by key, each with what gave back of it before."""
    sources = {line.gives_back for line in lines if line.gives_back}
    return await work.issued_lines.credited(sources) if sources else {}
