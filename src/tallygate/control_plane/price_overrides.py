"""Prices of an account's own: what is charged to it in place of a price of the catalogue, over a stretch of time."""

from dataclasses import dataclass, replace

from tallygate.control_plane.price_rules import check_charged, check_price
from tallygate.domain.billing.published import published_prices
from tallygate.domain.billing.timeline import PriceOverride
from tallygate.domain.catalog import AddOn, Catalog, Plan
from tallygate.domain.catalog_errors import AddOnNotFoundError
from tallygate.domain.errors import ConflictError, InvalidFieldError, OverrideNotFoundError, PlanNotFoundError
from tallygate.domain.instants import rfc3339
from tallygate.domain.prices import Price
from tallygate.records.fields import check_id, check_instant
from tallygate.records.lookup import known_account
from tallygate.records.paging import Page, PageRequest, part_of
from tallygate.records.ports import BillingWork, NewId
from tallygate.records.wording import differs

_MOST = 1_000
"""As many as an account may have in its life: each is read for every invoice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPriceOverride:
    """An own price for the price of this key of a plan, or of an add-on, from now or a later instant on."""

    account_id: str
    price: Price
    plan_key: str = ""
    add_on_key: str = ""
    override_id: str = ""
    start_time: int | None = None
    end_time: int | None = None


async def set_price_override(work: BillingWork, request: SetPriceOverride, *, now: int, new_id: NewId) -> PriceOverride:
    """Give an account a price of its own. Where several are in force the newest holds.

    Raises:
        InvalidFieldError: a field is wrong; a price is checked as one of the catalogue is.
        AccountNotFoundError: there is no such account; so for PlanNotFoundError, AddOnNotFoundError.
        ConflictError: another override has this id, or there are too many.
    """
    await known_account(work, request.account_id)
    catalog = await work.catalog.load()
    override = PriceOverride(
        override_id=check_id("override_id", request.override_id or f"price_{new_id()}"),
        bundle=f"plans/{request.plan_key}" if request.plan_key else f"add_ons/{request.add_on_key}",
        price_key=request.price.price_key,
        price=_checked(request.price, _newest(catalog, request), catalog),
        start_time=now if request.start_time is None else check_instant("start_time", request.start_time, least=now),
    )
    if request.end_time is not None:
        end = check_instant("end_time", request.end_time, after=override.start_time)
        override = replace(override, end_time=end)
    return await _add(work, request, override)


async def end_price_override(
    work: BillingWork, account_id: str, override_id: str, end_time: int | None, *, now: int, new_id: NewId
) -> PriceOverride:
    """End an own price, now or at a later instant; an end that it has already comes no later by this.

    Raises:
        AccountNotFoundError: there is no such account.
        OverrideNotFoundError: it has no such price.
        InvalidFieldError: the end lies in the past, or behind the one that it has.
    """
    await known_account(work, account_id)
    held = next((one for one in await work.price_overrides.of(account_id) if one.override_id == override_id), None)
    if held is None:
        raise OverrideNotFoundError(account_id=account_id, override_id=override_id)
    end = max(now, held.start_time) if end_time is None else check_instant("end_time", end_time, least=now)
    if held.end_time <= now or held.end_time == end:
        return held
    if end > held.end_time:
        raise InvalidFieldError(field="end_time", expected="not after the present end", got=rfc3339(end))
    ended = replace(held, end_time=end)
    await work.price_overrides.end(account_id, ended, end_id=f"price_{new_id()}")
    return ended


async def list_price_overrides(work: BillingWork, account_id: str, page: PageRequest) -> Page[PriceOverride]:
    """An account's own prices, newest first, ended ones included, page by page.

    Raises:
        AccountNotFoundError: there is no such account.
        InvalidFieldError: no such list handed out this token.
    """
    await known_account(work, account_id)
    newest = list(reversed(await work.price_overrides.of(account_id)))
    return part_of(page, newest, lambda one: one.override_id)


async def _add(work: BillingWork, request: SetPriceOverride, override: PriceOverride) -> PriceOverride:
    there = await work.price_overrides.of(request.account_id)
    known = next((one for one in there if one.override_id == override.override_id), None)
    if known is not None:
        wanted = replace(override, start_time=known.start_time) if request.start_time is None else override
        if known == wanted:
            return known
        raise ConflictError(override_id=override.override_id, differs=differs(known, wanted))
    if len(there) >= _MOST:
        raise ConflictError(account_id=request.account_id, holds="price overrides", limit=_MOST)
    await work.price_overrides.add(request.account_id, override)
    return override


def _newest(catalog: Catalog, request: SetPriceOverride) -> Plan | AddOn:
    if bool(request.plan_key) is bool(request.add_on_key):
        raise InvalidFieldError(field="bundle", expected="either plan_key or add_on_key")
    if request.plan_key:
        plan = catalog.plan(request.plan_key)
        if plan is None:
            raise PlanNotFoundError(plan_key=request.plan_key)
        return plan
    add_on = catalog.add_on(request.add_on_key)
    if add_on is None:
        raise AddOnNotFoundError(add_on_key=request.add_on_key)
    return add_on


def _checked(price: Price, bundle: Plan | AddOn, catalog: Catalog) -> Price:
    """The price, as published, where it stands in for one of its kind that is charged at the same times."""
    replaced = next((one for one in bundle.prices if one.price_key == price.price_key), None)
    if replaced is None:
        known = ", ".join(one.price_key for one in bundle.prices) or "none"
        raise InvalidFieldError(field="price.key", expected=f"a price of it: {known}", got=price.price_key)
    if price.kind != replaced.kind:
        raise InvalidFieldError(
            field="price", expected=f"a {replaced.kind} price, as it stands in for one", got=price.kind
        )
    check_price("price", price, catalog.features, bundle.entitlements)
    check_charged("price", price, bundle.entitlements)
    if (price.currency or catalog.currency) != (replaced.currency or catalog.currency):
        expected = f"the currency of what it stands in for, {replaced.currency or catalog.currency}"
        raise InvalidFieldError(field="price.currency", expected=expected, got=price.currency)
    if price.tax_category not in {"", replaced.tax_category}:
        expected = f"that of the price that it stands in for, {replaced.tax_category or 'the standard one'}"
        raise InvalidFieldError(field="price.tax_category", expected=expected, got=price.tax_category)
    _check_alike(price, replaced)
    price = replace(price, tax_category=replaced.tax_category)
    (written_out,) = published_prices((price,), bundle.entitlements)
    return written_out


def _check_alike(price: Price, replaced: Price) -> None:
    if price.recurring is not None and replaced.recurring is not None:
        for name in ("every", "count", "due", "seats", "users"):
            if getattr(price.recurring, name) != getattr(replaced.recurring, name):
                expected = f"{getattr(replaced.recurring, name)}, as of the price that it stands in for"
                raise InvalidFieldError(field=f"price.recurring.{name}", expected=expected)
    if price.usage is not None and replaced.usage is not None and price.usage.feature_key != replaced.usage.feature_key:
        raise InvalidFieldError(field="price.usage.feature_key", expected=replaced.usage.feature_key)
