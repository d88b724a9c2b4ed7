"""CatalogService: what is sold, published as a whole and read back."""

from tallygate.control_plane.catalog import ApplyCatalog, Migrate, apply_catalog, get_catalog, get_plan, list_plans
from tallygate.control_plane.catalog_diff import Effect, ItemChange
from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.ports import UnitOfWork
from tallygate.records.values import PublishedPlan
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork, page_request
from tallygate.server.wire.catalog import decode_catalog, encode_catalog
from tallygate.server.wire.plan import encode_plan
from tallygate.server.wire.scalars import WireEnum, identifier, optional_identifier, optional_quantity, timestamp
from tallygate_api.v1 import catalog_service_pb2 as wire

MIGRATE = WireEnum(wire.Migrate, Migrate, default=Migrate.NONE)
_ACTIONS = {
    Effect.ADDED: wire.CHANGE_ACTION_ADDED,
    Effect.CHANGED: wire.CHANGE_ACTION_CHANGED,
    Effect.ARCHIVED: wire.CHANGE_ACTION_ARCHIVED,
}
"""UNCHANGED and IN_USE change nothing."""


class CatalogServicer:
    """Serves CatalogService."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def ApplyCatalog(self, request: wire.ApplyCatalogRequest, call: Call) -> wire.ApplyCatalogResponse:  # noqa: N802 - the wire's name
        """Publish a catalogue, or say what it would change."""
        if not request.HasField("catalog"):
            raise InvalidFieldError(field="catalog", expected="a document; what it leaves out is kept")
        document = decode_catalog(request.catalog)
        wanted = ApplyCatalog(
            document=document,
            remove_default_plan=request.catalog.HasField("default_plan") and not document.default_plan,
            migrate=MIGRATE.decode(request.migrate, "migrate"),
            prune=request.prune,
            validate_only=request.validate_only,
        )
        written = await self._work.write(call, lambda work, now: apply_catalog(work, wanted, now=now))
        changes = written.value.changes
        return wire.ApplyCatalogResponse(
            changes=[_change(change) for change in changes if change.effect in _ACTIONS],
            subscriptions_behind={c.path.removeprefix("plans."): c.behind for c in changes if c.behind},
            view_version=written.view_version,
        )

    async def GetCatalog(self, request: wire.GetCatalogRequest, call: Call) -> wire.GetCatalogResponse:  # noqa: N802 - the wire's name
        """The catalogue, newest versions."""

        async def load(work: UnitOfWork, _now: int) -> Catalog:
            return await (work.catalog.load() if request.include_archived else get_catalog(work))

        read = await self._work.read_versioned(call, load)
        catalog = encode_catalog(read.value, include_archived=request.include_archived)
        return wire.GetCatalogResponse(catalog=catalog, view_version=read.view_version)

    async def ListPlans(self, request: wire.ListPlansRequest, call: Call) -> wire.ListPlansResponse:  # noqa: N802 - the wire's name
        """Every version of every plan, or of one."""
        plan_key = optional_identifier(request.plan_key, "plan_key")
        page = page_request(request.page_size, request.page_token)
        archived = request.include_archived
        found = await self._work.read(
            call,
            lambda work, now: list_plans(work, page, plan_key=plan_key, include_archived=archived, now=now),
        )
        return wire.ListPlansResponse(plans=map(_published, found.items), next_page_token=found.next_page_token)

    async def GetPlan(self, request: wire.GetPlanRequest, call: Call) -> wire.GetPlanResponse:  # noqa: N802 - the wire's name
        """One version of a plan."""
        plan_key = identifier(request.plan_key, "plan_key")
        version = optional_quantity(request, "plan_version", at_least=1)
        found = await self._work.read(call, lambda work, now: get_plan(work, plan_key, version, now=now))
        return wire.GetPlanResponse(plan=_published(found))


def _published(published: PublishedPlan) -> wire.PublishedPlan:
    return wire.PublishedPlan(
        plan_key=published.plan.plan_key,
        plan=encode_plan(published.plan),
        publish_time=timestamp(published.publish_time),
        newest=published.newest,
        subscription_count=published.subscription_count,
    )


def _change(change: ItemChange) -> wire.Change:
    parts = [f"version {change.old_version} -> {change.new_version}"] if change.old_version else []
    parts += change.details
    parts += [f"{change.moved} subscriptions move"] if change.moved else []
    return wire.Change(path=change.path, action=_ACTIONS[change.effect], detail="; ".join(parts))
