"""What a request names: found, or the error that says it is not there."""

from tallygate.domain.account import AccountRecord
from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.zones import billed, calendar_of, said, stretches
from tallygate.domain.catalog import Catalog, Feature, Plan
from tallygate.domain.errors import AccountNotFoundError, FeatureNotFoundError, PlanNotFoundError
from tallygate.records.ports import BillingWork, UnitOfWork
from tallygate.records.values import Account


async def known_account(work: UnitOfWork, account_id: str) -> Account:
    """An account's profile: what says that it is there, whatever it holds.

    Raises:
        AccountNotFoundError: there is none.
    """
    account = await work.accounts.get(account_id)
    if account is None:
        raise AccountNotFoundError(account_id=account_id)
    return account


async def billing_calendar(work: BillingWork, account: Account, catalog: Catalog) -> Calendar:
    """What the invoice periods of an account hang on besides its subscriptions."""
    state = await work.billing_accounts.get(account.account_id)
    zones = list(
        said(
            stretches(account.former_zones, account.time_zone),
            stretches(catalog.former_zones, catalog.time_zone),
        )
    )
    if state is not None and state.zone:
        zones = list(billed(stretches(state.former_zones, state.zone), zones, until=state.closed_until))
    return calendar_of(zones, account_create_time=account.create_time)


async def account_record(work: UnitOfWork, account_id: str) -> AccountRecord:
    """All that an account holds, however much that is; where it only has to be there, see `known_account`.

    Raises:
        AccountNotFoundError: there is none.
    """
    records = await work.accounts.records([account_id])
    if not records:
        raise AccountNotFoundError(account_id=account_id)
    return records[0]


def feature_of(catalog: Catalog, feature_key: str) -> Feature:
    """A feature.

    Raises:
        FeatureNotFoundError: there is none.
    """
    feature = catalog.features.get(feature_key)
    if feature is None:
        raise FeatureNotFoundError(feature_key=feature_key)
    return feature


def plan_on_sale(catalog: Catalog, plan_key: str, version: int | None) -> Plan:
    """A plan's given version, or its newest.

    Raises:
        PlanNotFoundError: there is none, or it was archived.
    """
    plan = catalog.plan(plan_key, version)
    if plan is None or plan.archived:
        raise PlanNotFoundError(plan_key=plan_key, **({} if version is None else {"version": version}))
    return plan
