"""CatalogService: what is sold, published as a whole and read back."""

from tallygate.control_plane.catalog import ApplyCatalog, Migrate, apply_catalog, get_catalog, list_plans
from tallygate.control_plane.catalog_diff import Effect, ItemChange
from tallygate.control_plane.ports import UnitOfWork
from tallygate.domain.catalog import Catalog, Plan
from tallygate.domain.errors import PlanNotFoundError
from tallygate.server.calls import Call
from tallygate.server.codec import WireEnum, identifier, optional_quantity
from tallygate.server.codec_catalog import decode_catalog, encode_catalog
from tallygate.server.codec_plan import encode_plan
from tallygate.server.tenant_work import TenantWork, page_request
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
        wanted = ApplyCatalog(
            document=decode_catalog(request.catalog),
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
        """Every version of every plan; a page may be shorter where it passes over what is not asked for."""

        async def load(work: UnitOfWork, now: int) -> wire.ListPlansResponse:
            page = await list_plans(work, page_request(request.page_size, request.page_token))
            wanted = [
                plan
                for plan in page.items
                if request.plan_key in {"", plan.plan_key} and (request.include_archived or not plan.archived)
            ]
            plans = await _published(work, wanted, now)
            return wire.ListPlansResponse(plans=plans, next_page_token=page.next_page_token)

        return await self._work.read(call, load)

    async def GetPlan(self, request: wire.GetPlanRequest, call: Call) -> wire.GetPlanResponse:  # noqa: N802 - the wire's name
        """One version of a plan."""
        plan_key = identifier(request.plan_key, "plan_key")
        wanted = optional_quantity(request, "plan_version", at_least=1)

        async def load(work: UnitOfWork, now: int) -> wire.PublishedPlan:
            plan = (await work.catalog.load()).plan(plan_key, wanted)
            if plan is None:
                version = {} if wanted is None else {"plan_version": wanted}
                raise PlanNotFoundError(plan_key=plan_key, **version)
            return (await _published(work, [plan], now))[0]

        return wire.GetPlanResponse(plan=await self._work.read(call, load))


async def _published(work: UnitOfWork, plans: list[Plan], now: int) -> list[wire.PublishedPlan]:
    catalog = await work.catalog.load()
    held = (await work.subscriptions.use(now=now)).plans
    return [
        wire.PublishedPlan(
            plan_key=plan.plan_key,
            plan=encode_plan(plan),
            newest=plan.version == max(catalog.plans[plan.plan_key]),
            subscription_count=held.get((plan.plan_key, plan.version), 0),
        )
        for plan in plans
    ]


def _change(change: ItemChange) -> wire.Change:
    parts = [f"version {change.old_version} -> {change.new_version}"] if change.old_version else []
    parts += [", ".join(change.fields)] if change.fields else []
    parts += [f"{change.moved} subscriptions move"] if change.moved else []
    return wire.Change(path=change.path, action=_ACTIONS[change.effect], detail="; ".join(parts))
