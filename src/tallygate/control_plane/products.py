"""Apps: whether they may charge for usage, how they are listed, and where their own prices are shown."""

from dataclasses import replace
from urllib.parse import urlencode

from tallygate.control_plane.catalog import ApplyCatalog, apply_catalog
from tallygate.control_plane.product_rules import knowing_products
from tallygate.domain.billing.published import published
from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.listing import Listing, listing, plans_of
from tallygate.domain.product_errors import ProductNotFoundError, UsagePlanNotApprovedError
from tallygate.domain.products import BillingCycle, Product, UsageApproval
from tallygate.records.ports import BillingWork, UnitOfWork


async def known_product(work: UnitOfWork, product_key: str) -> Product:
    """An app that is in use.

    Raises:
        ProductNotFoundError: there is none.
    """
    product = (await work.catalog.load()).products.get(product_key)
    if product is None or product.archived:
        raise ProductNotFoundError(product_key=product_key)
    return product


async def request_usage_plan(work: UnitOfWork, product_key: str) -> Product:
    """Ask that an app may charge for usage; asking again changes nothing, and takes nothing back."""
    product = await known_product(work, product_key)
    if product.approval is UsageApproval.NONE:
        product = replace(product, approval=UsageApproval.REQUESTED)
        await work.catalog.put(product)
    return product


async def approve_usage_plan(work: UnitOfWork, product_key: str) -> Product:
    """Let an app charge for usage, as it has asked for.

    Raises:
        UsagePlanNotApprovedError: nobody has asked.
    """
    product = await known_product(work, product_key)
    if product.approval is UsageApproval.NONE:
        raise UsagePlanNotApprovedError(product_key=product_key, expected="a request, by RequestUsagePlan")
    if product.approval is UsageApproval.REQUESTED:
        product = replace(product, approval=UsageApproval.APPROVED)
        await work.catalog.put(product)
    return product


async def get_listing(
    work: BillingWork, product_key: str, currency: str, *, document: Catalog | None = None, now: int
) -> Listing:
    """An app as it is listed, or as it would be after a document was applied; nothing is changed.

    Raises:
        ProductNotFoundError: there is no such app.
        InvalidFieldError: the catalogue has no rate for the currency, or the document is wrong.
    """
    catalog = await work.catalog.load()
    if document is not None:
        await apply_catalog(work, ApplyCatalog(document=document, validate_only=True), now=now)
        catalog = _with(catalog, published(document))
    return listing(catalog, product_key, currency)


async def pricing_page(work: UnitOfWork, product_key: str, billing_cycle: BillingCycle) -> str:
    """The URL at which an app's own page shows its prices, for a billing cycle.

    Raises:
        ProductNotFoundError: there is no such app.
        InvalidFieldError: it has no page of its own, or no plan of this cycle.
    """
    product = await known_product(work, product_key)
    plans = plans_of(await work.catalog.load(), product_key)
    if any(plan.usage_based for plan in plans) and billing_cycle is not BillingCycle.MONTHLY:
        raise InvalidFieldError(
            field="billing_cycle", expected="monthly: usage is charged every month", got=billing_cycle
        )
    if not product.pricing_url:
        raise InvalidFieldError(field="product_key", expected="a product with a pricing_url", got=product_key)
    query = urlencode({"product": product_key, "billing_cycle": billing_cycle.value.upper()})
    return f"{product.pricing_url}?{query}"


def _with(stored: Catalog, document: Catalog) -> Catalog:
    """What is sold once a document was applied: of what it says nothing about, what there is."""
    plans = {key: {**stored.plans.get(key, {}), **versions} for key, versions in document.plans.items()}
    return replace(
        stored,
        currency=document.currency or stored.currency,
        plans={**stored.plans, **plans},
        products={**stored.products, **knowing_products(document.products, stored)},
        exchange_rates={**stored.exchange_rates, **document.exchange_rates},
    )
