"""What is left of some features to an account that is late with its payment: overrides that come and go with it."""

from collections.abc import Mapping
from dataclasses import replace

from tallygate.domain.account import Override
from tallygate.domain.catalog import Catalog, Entitlement, FeatureKind
from tallygate.records.ports import BillingWork
from tallygate.records.values import StoredOverride

_PREFIX = "dunning/"
"""Of their ids."""


async def degrade(work: BillingWork, account_id: str, limits: Mapping[str, int], *, now: int) -> None:
    """Leave an account so much of features, and of all others what it holds; nothing is left less than it has anyway.

    It follows from what is owed now, whatever came before: what was taken comes back in the transaction that pays.
    """
    held = {
        stored.override.feature_key: stored
        for stored in await work.overrides.list(account_id)
        if stored.override.override_id.startswith(_PREFIX) and stored.delete_time is None
    }
    catalog = await work.catalog.load()
    wanted = await _wanted(work, account_id, limits, catalog, now=now) if limits else {}
    for feature_key, stored in held.items():
        if wanted.get(feature_key) != stored.override.entitlement:
            await _end(work, account_id, stored, now=now)
    for feature_key, entitlement in wanted.items():
        if feature_key not in held or held[feature_key].override.entitlement != entitlement:
            override = Override(
                override_id=f"{_PREFIX}{feature_key}", feature_key=feature_key, entitlement=entitlement, start_time=now
            )
            await work.overrides.put(account_id, StoredOverride(override=override, create_time=now))


async def _wanted(
    work: BillingWork, account_id: str, limits: Mapping[str, int], catalog: Catalog, *, now: int
) -> Mapping[str, Entitlement]:
    """Of what its plan holds."""
    subscriptions = [
        one.subscription
        for one in await work.subscriptions.of(account_id)
        if one.subscription.end_time is None or one.subscription.end_time > now
    ]
    if not subscriptions:
        return {}
    terms = subscriptions[-1].terms
    term = next((each for each in reversed(terms) if each.start_time <= now), terms[0])
    plan = catalog.plan(term.plan_key, term.plan_version)
    own = plan.entitlements if plan is not None else {}
    return {
        feature_key: _left(catalog, feature_key, limit)
        for feature_key, limit in limits.items()
        if feature_key in own and feature_key in catalog.features and _is_less(own[feature_key], limit)
    }


def _left(catalog: Catalog, feature_key: str, limit: int) -> Entitlement:
    if catalog.features[feature_key].kind is FeatureKind.BOOLEAN:
        return Entitlement(enabled=False)
    return Entitlement(limit=limit)


def _is_less(own: Entitlement, limit: int) -> bool:
    return own.end is None or own.end > limit or bool(own.enabled)


async def _end(work: BillingWork, account_id: str, stored: StoredOverride, *, now: int) -> None:
    """End one: it is remembered, as usage periods may hang on it."""
    await work.overrides.delete(account_id, stored.override.override_id)
    ended = replace(stored, override=replace(stored.override, end_time=max(now, stored.override.start_time)))
    await work.overrides.put(account_id, replace(ended, delete_time=now))
