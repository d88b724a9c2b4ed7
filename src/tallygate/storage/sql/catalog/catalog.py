"""The tenant's row and its catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Row, select, update

from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.catalog import AddOn, Catalog, Feature, Plan
from tallygate.domain.limits import RateLimitRule
from tallygate.domain.products import ExchangeRate, Product
from tallygate.records.values import Tenant
from tallygate.storage.documents import (
    ADD_ON,
    BILLING,
    EXCHANGE_RATE,
    FEATURE,
    FORMER_DEFAULTS,
    FORMER_ZONES,
    PLAN,
    PRODUCT,
    RATE_LIMIT,
)
from tallygate.storage.sql.models import CatalogItemRow, TenantRow
from tallygate.storage.sql.scope import Scope, table_of

_tenants = table_of(TenantRow)
_items = table_of(CatalogItemRow)

CatalogItem = Feature | RateLimitRule | Plan | AddOn | Product | ExchangeRate | BillingPolicy


def tenant_of(row: Row[Any]) -> Tenant:
    """A tenant from all columns of its row."""
    columns = dict(row._mapping)  # noqa: SLF001 - public in spite of its name: a row's columns by name
    columns["former_zones"] = FORMER_ZONES.validate_python(columns["former_zones"])
    columns["former_defaults"] = FORMER_DEFAULTS.validate_python(columns["former_defaults"])
    return Tenant(**columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlTenantRepository:
    """The tenant's own row."""

    scope: Scope

    async def get(self) -> Tenant:
        """The tenant as it stands in this unit of work."""
        if self.scope.known.tenant is None:
            rows = await self.scope.rows(select(_tenants).where(self.scope.own(TenantRow)))
            self.scope.known.tenant = tenant_of(rows[0])
        return self.scope.known.tenant

    async def update(self, tenant: Tenant) -> None:
        """Replace its settings and clock."""
        self.scope.changes.catalog = True
        self.scope.known.tenant = self.scope.known.catalog = None
        await self.scope.execute(
            update(_tenants)
            .where(self.scope.own(TenantRow))
            .values(
                currency=tenant.currency,
                time_zone=tenant.time_zone,
                default_plan=tenant.default_plan,
                clock_offset=tenant.clock_offset,
                clock_time=tenant.clock_time,
                former_zones=FORMER_ZONES.dump_python(tenant.former_zones, mode="json"),
                former_defaults=FORMER_DEFAULTS.dump_python(tenant.former_defaults, mode="json"),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlCatalogRepository:
    """The catalogue, one row an item and version."""

    scope: Scope

    async def load(self) -> Catalog:
        """Everything published, archived items included, sorted by key."""
        if self.scope.known.catalog is None:
            self.scope.known.catalog = await self._load()
        return self.scope.known.catalog

    async def _load(self) -> Catalog:
        tenant = await SqlTenantRepository(scope=self.scope).get()
        query = select(_items).where(self.scope.own(CatalogItemRow)).order_by(_items.c.key, _items.c.version)
        rows = await self.scope.rows(query)
        plans: dict[str, dict[int, Plan]] = {}
        add_ons: dict[str, dict[int, AddOn]] = {}
        billing: BillingPolicy | None = None
        for row in rows:
            if row.kind == "plan":
                plans.setdefault(row.key, {})[row.version] = _published(PLAN.validate_python(row.doc), row)
            elif row.kind == "add_on":
                add_ons.setdefault(row.key, {})[row.version] = _archivable(ADD_ON.validate_python(row.doc), row)
            elif row.kind == "billing":
                billing = replace(BILLING.validate_python(row.doc), start_time=row.publish_time)
        return Catalog(
            currency=tenant.currency,
            time_zone=tenant.time_zone,
            default_plan=tenant.default_plan,
            billing=billing,
            features={r.key: _archivable(FEATURE.validate_python(r.doc), r) for r in rows if r.kind == "feature"},
            rate_limits={
                r.key: _archivable(RATE_LIMIT.validate_python(r.doc), r) for r in rows if r.kind == "rate_limit"
            },
            plans=plans,
            add_ons=add_ons,
            products={r.key: _archivable(PRODUCT.validate_python(r.doc), r) for r in rows if r.kind == "product"},
            exchange_rates={
                r.key: _archivable(EXCHANGE_RATE.validate_python(r.doc), r) for r in rows if r.kind == "exchange_rate"
            },
            former_zones=tenant.former_zones,
            former_defaults=tenant.former_defaults,
        )

    async def put(self, item: CatalogItem) -> None:
        """Add or replace one item, by kind, key and version."""
        self.scope.changes.catalog = True
        self.scope.known.catalog = None
        app = isinstance(item, Product) and bool(item.charge_service)  # is asked of all who subscribe to it already
        self.scope.changes.billing |= isinstance(item, BillingPolicy) or app
        kind, key, version, doc = _columns(item)
        row = {"kind": kind, "key": key, "version": version, "doc": doc, "archived": getattr(item, "archived", False)}
        row["publish_time"] = self.scope.now
        await self.scope.upsert(CatalogItemRow, [row], keep=("publish_time",))

    async def publish_times(self) -> Mapping[tuple[str, int], int]:
        """When each version of each plan was published."""
        query = select(_items.c.key, _items.c.version, _items.c.publish_time)
        rows = await self.scope.rows(query.where(self.scope.own(CatalogItemRow), _items.c.kind == "plan"))
        return {(row.key, row.version): row.publish_time for row in rows}


_Item = TypeVar("_Item", Feature, RateLimitRule, Plan, AddOn, Product, ExchangeRate)


def _archivable(item: _Item, row: Row[Any]) -> _Item:
    return replace(item, archived=row.archived)


def _published(plan: Plan, row: Row[Any]) -> Plan:
    return replace(plan, archived=row.archived, publish_time=row.publish_time)


_KINDS: dict[type[CatalogItem], tuple[str, TypeAdapter[Any]]] = {
    Feature: ("feature", FEATURE),
    RateLimitRule: ("rate_limit", RATE_LIMIT),
    Plan: ("plan", PLAN),
    AddOn: ("add_on", ADD_ON),
    Product: ("product", PRODUCT),
    ExchangeRate: ("exchange_rate", EXCHANGE_RATE),
    BillingPolicy: ("billing", BILLING),
}
"""What a row of each is called, and how it is written."""


def _columns(item: CatalogItem) -> tuple[str, str, int, Any]:
    kind, document = _KINDS[type(item)]
    without = {"start_time"} if isinstance(item, BillingPolicy) else None
    doc = document.dump_python(item, mode="json", exclude_defaults=True, exclude=without)
    version = item.version if isinstance(item, Plan | AddOn) else 0
    return kind, _key_of(item), version, doc


def _key_of(item: CatalogItem) -> str:
    match item:
        case BillingPolicy():
            return ""
        case ExchangeRate():
            return item.currency
        case RateLimitRule():
            return item.limit_key
        case _:
            return str(getattr(item, f"{_KINDS[type(item)][0]}_key"))
