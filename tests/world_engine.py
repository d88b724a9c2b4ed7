"""A driver of decision worlds over the pure engine: memory gates and views, the use-cases, and a clock by hand."""

from dataclasses import replace
from typing import Any

from tallygate.control_plane import subscription_terms as terms
from tallygate.control_plane.formers import longest_period, with_former, with_former_rule
from tallygate.data_plane.admission import Admission
from tallygate.data_plane.check import Checks
from tallygate.data_plane.consume import Consumes
from tallygate.data_plane.rate_limit import RateLimits
from tallygate.data_plane.requests import (
    CheckRequest,
    ConsumeRequest,
    RateLimitRequest,
    ResetRequest,
)
from tallygate.data_plane.view import ViewOptions
from tallygate.data_plane.views import Views
from tallygate.domain.account import AccountRecord, AddOnHolding, Grant, Override, Subscription, SubscriptionState
from tallygate.domain.catalog import AddOn, Catalog, CatalogSnapshot, FormerDefault, FormerZone, Plan, TrialPer
from tallygate.domain.errors import TallygateError
from tallygate.domain.gating.quota import Mode
from tallygate.server.wire.catalog import decode_catalog
from tallygate.server.wire.plan import decode_entitlement, decode_rate
from tallygate.storage.memory import MemoryGates, MemoryViews
from tallygate_api.v1 import catalog_pb2
from world_answers import show, show_limits
from worlds import catalog_message, instant, override_message

TENANT = "t"


class EngineDriver:
    """Worlds over memory; with `forgetful`, every question meets a process that has just started."""

    tolerance = 0.0

    def __init__(self, *, forgetful: bool = False) -> None:
        self._now = 0
        self._version = 0
        self._requests = 0
        self._forgetful = forgetful
        self._source = MemoryViews()
        self.gates = MemoryGates(lambda: self._now, views=self._source)
        self._views = self._new_views()

    async def open(self, catalog: catalog_pb2.Catalog, now: int) -> None:
        self._now = now
        self._publish_catalog(decode_catalog(catalog))

    async def move_to(self, now: int) -> None:
        assert now >= self._now, "time runs forwards"
        self._now = now

    async def do(self, action: str, args: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = getattr(self, f"_{action}")(**args)
            return (await answer if hasattr(answer, "__await__") else answer) or {"error": None}
        except TallygateError as error:
            return {"error": error.reason.value}

    # Questions

    async def _check(self, account, feature, user="", quantity=None, values=(), at_time=None):
        asked = CheckRequest(
            account_id=account,
            feature_key=feature,
            user_id=user,
            quantity=quantity,
            requested_values=tuple(values),
            at_time=instant(at_time) if at_time else None,
            min_view_version=self._version,
        )
        return show(await Checks(admission=self._admission()).check(TENANT, asked))

    async def _consume(self, account, feature, quantity=None, request_id="", mode="ALL_OR_NOTHING", occurred=None):
        self._requests += 1
        asked = ConsumeRequest(
            account_id=account,
            feature_key=feature,
            request_id=request_id or f"r{self._requests}",
            quantity=quantity,
            mode=Mode(mode),
            occurred_time=instant(occurred) if occurred else None,
            min_view_version=self._version,
        )
        return show(await Consumes(admission=self._admission()).consume(TENANT, asked))

    async def _carry_in(self, account, feature, quantity):
        self._requests += 1
        asked = ConsumeRequest(
            account_id=account,
            feature_key=feature,
            request_id=f"r{self._requests}",
            quantity=quantity,
            mode=Mode.ADJUST,
            carry_in=True,
            min_view_version=self._version,
        )
        return show(await Consumes(admission=self._admission()).consume(TENANT, asked))

    async def _reset(self, account, feature, request_id=""):
        self._requests += 1
        asked = ResetRequest(account_id=account, feature_key=feature, request_id=request_id or f"r{self._requests}")
        answer = show(await Consumes(admission=self._admission()).reset(TENANT, asked))
        if not answer["allowed"]:
            return {"error": answer["reason"]}  # a reset has no decision to answer with
        return {**answer, "closed": answer["granted"]}

    async def _ratelimit(self, account="", limit="", descriptor=None, cost=None, request_id=""):
        asked = RateLimitRequest(
            account_id=account,
            limit_key=limit,
            descriptor=tuple((descriptor or {}).items()),
            cost=cost,
            request_id=request_id,
            min_view_version=self._version,
        )
        return show_limits(await RateLimits(admission=self._admission()).take(TENANT, asked))

    # Changes

    def _account(self, account, zone="", overrides=(), grants=(), seats=None, **subscription):
        self._version += 1
        record = AccountRecord(
            tenant_id=TENANT, account_id=account, version=self._version, create_time=self._now, time_zone=zone
        )
        self._source.publish(record)
        if subscription:
            self._subscribe(account, **subscription)
        for override in overrides:
            self._override(account, **override)
        for grant in grants:
            self._grant(account, **grant)
        for feature, users in (seats or {}).items():
            self._put(account, seats={**self._record(account).seats, feature: tuple(users)})

    def _subscribe(self, account, plan, version=None, trial_days=None, start=None, end=None, add_ons=None, state=None):
        sold, begins = self._plan(plan, version), instant(start) if start else self._now
        days = trial_days if trial_days is not None else self._trial_days(account, sold)
        trial_end = begins + days * terms.DAY if days else None
        after = self._plan(sold.trial.ends_in) if sold.trial and sold.trial.ends_in else sold
        subscription = Subscription(
            subscription_id=f"sub-{account}-{self._version}",
            state=SubscriptionState.TRIALING if days else SubscriptionState.ACTIVE,
            start_time=begins,
            terms=terms.opening_terms(sold, after, start=begins, trial_end=trial_end),
            trial_end_time=trial_end,
            end_time=instant(end) if end else None,
            add_ons=tuple(
                AddOnHolding(add_on_key=key, version=self._add_on(key).version, quantity=quantity, start_time=begins)
                for key, quantity in (add_ons or {}).items()
            ),
            anchor_time=max(begins, self._now),
        )
        record = self._record(account)
        ended = () if record.subscription is None else (record.subscription,)
        self._put(account, subscription=subscription, former_subscriptions=(*record.former_subscriptions, *ended))
        if state:
            self._state(account, state)

    def _trial_days(self, account, sold):
        record = self._record(account)
        every = (*record.former_subscriptions, *([record.subscription] if record.subscription else []))
        per = sold.trial.per if sold.trial else TrialPer.SUBSCRIPTION
        of = sold.plan_key if per is TrialPer.PLAN else ""
        had = per is not TrialPer.SUBSCRIPTION and any(terms.had_trial(each, of) for each in every)
        return sold.trial.days if sold.trial and not had else 0

    def _zone(self, account, zone):
        record = self._record(account)
        if record.subscription is None:
            self._put(account, time_zone=zone)
            return
        former = FormerZone(time_zone=record.time_zone, end_time=self._now)
        formers = with_former(record.former_zones, former, longest=longest_period(self._snapshot().catalog))
        self._put(account, time_zone=zone, former_zones=formers)

    def _change_plan(self, account, plan, version=None, when="now"):
        held, sold = self._subscription(account), self._plan(plan, version)
        at = self._now
        if when == "now":
            held = terms.without_trial(held, self._now)
        else:
            serving = terms.term_at(held, self._now)
            old = self._plan(serving.plan_key, serving.plan_version)
            at = terms.period_end(held, old, zone=self._zone_of(account), now=self._now)
        self._put(account, subscription=terms.with_plan_from(held, sold, at))

    def _set_add_on(self, account, add_on, quantity=1):
        version = self._add_on(add_on).version
        changed = terms.with_add_on(self._subscription(account), add_on, version, quantity, self._now)
        self._put(account, subscription=changed)

    def _state(self, account, state):
        self._put(account, subscription=replace(self._subscription(account), state=SubscriptionState(state)))

    def _cancel(self, account, at=None):
        end = instant(at) if at else self._now
        held = self._subscription(account)
        never = held.state is SubscriptionState.INCOMPLETE
        held = replace(held, state=held.state if never else SubscriptionState.CANCELED, end_time=end)
        self._put(account, subscription=held)

    def _extend(self, account, to):
        self._put(account, subscription=replace(self._subscription(account), end_time=instant(to)))

    def _extend_trial(self, account, to):
        self._put(account, subscription=terms.with_trial_until(self._subscription(account), instant(to)))

    def _grant(self, account, id, feature, amount, priority=0, effective=None, expires=None):  # noqa: A002 - its name
        grant = Grant(
            grant_id=id,
            feature_key=feature,
            amount=amount,
            priority=priority,
            effective_time=instant(effective) if effective else self._now,
            expire_time=instant(expires) if expires else None,
            create_time=self._now,
        )
        self._put(account, grants=(*self._record(account).grants, grant))

    def _revoke_grant(self, account, id):  # noqa: A002 - the document's key
        grants = [
            replace(grant, expire_time=self._now) if grant.grant_id == id else grant
            for grant in self._record(account).grants
        ]
        self._put(account, grants=tuple(grants))

    def _override(self, account, id, feature="", entitlement=None, limit="", rate=None, start=None, end=None):  # noqa: A002 - the document's key
        plan = override_message(feature=feature, entitlement=entitlement, limit=limit, rate=rate)
        override = Override(
            override_id=id,
            feature_key=feature,
            entitlement=decode_entitlement(plan.entitlements[feature], "entitlement") if feature else None,
            limit_key=limit,
            rate_limit=decode_rate(plan.rate_limits[limit], "rate_limit") if limit else None,
            start_time=instant(start) if start else self._now,
            end_time=instant(end) if end else None,
        )
        self._put(account, overrides=(*self._record(account).overrides, override))

    def _delete_override(self, account, id):  # noqa: A002 - the document's key
        ended = [
            replace(each, end_time=min(self._now, each.end_time or self._now)) if each.override_id == id else each
            for each in self._record(account).overrides
            if each.override_id != id or not each.limit_key
        ]
        self._put(account, overrides=tuple(ended), limits_time=self._now)

    async def _assign_seat(self, account, feature, user):
        held = self._record(account).seats.get(feature, ())
        answer = await self._check(account, feature, **({"user": user} if user in held else {"quantity": 1}))
        if answer["allowed"] and user not in held:
            self._put(account, seats={**self._record(account).seats, feature: (*held, user)})
        return answer

    def _unassign_seat(self, account, feature, user):
        held = self._record(account).seats
        self._put(account, seats={**held, feature: tuple(other for other in held[feature] if other != user)})

    def _publish(self, migrate="none", **document):
        new, held = decode_catalog(catalog_message(document)), self._snapshot().catalog
        limits = {key: replace(rule, value_time=self._now) for key, rule in new.rate_limits.items()}
        plans = {key: {**held.plans.get(key, {}), **versions} for key, versions in new.plans.items()}
        add_ons = {key: {**held.add_ons.get(key, {}), **versions} for key, versions in new.add_ons.items()}
        zones, defaults = held.former_zones, held.former_defaults
        longest = longest_period(held)
        if new.time_zone and new.time_zone != held.time_zone:
            former = FormerZone(time_zone=held.time_zone, end_time=self._now)
            zones = with_former(zones, former, longest=longest)
        if new.default_plan and new.default_plan != held.default_plan:
            gone = FormerDefault(plan_key=held.default_plan, end_time=self._now)
            defaults = with_former(defaults, gone, longest=longest)
        features = {
            key: with_former_rule(feature, held.features.get(key, feature), now=self._now)
            for key, feature in new.features.items()
        }
        self._publish_catalog(
            replace(
                held,
                time_zone=new.time_zone or held.time_zone,
                default_plan=new.default_plan or held.default_plan,
                former_zones=zones,
                former_defaults=defaults,
                features={**held.features, **features},
                rate_limits={**held.rate_limits, **limits},
                plans={**held.plans, **plans},
                add_ons={**held.add_ons, **add_ons},
            )
        )
        for _, account in list(self._source.records) if migrate != "none" else []:
            for plan in new.plans:
                held = self._subscription(account)
                serving, at = terms.term_at(held, self._now), self._now
                if migrate == "period_end":
                    old = self._plan(serving.plan_key, serving.plan_version)
                    at = terms.period_end(held, old, zone=self._zone_of(account), now=self._now)
                self._put(account, subscription=terms.with_version_from(held, self._plan(plan), at))

    # What there is

    def _new_views(self) -> Views:
        async def sleep(seconds: float) -> None:
            raise AssertionError(seconds)  # in memory a write is visible at once

        return Views(self._source, clock=lambda: self._now, sleep=sleep, options=ViewOptions())

    def _admission(self) -> Admission:
        if self._forgetful:
            self._views = self._new_views()
        return Admission(views=self._views, gates=self.gates, clock=lambda: self._now)

    def _snapshot(self) -> CatalogSnapshot:
        return self._source.snapshots[TENANT]

    def _publish_catalog(self, catalog: Catalog) -> None:
        self._version += 1
        self._source.publish(CatalogSnapshot(tenant_id=TENANT, version=self._version, catalog=catalog))

    def _record(self, account: str) -> AccountRecord:
        return self._source.records[TENANT, account]

    def _put(self, account: str, **changes: Any) -> None:
        self._version += 1
        self._source.publish(replace(self._record(account), version=self._version, **changes))

    def _subscription(self, account: str) -> Subscription:
        held = self._record(account).subscription
        assert held is not None, f"{account} has no subscription"
        return held

    def _plan(self, key: str, version: int | None = None) -> Plan:
        found = self._snapshot().catalog.plan(key, version)
        assert found is not None, f"no plan {key} {version}"
        return found

    def _add_on(self, key: str) -> AddOn:
        found = self._snapshot().catalog.add_on(key)
        assert found is not None, f"no add-on {key}"
        return found

    def _zone_of(self, account: str) -> str:
        return self._record(account).time_zone or self._snapshot().catalog.time_zone or "UTC"
