"""The tenant's row and its catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Row, select, update

from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.catalog import AddOn, Catalog, Feature, Plan
from tallygate.domain.limits import RateLimitRule
from tallygate.records.values import Tenant
from tallygate.storage.documents import ADD_ON, BILLING, FEATURE, FORMER_DEFAULTS, FORMER_ZONES, PLAN, RATE_LIMIT
from tallygate.storage.sql.models import CatalogItemRow, TenantRow
from tallygate.storage.sql.scope import Scope, table_of

_tenants = table_of(TenantRow)
_items = table_of(CatalogItemRow)

CatalogItem = Feature | RateLimitRule | Plan | AddOn | BillingPolicy


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
            former_zones=tenant.former_zones,
            former_defaults=tenant.former_defaults,
        )

    async def put(self, item: CatalogItem) -> None:
        """Add or replace one item, by kind, key and version."""
        self.scope.changes.catalog = True
        self.scope.known.catalog = None
        self.scope.changes.billing |= isinstance(item, BillingPolicy)
        kind, key, version, doc = _columns(item)
        row = {"kind": kind, "key": key, "version": version, "doc": doc, "archived": getattr(item, "archived", False)}
        row["publish_time"] = self.scope.now
        await self.scope.upsert(CatalogItemRow, [row], keep=("publish_time",))

    async def publish_times(self) -> Mapping[tuple[str, int], int]:
        """When each version of each plan was published."""
        query = select(_items.c.key, _items.c.version, _items.c.publish_time)
        rows = await self.scope.rows(query.where(self.scope.own(CatalogItemRow), _items.c.kind == "plan"))
        return {(row.key, row.version): row.publish_time for row in rows}


_Item = TypeVar("_Item", Feature, RateLimitRule, Plan, AddOn)


def _archivable(item: _Item, row: Row[Any]) -> _Item:
    return replace(item, archived=row.archived)


def _published(plan: Plan, row: Row[Any]) -> Plan:
    return replace(plan, archived=row.archived, publish_time=row.publish_time)


def _columns(item: CatalogItem) -> tuple[str, str, int, Any]:
    match item:
        case Feature():
            return "feature", item.feature_key, 0, FEATURE.dump_python(item, mode="json", exclude_defaults=True)
        case RateLimitRule():
            return "rate_limit", item.limit_key, 0, RATE_LIMIT.dump_python(item, mode="json", exclude_defaults=True)
        case Plan():
            doc = PLAN.dump_python(item, mode="json", exclude_defaults=True)
            return "plan", item.plan_key, item.version, doc
        case AddOn():
            doc = ADD_ON.dump_python(item, mode="json", exclude_defaults=True)
            return "add_on", item.add_on_key, item.version, doc
        case BillingPolicy():
            doc = BILLING.dump_python(item, mode="json", exclude_defaults=True, exclude={"start_time"})
            return "billing", "", 0, doc
