"""Every method of the control plane through a real server and SQL; what they mean is tested where they are decided."""

import itertools
import secrets

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from control_planes import control_plane
from servers import ValkeyServer
from tallygate.control_plane.tenants import CreateTenant, create_tenant
from tallygate.domain.credential import Scope, is_well_formed
from tallygate.domain.errors import FeatureNotFoundError
from tallygate.domain.gating.decision import Decision, Reason
from tallygate.server.services.account_service import AccountServicer
from tallygate.server.services.api_key_service import ApiKeyServicer
from tallygate.server.services.catalog_service import CatalogServicer
from tallygate.server.services.subscription_service import SubscriptionServicer
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.services.test_clock_service import TestClockServicer
from tallygate.server.services.usage_service import UsageServicer
from tallygate.storage.sql.metering.events import SqlEventReader
from tallygate.storage.sql.metering.usage import SqlUsageReader
from tallygate.storage.sql.schema import migrate
from tallygate_api.v1 import (
    account_service_pb2,
    account_service_pb2_grpc,
    api_key_service_pb2,
    api_key_service_pb2_grpc,
    catalog_pb2,
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    error_reason_pb2,
    subscription_pb2,
    subscription_service_pb2,
    subscription_service_pb2_grpc,
    test_clock_service_pb2,
    test_clock_service_pb2_grpc,
    usage_service_pb2,
    usage_service_pb2_grpc,
)

NOW = 1_800_000_000
DAY = 86_400
ACCOUNT = "acme/eu ada@acme.example"


@pytest.fixture(scope="module")
def kind():
    return "grpcio"


@pytest.fixture(scope="module")
def valkey():
    with ValkeyServer() as server:
        yield server


def document():
    features = {
        "sso": catalog_pb2.Feature(kind=catalog_pb2.FEATURE_KIND_BOOLEAN),
        "retention_days": catalog_pb2.Feature(kind=catalog_pb2.FEATURE_KIND_STATIC),
        "api_calls": catalog_pb2.Feature(kind=catalog_pb2.FEATURE_KIND_METERED, unit="call"),
        "seats": catalog_pb2.Feature(kind=catalog_pb2.FEATURE_KIND_SEAT),
    }
    rules = {
        "api_rps": catalog_pb2.RateLimitRule(
            owner=catalog_pb2.LIMIT_OWNER_ACCOUNT, algorithm=catalog_pb2.ALGORITHM_TOKEN_BUCKET
        )
    }
    pro = catalog_pb2.Plan(
        version=1,
        trial=catalog_pb2.Trial(days=14, ends_in="free"),
        entitlements={
            "api_calls": catalog_pb2.Entitlement(limit=100, overage=catalog_pb2.OVERAGE_ALLOW),
            "seats": catalog_pb2.Entitlement(limit=1),
        },
        rate_limits={"api_rps": catalog_pb2.RateLimitValue(limit=5, window=Duration(seconds=1))},
        prices=[
            catalog_pb2.Price(recurring=catalog_pb2.RecurringPrice(amount="49.00")),
            catalog_pb2.Price(usage=catalog_pb2.UsagePrice(feature_key="api_calls", unit_amount="0.0001")),
        ],
    )
    free = catalog_pb2.Plan(
        version=1,
        upgrades_to=["pro"],
        entitlements={
            "api_calls": catalog_pb2.Entitlement(limit=10),
            "retention_days": catalog_pb2.Entitlement(number=7),
        },
    )
    pack = catalog_pb2.AddOn(
        version=1, offered_on=["pro"], entitlements={"api_calls": catalog_pb2.Entitlement(limit=50)}
    )
    return catalog_pb2.Catalog(
        schema="tallygate.catalog.v1",
        currency="CHF",
        default_plan="free",
        features=features,
        rate_limits=rules,
        plans={"pro": pro, "free": free},
        add_ons={"pack": pack},
    )


class Client:
    """The six stubs, each call with the tenant's key."""

    def __init__(self, server):
        self._metadata = server.metadata("control")
        stubs = [
            account_service_pb2_grpc.AccountServiceStub,
            api_key_service_pb2_grpc.ApiKeyServiceStub,
            catalog_service_pb2_grpc.CatalogServiceStub,
            subscription_service_pb2_grpc.SubscriptionServiceStub,
            test_clock_service_pb2_grpc.TestClockServiceStub,
            usage_service_pb2_grpc.UsageServiceStub,
        ]
        self._stubs = [stub(server.channel) for stub in stubs]
        self.modules = [
            account_service_pb2,
            api_key_service_pb2,
            catalog_service_pb2,
            subscription_service_pb2,
            test_clock_service_pb2,
            usage_service_pb2,
        ]

    def __getattr__(self, method):
        stub, module = next((s, m) for s, m in zip(self._stubs, self.modules, strict=True) if hasattr(s, method))
        request = getattr(module, f"{method}Request")
        return lambda **fields: getattr(stub, method)(request(**fields), metadata=self._metadata)


async def refused(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code()


class Unpaid:
    """Nobody paid, so nothing goes back."""

    async def send(self, _tenant_id, parts):
        assert not parts


@pytest.fixture
async def client(start, valkey, tmp_path):
    """A client of a fresh test tenant with the catalogue applied."""
    url = f"sqlite:///{tmp_path}/t.db"
    migrate(url)
    async with control_plane(url, valkey.url) as plane:
        ids = itertools.count(1)
        work = TenantWork(
            transactions=plane.transactions, clock=lambda: NOW * 1_000_000, new_id=lambda: f"{next(ids):04}"
        )

        async def consume(_tenant_id, request):
            if request.feature_key != "api_calls":
                raise FeatureNotFoundError(feature_key=request.feature_key)
            return Decision(feature_key="api_calls", allowed=True, reason=Reason.WITHIN_LIMIT, granted_quantity=1)

        usage = UsageServicer(
            work, events=SqlEventReader(plane.engine), usage=SqlUsageReader(plane.engine), consume=consume
        )
        more = [
            (account_service_pb2.DESCRIPTOR.services_by_name["AccountService"], AccountServicer(work)),
            (catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"], CatalogServicer(work)),
            (
                subscription_service_pb2.DESCRIPTOR.services_by_name["SubscriptionService"],
                SubscriptionServicer(work, Unpaid()),
            ),
            (
                api_key_service_pb2.DESCRIPTOR.services_by_name["ApiKeyService"],
                ApiKeyServicer(work, entropy=secrets.token_bytes),
            ),
            (test_clock_service_pb2.DESCRIPTOR.services_by_name["TestClockService"], TestClockServicer(work)),
            (usage_service_pb2.DESCRIPTOR.services_by_name["UsageService"], usage),
        ]
        server = await start(more=more)
        server.keys.add("control", Scope.CONTROL, Scope.DATA, tenant_id="demo")
        tenant = CreateTenant(tenant_id="demo", test=True)
        await create_tenant(plane.transactions, tenant, now=NOW * 1_000_000)
        client = Client(server)
        await client.ApplyCatalog(catalog=document())
        yield client
        server.streams.end()  # who still follows would go on reading from a database that is closed
        assert await server.calls.idle(5)


async def test_a_catalogue_comes_back_exactly_and_applies_again_without_change(client):
    got = await client.GetCatalog()
    assert got.catalog.plans["pro"].prices[1].usage.unit_amount == "0.0001"
    assert got.catalog.plans["pro"].prices[0].recurring.amount == "49.00"
    assert got.catalog.currency == "CHF"
    assert got.catalog.plans["free"].entitlements["retention_days"].number == 7
    again = await client.ApplyCatalog(catalog=got.catalog)
    assert not again.changes
    assert again.view_version == got.view_version


async def test_validate_only_says_what_would_change(client):
    changed = document()
    changed.plans["pro"].version = 2
    changed.plans["pro"].entitlements["api_calls"].limit = 200
    before = await client.GetCatalog()
    told = await client.ApplyCatalog(catalog=changed, validate_only=True)
    assert [(c.path, c.action) for c in told.changes] == [("plans.pro", catalog_service_pb2.CHANGE_ACTION_CHANGED)]
    assert "version 1 -> 2" in told.changes[0].detail
    assert (await client.GetCatalog()) == before
    changed.plans["pro"].version = 1
    assert await refused(client.ApplyCatalog(catalog=changed)) is grpc.StatusCode.FAILED_PRECONDITION


async def test_plans_are_listed_by_version_and_got(client):
    changed = document()
    changed.plans["pro"].version = 2
    changed.plans["pro"].name = "Pro"
    await client.UpsertAccount(account_id="old", plan_key="pro")
    answer = await client.ApplyCatalog(catalog=changed)
    assert dict(answer.subscriptions_behind) == {"pro": 1}
    first = await client.ListPlans(page_size=2)
    rest = await client.ListPlans(page_size=2, page_token=first.next_page_token)
    shown = [(p.plan_key, p.plan.version, p.newest, p.subscription_count) for p in [*first.plans, *rest.plans]]
    assert [row[:3] for row in shown] == [("free", 1, True), ("pro", 1, False), ("pro", 2, True)]
    assert [row[3] for row in shown[1:]] == [1, 0]
    assert {p.publish_time.seconds for p in [*first.plans, *rest.plans]} == {NOW}
    of_pro = await client.ListPlans(plan_key="pro", page_size=2)
    assert ([p.plan.version for p in of_pro.plans], of_pro.next_page_token) == ([1, 2], "")
    assert (await client.GetPlan(plan_key="pro", plan_version=1)).plan.plan.version == 1
    assert await refused(client.GetPlan(plan_key="pro", plan_version=9)) is grpc.StatusCode.NOT_FOUND


async def test_an_account_is_upserted_with_plan_trial_users_and_metadata(client):
    created = await client.UpsertAccount(
        account_id=ACCOUNT, plan_key="pro", metadata={"a": "1", "b": "2"}, user_ids=["ada", "bob"], time_zone="UTC"
    )
    assert created.created
    assert created.account.subscription.state == subscription_pb2.SUBSCRIPTION_STATE_TRIALING
    assert created.account.subscription.trial_end_time.seconds == NOW + 14 * DAY
    again = await client.UpsertAccount(account_id=ACCOUNT, metadata={"a": "", "c": "3"})
    assert dict(again.account.metadata) == {"b": "2", "c": "3"}
    assert not again.created
    assert again.view_version > created.view_version
    assert (again.account.create_time.seconds, again.account.update_time.seconds) == (NOW, NOW)
    got = await client.GetAccount(account_id=ACCOUNT)
    assert got.account == again.account
    assert (
        await refused(client.UpsertAccount(account_id=ACCOUNT, plan_key="free")) is grpc.StatusCode.FAILED_PRECONDITION
    )
    await client.UpsertAccount(account_id="other")
    on_pro = await client.ListAccounts(plan_key="pro")
    assert [account.account_id for account in on_pro.accounts] == [ACCOUNT]
    assert len((await client.ListAccounts()).accounts) == 2
    assert await refused(client.GetAccount(account_id="nobody")) is grpc.StatusCode.NOT_FOUND
    assert await refused(client.UpsertAccount(account_id="x", time_zone="Mars")) is grpc.StatusCode.INVALID_ARGUMENT


async def test_accounts_are_imported_each_with_its_own_outcome(client):
    items = [
        {"account": {"account_id": "a", "plan_key": "pro", "user_ids": ["ada"]}},
        {"account": {"account_id": "b"}, "subscription": {"plan_key": "pro", "trial_days": 3}},
        {"account": {"account_id": ""}},
        {"account": {"account_id": "c"}, "subscription": {"account_id": "other", "plan_key": "pro"}},
        {"account": {"account_id": "d", "plan_key": "nowhere"}},
    ]
    answer = await client.ImportAccounts(items=items)
    assert [outcome.WhichOneof("outcome") for outcome in answer.outcomes] == ["created", "created", *["error"] * 3]
    assert [outcome.error.metadata.get("field", "") for outcome in answer.outcomes[2:]] == [
        "account_id",
        "subscription.account_id",
        "",
    ]
    assert answer.outcomes[4].error.reason == error_reason_pb2.ERROR_REASON_PLAN_NOT_FOUND
    assert [account.account_id for account in (await client.ListAccounts()).accounts] == ["a", "b"]
    trial = (await client.GetSubscription(account_id="b")).subscription
    assert trial.trial_end_time.seconds == NOW + 3 * DAY
    again = await client.ImportAccounts(items=items[:2])
    assert [outcome.created for outcome in again.outcomes] == [False, False]
    assert again.view_version == answer.view_version
    assert await refused(client.ImportAccounts(items=[])) is grpc.StatusCode.INVALID_ARGUMENT
    assert await refused(client.ImportAccounts(items=items[:1] * 2)) is grpc.StatusCode.INVALID_ARGUMENT
    assert await refused(client.ImportAccounts(items=items[1:2] * 201)) is grpc.StatusCode.INVALID_ARGUMENT


async def test_users_and_seats(client):
    await client.UpsertAccount(account_id=ACCOUNT, plan_key="pro")
    await client.AddUsers(account_id=ACCOUNT, user_ids=["bob", "ada"])
    seated = await client.AssignSeat(account_id=ACCOUNT, feature_key="seats", user_id="ada")
    assert (seated.decision.allowed, seated.decision.used, seated.seat.user_id) == (True, 1, "ada")
    denied = await client.AssignSeat(account_id=ACCOUNT, feature_key="seats", user_id="bob")
    assert not denied.decision.allowed
    assert not denied.HasField("seat")
    for feature_key in ("seats", ""):
        listed = await client.ListSeats(account_id=ACCOUNT, feature_key=feature_key)
        assert [seat.user_id for seat in listed.seats] == ["ada"]
    assert (await client.AssignSeat(account_id=ACCOUNT, feature_key="seats", user_id="ada")).seat == seated.seat
    assert (await client.UnassignSeat(account_id=ACCOUNT, feature_key="seats", user_id="ada")).unassigned
    assert not (await client.UnassignSeat(account_id=ACCOUNT, feature_key="seats", user_id="ada")).unassigned
    assert (await client.RemoveUsers(account_id=ACCOUNT, user_ids=["ada", "nobody"])).removed_count == 1
    assert [user.user_id for user in (await client.ListUsers(account_id=ACCOUNT)).users] == ["bob"]


async def test_overrides_and_grants(client):
    await client.UpsertAccount(account_id=ACCOUNT)
    entitlement = catalog_pb2.Entitlement(limit=500)
    made = await client.CreateOverride(
        account_id=ACCOUNT, feature_key="api_calls", entitlement=entitlement, override_id="deal"
    )
    assert made.override.entitlement == entitlement
    assert (made.override.start_time.seconds, made.override.create_time.seconds) == (NOW, NOW)
    assert len((await client.ListOverrides(account_id=ACCOUNT, feature_key="api_calls")).overrides) == 1
    assert not (await client.ListOverrides(account_id=ACCOUNT, feature_key="sso")).overrides
    await client.DeleteOverride(account_id=ACCOUNT, override_id="deal")
    assert await refused(client.DeleteOverride(account_id=ACCOUNT, override_id="deal")) is grpc.StatusCode.NOT_FOUND
    rate = catalog_pb2.RateLimitValue(limit=500, window=Duration(seconds=1), burst=900)
    made = await client.CreateOverride(account_id=ACCOUNT, limit_key="api_rps", rate_limit=rate, override_id="fast")
    assert (made.override.limit_key, made.override.rate_limit) == ("api_rps", rate)
    assert not made.override.HasField("entitlement")
    assert list((await client.ListOverrides(account_id=ACCOUNT, limit_key="api_rps")).overrides) == [made.override]
    unknown = client.CreateOverride(account_id=ACCOUNT, limit_key="nothing", rate_limit=rate)
    assert await refused(unknown) is grpc.StatusCode.NOT_FOUND
    granted = await client.CreateGrant(account_id=ACCOUNT, feature_key="api_calls", amount=7, grant_id="g")
    again = await client.CreateGrant(account_id=ACCOUNT, feature_key="api_calls", amount=7, grant_id="g")
    assert again.grant == granted.grant
    twice = client.CreateGrant(account_id=ACCOUNT, feature_key="api_calls", amount=8, grant_id="g")
    assert await refused(twice) is grpc.StatusCode.ALREADY_EXISTS
    assert not granted.grant.HasField("revoke_time")
    revoked = (await client.RevokeGrant(account_id=ACCOUNT, grant_id="g")).grant
    assert (revoked.expire_time.seconds, revoked.revoke_time.seconds) == (NOW, NOW)
    assert list((await client.ListGrants(account_id=ACCOUNT)).grants) == [revoked]


async def test_a_subscriptions_life(client):
    await client.UpsertAccount(account_id=ACCOUNT)
    missing = client.GetSubscription(account_id=ACCOUNT)
    assert await refused(missing) is grpc.StatusCode.NOT_FOUND
    selection = subscription_service_pb2.AddOnSelection(add_on_key="pack", quantity=2)
    made = await client.CreateSubscription(account_id=ACCOUNT, plan_key="pro", trial_days=3, add_ons=[selection])
    assert made.subscription.trial_end_time.seconds == NOW + 3 * DAY
    assert made.subscription.add_ons[0].quantity == 2
    assert made.subscription.prices[1].usage.unit_amount == "0.0001"
    twice = client.CreateSubscription(account_id=ACCOUNT, plan_key="pro")
    assert await refused(twice) is grpc.StatusCode.FAILED_PRECONDITION
    longer = await client.ExtendTrial(account_id=ACCOUNT, trial_end_time=Timestamp(seconds=NOW + 30 * DAY))
    assert longer.subscription.trial_end_time.seconds == NOW + 30 * DAY
    same = await client.SetAddOn(account_id=ACCOUNT, add_on_key="pack")
    assert same.subscription.add_ons[-1].quantity == 2
    fewer = await client.SetAddOn(account_id=ACCOUNT, add_on_key="pack", quantity=1)
    assert fewer.subscription.add_ons[-1].quantity == 1
    past_due = await client.SetSubscriptionState(account_id=ACCOUNT, state=subscription_pb2.SUBSCRIPTION_STATE_PAST_DUE)
    assert past_due.subscription.state == subscription_pb2.SUBSCRIPTION_STATE_PAST_DUE
    wrong = client.SetSubscriptionState(account_id=ACCOUNT, state=subscription_pb2.SUBSCRIPTION_STATE_EXPIRED)
    assert await refused(wrong) is grpc.StatusCode.INVALID_ARGUMENT
    moved = await client.ChangePlan(account_id=ACCOUNT, plan_key="free", when="CHANGE_WHEN_NOW")
    assert moved.subscription.plan_key == "free"
    ended = await client.CancelSubscription(account_id=ACCOUNT, end_time=Timestamp(seconds=NOW + DAY))
    assert (ended.subscription.end_time.seconds, ended.subscription.cancel_time.seconds) == (NOW + DAY, NOW)
    assert ended.subscription.create_time.seconds == NOW
    later = await client.ExtendSubscription(account_id=ACCOUNT, end_time=Timestamp(seconds=NOW + 2 * DAY))
    assert later.subscription.end_time.seconds == NOW + 2 * DAY
    assert not later.subscription.HasField("cancel_time")
    without = await client.ExtendSubscription(account_id=ACCOUNT, without_end=True)
    assert not without.subscription.HasField("end_time")
    assert (await client.GetSubscription(account_id=ACCOUNT)).subscription == without.subscription
    listed = await client.ListSubscriptions(account_id=ACCOUNT)
    assert [each.subscription_id for each in listed.subscriptions] == [made.subscription.subscription_id]
    await client.UpsertAccount(account_id="later", plan_key="free")
    everyone = await client.ListSubscriptions()
    assert {each.account_id for each in everyone.subscriptions} == {ACCOUNT, "later"}
    past_due = subscription_pb2.SUBSCRIPTION_STATE_PAST_DUE
    assert not (await client.ListSubscriptions(plan_key="free", state=past_due, page_size=1)).subscriptions


async def test_a_key_is_shown_once(client):
    minted = await client.CreateApiKey(name="ci", scopes=[api_key_service_pb2.SCOPE_DATA])
    assert is_well_formed(minted.key)
    listed = await client.ListApiKeys()
    assert minted.api_key in listed.api_keys
    assert minted.key not in str(listed)
    revoked = await client.RevokeApiKey(key_id=minted.api_key.key_id)
    assert revoked.api_key.revoke_time.seconds == NOW
    assert await refused(client.CreateApiKey(name="none")) is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_test_tenants_clock_moves_forwards(client):
    assert (await client.GetTestClock()).clock.current_time.seconds == NOW
    moved = await client.AdvanceTestClock(duration=Duration(seconds=DAY))
    assert moved.clock.offset.seconds == DAY
    await client.AdvanceTestClock(to_time=Timestamp(seconds=NOW + 2 * DAY))
    assert (await client.GetTestClock()).clock.current_time.seconds == NOW + 2 * DAY
    assert await refused(client.AdvanceTestClock()) is grpc.StatusCode.INVALID_ARGUMENT
    back = client.AdvanceTestClock(to_time=Timestamp(seconds=NOW))
    assert await refused(back) is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_test_tenants_clock_is_set_into_the_past_and_stands(client):
    shown = (await client.SetTestClock(time=Timestamp(seconds=NOW - 90 * DAY), standing=True)).clock
    assert (shown.current_time.seconds, shown.offset.seconds, shown.standing) == (NOW - 90 * DAY, -90 * DAY, True)
    assert (await client.SetTestClock(standing=False)).clock.standing is False
    back = client.SetTestClock(time=Timestamp(seconds=NOW - 91 * DAY))
    assert await refused(back) is grpc.StatusCode.INVALID_ARGUMENT


async def test_recorded_usage_has_an_outcome_for_each_item(client):
    def item(**fields):
        return usage_service_pb2.RecordUsageItem(**{"account_id": ACCOUNT, "request_id": "r", **fields})

    answer = await client.RecordUsage(
        items=[item(feature_key="api_calls"), item(feature_key="nothing"), item(feature_key="")]
    )
    assert answer.outcomes[0].decision.granted_quantity == 1
    assert [outcome.error.code for outcome in answer.outcomes[1:]] == [5, 3]
    assert await refused(client.RecordUsage()) is grpc.StatusCode.INVALID_ARGUMENT


async def test_usage_and_events_of_an_account_without_any(client):
    await client.UpsertAccount(account_id=ACCOUNT)
    usage = await client.GetUsage(account_id=ACCOUNT)
    assert [(row.feature_key, row.quantity) for row in usage.rows] == [("api_calls", 0)]
    row = usage.rows[0]
    assert row.period_start_time.seconds <= NOW < row.period_end_time.seconds
    before = await client.GetUsage(account_id=ACCOUNT, selection=usage_service_pb2.PERIOD_SELECTION_PREVIOUS)
    assert before.rows[0].period_end_time == row.period_start_time
    assert not (await client.GetUsage(account_id=ACCOUNT, range=usage_service_pb2.TimeRange())).rows
    assert (await client.ListEvents()).next_after_sequence == 0
    assert await refused(client.GetUsage(account_id=ACCOUNT, feature_key="sso")) is grpc.StatusCode.INVALID_ARGUMENT


async def test_following_ends_with_the_callers_deadline(client):
    stub = next(s for s in client._stubs if hasattr(s, "FollowEvents"))
    call = stub.FollowEvents(usage_service_pb2.FollowEventsRequest(), metadata=client._metadata, timeout=0.2)
    assert await refused(call.read()) is grpc.StatusCode.DEADLINE_EXCEEDED
