"""Every command as its help shows it, and what each says of an answer."""

import json
import re
import shlex
from types import SimpleNamespace

import click
import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from contract.cli.fake_server import Refuse
from tallygate import app, settings
from tallygate.cli.main import root
from tallygate.gateways.fake import _script
from tallygate_api.v1 import account_service_pb2 as accounts
from tallygate_api.v1 import api_key_service_pb2 as keys
from tallygate_api.v1 import billing_service_pb2 as billing
from tallygate_api.v1 import catalog_service_pb2 as catalogs
from tallygate_api.v1 import invoice_service_pb2 as invoices
from tallygate_api.v1 import order_service_pb2 as orders
from tallygate_api.v1 import payment_service_pb2 as payments
from tallygate_api.v1 import pricing_service_pb2 as pricing
from tallygate_api.v1 import subscription_pb2, usage_service_pb2
from tallygate_api.v1 import subscription_service_pb2 as subscriptions
from tallygate_api.v1.catalog_pb2 import AGGREGATION_SUM, OVERAGE_ALLOW, Entitlement
from tallygate_api.v1.decision_pb2 import Decision, Reason
from tallygate_api.v1.invoice_pb2 import INVOICE_STATE_UNCOLLECTIBLE, Invoice, Money
from tallygate_api.v1.subscription_pb2 import CHANGE_PRORATION_NONE

MINTED = {"request_id", "grant_id", "override_id"}
"""Ids that a command makes where none is given, and tells before the call."""
OURS = {"dev", "serve", "migrate", "tenant", "doctor"}
"""Commands that start or write an installation: tested where those are."""
DECEMBER = Timestamp(seconds=1_796_083_200)
NOVEMBER = Timestamp(seconds=1_796_083_200 - 30 * 86_400)


def examples():
    def walk(command, words):
        if isinstance(command, click.Group):
            for name in command.list_commands(click.Context(command)):
                yield from walk(command.get_command(click.Context(command), name), (*words, name))
        elif words[0] not in OURS:
            yield from command.examples

    return sorted(" ".join(line.rstrip("\\") for line in walk_line) for walk_line in joined(walk(root, ())))


def joined(lines):
    """Lines of examples, those that a backslash continues together."""
    whole = []
    for line in lines:
        whole.append(line)
        if not line.endswith("\\"):
            yield whole
            whole = []


BESIDE = ("completion", "--local", "audit usage")
"""What no server answers: the last two work on an installation's stores."""


@pytest.mark.parametrize("example", [e for e in examples() if not any(word in e for word in BESIDE)])
def test_every_example_of_the_help_runs(home, server, say, example):
    (home / "examples").mkdir()
    server.answers["ImportAccounts"] = accounts.ImportAccountsResponse(outcomes=[{"created": True}])
    text = "schema: tallygate.catalog.v1\ncurrency: USD\n"
    for name in ("catalog.yaml", "examples/catalog.yaml"):
        (home / name).write_text(text)
    for name in ("accounts.jsonl", "examples/accounts.jsonl"):
        (home / name).write_text('{"account_id": "a"}\n')
    (home / "hook.txt").write_text("whsec_1\n")
    for name in ("history.jsonl", "tracked.jsonl"):
        (home / name).touch()
    server.answers["ImportAccounts"] = lambda request: accounts.ImportAccountsResponse(
        outcomes=[accounts.ImportAccountsOutcome(created=True) for _ in request.items]
    )
    words = shlex.split(example.split(" | ")[0].split(" > ")[0])
    words = [server.address if word == "127.0.0.1:7420" else word for word in words]
    assert words[0] == "tallygate"
    said = say(*words[1:])
    assert said.code in {0, 1}, said.err
    assert said.err == "" or words[1:3] == ["key", "create"] or said.err.split(":")[0] in MINTED


def test_an_amount_below_zero_is_an_argument_not_an_option(server, say):
    server.answers["AddWalletCredit"] = billing.AddWalletCreditResponse()
    assert say("payment", "credit", "acme", "-5.50").code == 0
    (asked,) = server.asked("AddWalletCredit")
    assert (asked.amount.units, asked.amount.nanos) == (-5, -500_000_000), "the server says what it may be"
    line = say("payment", "refund", "INV-1", "-1").err
    assert "LINE" in line
    assert "No such option '-x'" in say("payment", "credit", "acme", "-x").err


def test_money_for_what_is_not_due_any_more_says_where_it_went(server, say):
    paid = Money(currency_code="EUR", units=50)
    kept = payments.Payment(payment_id="p", amount=paid, shares=[payments.PaymentShare(amount=paid)])
    server.answers["RecordOffline"] = payments.RecordOfflineResponse(payment=kept)
    meant = Invoice(invoice_id="inv_1", number="INV-1", state=INVOICE_STATE_UNCOLLECTIBLE)
    server.answers["GetInvoice"] = invoices.GetInvoiceResponse(invoice=meant)
    said = say("payment", "offline", "acme", "50", "--invoice", "INV-1").out
    assert "nothing of INV-1 was due, for it is uncollectible: the money is in the wallet" in said
    assert "nothing of" not in say("payment", "offline", "acme", "50").out
    server.answers["RecordOffline"] = payments.RecordOfflineResponse(
        payment=payments.Payment(amount=paid, shares=[payments.PaymentShare(invoice_id="inv_1", amount=paid)])
    )
    assert "nothing of" not in say("payment", "offline", "acme", "50", "--invoice", "INV-1").out


def test_what_would_come_after_the_end_of_a_cancelled_subscription_is_not_shown(server, say):
    held = subscription_pb2.Subscription(
        account_id="hooli", plan_key="pro", plan_version=1, end_time=DECEMBER, cancel_time=NOVEMBER
    )
    held.terms.add(plan_key="pro", plan_version=1)
    held.terms.add(plan_key="basic", plan_version=1, start_time=DECEMBER)
    server.answers["GetSubscription"] = subscriptions.GetSubscriptionResponse(subscription=held)
    assert "basic" not in say("subscription", "show", "hooli").out
    held.ClearField("cancel_time")
    held.ClearField("end_time")
    server.answers["GetSubscription"] = subscriptions.GetSubscriptionResponse(subscription=held)
    assert "basic version 1 from 2026-12-01" in say("subscription", "show", "hooli").out


def test_subscriptions_say_their_dates(server, say):
    held = subscription_pb2.Subscription(
        subscription_id="s1",
        account_id="hooli",
        plan_key="pro",
        plan_version=1,
        state=subscription_pb2.SUBSCRIPTION_STATE_TRIALING,
        trial_end_time=DECEMBER,
        add_ons=[subscription_pb2.AddOnHolding(add_on_key="api-pack", quantity=2, start_time=DECEMBER)],
    )
    server.answers["GetSubscription"] = subscriptions.GetSubscriptionResponse(subscription=held)
    lines = say("subscription", "show", "hooli").out.splitlines()
    assert lines == [
        "hooli: pro version 1, trialing",
        "on trial until 2026-12-01 00:00 UTC",
        "add-on api-pack: 2 since 2026-12-01 00:00 UTC",
        "id: s1",
    ]
    server.answers["ListSubscriptions"] = subscriptions.ListSubscriptionsResponse(subscriptions=[held])
    assert "trialing" in say("subscription", "list", "--state", "trialing").out
    assert server.asked("ListSubscriptions")[0].state == subscription_pb2.SUBSCRIPTION_STATE_TRIALING
    account = accounts.Account(account_id="hooli", subscription=held, metadata={"crm": "1"}, create_time=DECEMBER)
    server.answers["GetAccount"] = accounts.GetAccountResponse(account=account)
    said = say("account", "show", "hooli")
    assert said.out.splitlines()[0] == "hooli: pro version 1, trialing until 2026-12-01 00:00 UTC"


def test_an_order_that_begins_with_a_trial_says_so_and_what_it_costs_then(server, say):
    order = orders.Order(order_id="o1", account_id="acme", state=orders.ORDER_STATE_OPEN)
    order.items.add().subscription.CopyFrom(orders.OrderedSubscription(plan_key="pro", plan_version=2))
    server.answers["CreateOrder"] = orders.CreateOrderResponse(order=order)
    opening = Invoice(total=Money(currency_code="EUR", units=29))
    server.answers["Quote"] = pricing.QuoteResponse(trial_end_time=DECEMBER, opening=[opening])
    assert say("order", "create", "acme", "pro").out.splitlines() == [
        "order o1 of acme: open",
        "in all: nothing is to be paid now",
        "pro 2: on trial until 2026-12-01 00:00 UTC, then 29.00 EUR, before coupons",
    ]
    asked = server.asked("Quote")[0]
    assert (asked.account_id, asked.plan_key, asked.plan_version) == ("acme", "pro", 2)
    assert not asked.HasField("trial_days")


def test_the_built_in_gateways_tokens_are_in_the_help(say):
    words = re.findall(r"fake_[a-z0-9_]+", say("payment", "attach", "--help").out)
    assert {"fake_ok", "fake_decline", "fake_never", "fake_dispute_lost", "fake_refund_decline"} <= set(words)
    for word in words:
        _script(word)


def test_orders_and_agreements_send_what_was_said(server, say):
    asked = ("--advance", 12, "--coupon", "W", "--add-on", "x=2", "--seats", "s=3", "--users", 4, "--id", "o1")
    assert say("order", "create", "acme", "pro", *asked).code == 0
    order = server.asked("CreateOrder")[0]
    (item,) = order.items
    assert (order.order_id, order.account_id, list(order.coupon_codes)) == ("o1", "acme", ["W"])
    assert (item.subscription.plan_key, item.subscription.advance_length) == ("pro", 12)
    assert (dict(item.subscription.seats), item.subscription.users) == ({"s": 3}, 4)
    assert not item.subscription.HasField("trial_days")
    assert say("order", "create", "acme", "pro", "--seats", "s").code == 2
    who = ("--for", "ann", "--for", "b@c.example", "--renew", "bob", "--quota", "calls=5")
    assert say("order", "create", "boss", "pro", *who).code == 0
    ann, bob, renewal, quota = server.asked("CreateOrder")[1].items
    assert (ann.account_id, ann.email, bob.account_id, bob.email) == ("ann", "", "", "b@c.example")
    assert (renewal.account_id, quota.quota.quantity) == ("bob", 5)
    assert say("order", "create", "boss", "--for", "ann").code == 2
    assert say("claim", "redeem", "CODE", "acme").code == 0
    assert say("claim", "replace", "o1", "--item", 2).code == 0
    assert server.asked("ReplaceClaimCode")[0].item == 2
    assert say("discount", "grant", "acme", "--percent", "5", "--id", "d").code == 0
    assert say("discount", "grant", "acme").code == 2
    assert server.asked("GrantDiscount")[0].discount.percent_off == "5"
    assert say("referral", "create", "a", "b", "10.00").code == 0
    assert server.asked("CreateReferral")[0].amount.units == 10
    assert say("share", "set", "processing", "--provider", "maps", "--accepted", "2.9", "--fixed", "0.30").code == 0
    share = server.asked("SetShare")[0].share
    assert (share.provider, share.accepted_percent, share.fixed_amount.nanos) == ("maps", "2.9", 300_000_000)
    assert not share.HasField("proposed_percent")
    assert say("bill", "submit", "b1", "maps", "acme", "9.90", "Maps", "--third-party").code == 0
    bill = server.asked("SubmitBill")[0].bill
    assert (bill.bill_id, bill.provider, bill.account_id, bill.third_party) == ("b1", "maps", "acme", True)
    assert say("order", "complete", "o1").code == 2
    assert say("order", "complete", "o1", "--terms", "7", "--total", "25.50").code == 0
    (done,) = server.asked("CompleteOrder")
    assert (done.terms_version, done.accepted_total.units, done.accepted_total.nanos) == ("7", 25, 500_000_000)
    assert say("order", "show", "o1").code == say("order", "list", "--state", "unpaid").code == 0


def test_changes_of_a_subscription_send_what_was_said(server, say):
    assert say("subscription", "cancel", "acme").code == 0
    assert say("subscription", "cancel", "acme", "--at", "2026-12-01").code == 0
    usual, at = server.asked("CancelSubscription")
    assert (usual.WhichOneof("end"), at.end_time) == (None, DECEMBER)
    assert say("subscription", "change-plan", "acme", "pro").code == 0
    (changed,) = server.asked("ChangePlan")
    said = {field.name for field, _ in changed.ListFields()}
    assert said == {"account_id", "plan_key"}, "a key that is bound to its account may say no more"
    assert say("subscription", "extend", "acme", "--without-end").code == 0
    assert server.asked("ExtendSubscription")[0].without_end
    assert say("subscription", "renew", "acme", "--approved", "--end", "2026-12-01").code == 0
    options = ("--percent", "50", "--plan", "pro", "--max-uses", 3, "--until", "2026-12-01")
    assert say("coupon", "create", "W", *options).code == 0
    (made,) = server.asked("CreateCoupon")
    assert (made.coupon.percent_off, list(made.coupon.plan_keys), made.coupon.max_uses) == ("50", ["pro"], 3)
    assert (made.coupon.end_time, made.coupon.WhichOneof("duration")) == (DECEMBER, None)
    assert say("coupon", "create", "W", "--amount", "25.50", "--forever").code == 0
    money = server.asked("CreateCoupon")[1].coupon.amount_off
    assert (money.units, money.nanos) == (25, 500_000_000)
    assert say("coupon", "create", "W").code == 2
    assert say("coupon", "create", "W", "--percent", 5, "--forever", "--invoices", 2).code == 2
    for command in ("check", "archive"):
        assert say("coupon", command, "W").code == 0
    assert say("coupon", "list").code == 0
    assert say("coupon", "options", "pro").code == 0
    (renewal,) = server.asked("RenewSubscription")
    assert (renewal.approved, renewal.end_time) == (True, DECEMBER)
    assert say("subscription", "create", "acme", "pro", "--trial-days", 0, "--add-on", "x=2", "--add-on", "y").code == 0
    assert say("subscription", "create", "acme", "pro", "--advance", 12, "--coupon", "W", "--seats", "s=3").code == 0
    assert say("subscription", "book", "acme", 5, "--seats", "s", "--invoice", "now").code == 0
    (booked,) = server.asked("BookQuantity")
    assert (booked.feature_key, booked.quantity, booked.invoice) == ("s", 5, subscriptions.CHANGE_INVOICE_NOW)
    create, paid = server.asked("CreateSubscription")
    assert (paid.advance_length, list(paid.coupon_codes), dict(paid.seats)) == (12, ["W"], {"s": 3})
    assert create.HasField("trial_days")
    assert not create.HasField("plan_version")
    assert [(a.add_on_key, a.quantity, a.HasField("quantity")) for a in create.add_ons] == [
        ("x", 2, True),
        ("y", 0, False),
    ]


def test_a_seat_that_is_refused_is_exit_code_1(server, say):
    server.answers["AssignSeat"] = accounts.AssignSeatResponse(
        decision=Decision(reason=Reason.REASON_SEAT_LIMIT, feature_key="seats", limit=3, used=3, remaining=0)
    )
    said = say("seat", "assign", "globex", "seats", "ada")
    assert (said.code, said.out) == (1, "denied: 3 of 3 seats used\n")


def test_seats_and_users_are_charged_as_it_is_said(server, say):
    how = ("--proration", "none", "--invoice", "now")
    for command in (("seat", "assign"), ("seat", "unassign")):
        say(*command, "globex", "seats", "ada", *how)
    assert say("account", "add-users", "globex", "ada", "bob", *how).code == 0
    assert say("account", "remove-users", "globex", "ada", "bob", *how).out == "removed 0 of 2 from globex\n"
    for method in ("AssignSeat", "UnassignSeat", "AddUsers", "RemoveUsers"):
        (asked,) = server.asked(method)
        assert (asked.proration, asked.invoice) == (CHANGE_PRORATION_NONE, subscriptions.CHANGE_INVOICE_NOW), method
    assert list(server.asked("AddUsers")[0].user_ids) == ["ada", "bob"]
    assert say("account", "add-users", "globex").code == 2


def test_overrides_carry_their_value(server, say):
    assert say("override", "create", "acme", "api_calls", "--limit", 5, "--overage", "allow").code == 0
    assert say("override", "create", "acme", "sso", "--disabled").code == 0
    limited, disabled = server.asked("CreateOverride")
    assert limited.entitlement == Entitlement(limit=5, overage=OVERAGE_ALLOW)
    assert disabled.entitlement.HasField("enabled")
    server.answers["ListOverrides"] = accounts.ListOverridesResponse(
        overrides=[accounts.Override(override_id="o", feature_key="f", entitlement=limited.entitlement)]
    )
    assert "limited to 5, then overage" in say("override", "list", "acme").out


def test_overrides_of_rate_limits_carry_their_figures(server, say):
    assert say("override", "create", "acme", "api_rps", "--rate", "500/1m", "--burst", "900").code == 0
    (asked,) = server.asked("CreateOverride")
    assert (asked.limit_key, asked.feature_key, asked.HasField("entitlement")) == ("api_rps", "", False)
    assert (asked.rate_limit.limit, asked.rate_limit.window.seconds, asked.rate_limit.burst) == (500, 60, 900)
    server.answers["ListOverrides"] = accounts.ListOverridesResponse(
        overrides=[accounts.Override(override_id="o", limit_key="api_rps", rate_limit=asked.rate_limit)]
    )
    assert "500 per 1m, burst 900" in say("override", "list", "acme").out


@pytest.mark.parametrize(
    "options",
    [
        ["--rate", "500"],
        ["--rate", "many/1s"],
        ["--rate", "-1/1s"],
        ["--rate", f"{2**64}/1s"],
        ["--rate", "5/1s", "--limit", "5"],
        ["--limit", "5", "--burst", "5"],
    ],
)
def test_a_rate_that_is_none_is_refused(say, options):
    said = say("override", "create", "acme", "api_rps", *options)
    assert (said.code, said.out) == (2, "")
    assert "--rate" in said.err


def test_usage_by_period(server, say):
    row = usage_service_pb2.UsageRow(
        feature_key="api_calls", quantity=1234, aggregation=AGGREGATION_SUM, period_end_time=DECEMBER, group="eu"
    )
    server.answers["GetUsage"] = usage_service_pb2.GetUsageResponse(rows=[row])
    said = say("usage", "acme", "--from", "2026-12-01", "--group-by", "region")
    assert "1,234" in said.out
    assert "REGION" in said.out
    (request,) = server.asked("GetUsage")
    assert request.range.start_time == DECEMBER
    assert not request.range.HasField("end_time")


def event(number):
    fact = usage_service_pb2.BillableEvent(account_id="acme", feature_key="api_calls", quantity=5, request_id="r")
    return usage_service_pb2.CloudEvent(id=str(number), sequence=number, data=fact)


def test_events_are_listed_until_there_are_no_more(server, say):
    page = usage_service_pb2.ListEventsResponse
    server.answers["ListEvents"] = [
        page(events=[event(1)], next_after_sequence=1),
        page(events=[event(2)], next_after_sequence=2),
        page(next_after_sequence=2),
    ]
    said = say("events", "list", "-o", "json")
    assert [item["sequence"] for item in said.json()["events"]] == ["1", "2"]
    assert said.json()["next_after_sequence"] == "2"
    assert [request.after_sequence for request in server.asked("ListEvents")] == [0, 1, 2]


def test_events_are_followed_one_a_line_and_the_end_says_how_to_go_on(server, say):
    answer = usage_service_pb2.FollowEventsResponse
    stop = Refuse(grpc.StatusCode.UNAVAILABLE, "The server is shutting down.", "SHUTTING_DOWN")
    server.answers["FollowEvents"] = [answer(event=event(7)), answer(event=event(8)), stop]
    said = say("events", "follow", "--after", 6, "-o", "json")
    assert said.code == 3
    assert [json.loads(line)["sequence"] for line in said.out.splitlines()] == ["7", "8"]
    assert server.asked("FollowEvents")[0].after_sequence == 6
    said = say("events", "follow")
    assert "hint: go on with --after 8" in said.err


def test_who_follows_goes_on_where_the_server_closes_an_old_connection(server, say):
    answer = usage_service_pb2.FollowEventsResponse
    old = Refuse(grpc.StatusCode.UNAVAILABLE, "max connection age")
    stop = Refuse(grpc.StatusCode.UNAVAILABLE, "The server is shutting down.", "SHUTTING_DOWN")
    server.answers["FollowEvents"] = iter([answer(event=event(7)), old, answer(event=event(8)), stop])
    said = say("events", "follow", "--after", 6, "-o", "json")
    assert [json.loads(line)["sequence"] for line in said.out.splitlines()] == ["7", "8"]
    assert [request.after_sequence for request in server.asked("FollowEvents")] == [6, 7]
    assert said.code == 3


def test_a_key_is_shown_alone_on_stdout(server, say):
    server.answers["CreateApiKey"] = keys.CreateApiKeyResponse(key="tg_new", api_key=keys.ApiKey(key_id="k1"))
    said = say("key", "create", "ci", "--scope", "data", "--scope", "read_only", "--expire", "2026-12-01")
    assert (said.code, said.out) == (0, "tg_new\n")
    assert "k1" in said.err
    (request,) = server.asked("CreateApiKey")
    assert list(request.scopes) == [keys.SCOPE_DATA, keys.SCOPE_READ_ONLY]
    assert request.expire_time == DECEMBER
    listed = keys.ApiKey(key_id="k1", name="ci", prefix="tg_abc123", scopes=[keys.SCOPE_DATA])
    server.answers["ListApiKeys"] = keys.ListApiKeysResponse(api_keys=[listed])
    assert "tg_abc123..." in say("key", "list").out


def test_settings_show_and_schema(say, monkeypatch):
    monkeypatch.setenv("TALLYGATE_REDIS__URL", "redis://:secret@cache/0")
    said = say("settings", "show", "--set", "redis.partitions=8")
    assert "redis.url = redis://:***@cache/0  (env)" in said.out
    assert "redis.partitions = 8  (flag)" in said.out
    assert "secret" not in said.out
    shown = say("settings", "show", "-o", "json").json()
    assert shown["server.grpc_address"] == {"value": "127.0.0.1:7420", "origin": "default"}
    assert say("settings", "schema").json() == settings.schema()


def test_doctor_exits_with_2_when_something_needs_fixing(say, monkeypatch):
    good = app.Finding(name="redis", ok=True, detail="reached", fix="")
    bad = app.Finding(name="eviction", ok=False, detail="allkeys-lru", fix="set maxmemory-policy to noeviction")
    found = [good]

    async def diagnose(_settings):
        return found

    monkeypatch.setattr(app, "diagnose", diagnose)
    assert say("doctor").code == 0
    found.append(bad)
    said = say("doctor")
    assert said.code == 2
    assert said.out.splitlines() == [
        "ok   redis: reached",
        "FIX  eviction: allkeys-lru",
        "fix: set maxmemory-policy to noeviction",
    ]
    assert [item["name"] for item in say("doctor", "-o", "json").json()] == ["redis", "eviction"]


def test_errors_of_the_application_are_one_line_and_others_have_a_name(say, monkeypatch):
    problem = SimpleNamespace(error=app.StartError("port 7420 is in use"))

    async def fail(_settings):
        raise problem.error

    monkeypatch.setattr(app, "migrate", fail)
    said = say("migrate")
    assert (said.code, said.err) == (3, "error: port 7420 is in use\n")
    problem.error = KeyError("x")
    said = say("migrate")
    assert said.code == 3
    assert said.err.startswith("error: a defect of tallygate ")
    assert said.err.endswith(", KeyError: 'x'\nhint: please report it with the command that you typed\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("x" * 300,), "tenant_id: expected 1 to 255 printable characters, got "),
        (("shop", "--currency", "EURO"), "currency: expected "),
        (("shop", "--currency", "chf"), "currency: expected "),
        (("shop", "--time-zone", "Mars/X"), "time_zone: expected an IANA time zone "),
    ],
)
def test_a_tenant_is_looked_at_before_it_is_made(home, say, words, told):
    data = ("--data-dir", home / "data")
    assert say("migrate", *data).code == 0
    said = say("tenant", "create", *words, *data)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: {told}")


@pytest.mark.parametrize(
    "words",
    [("tenant", "create", "t"), ("key", "create", "k", "--scope", "data", "--local", "--tenant", "t"), ("doctor",),
     ("key", "revoke", "k", "--local", "--tenant", "t")],
)  # fmt: skip
def test_where_there_is_no_database_none_is_made_by_the_way(home, say, words):
    said = say(*words, "--data-dir", home / "nowhere")
    assert said.code == (2 if words == ("doctor",) else 3)
    assert "run `tallygate migrate`, or name another data_dir" in said.out + said.err
    assert not (home / "nowhere").exists()


def test_the_first_key_of_an_installation(home, say):
    data = ("--data-dir", home / "data")
    assert say("migrate", *data).code == 0
    said = say("tenant", "create", "shop", "--currency", "CHF", *data)
    assert (said.code, said.out) == (0, "created the tenant shop\n")
    again = say("tenant", "create", "shop", *data)
    assert (again.code, again.out, again.err.count("\n")) == (2, "", 1)
    assert "There is a tenant with this id already" in again.err
    assert "shop" in again.err
    said = say("key", "create", "first", "--scope", "data", "--local", "--tenant", "shop", "-o", "json", *data)
    key = said.json()
    assert key["key"].startswith("tg_")
    assert key["api_key"]["scopes"] == ["SCOPE_DATA"]
    assert say("key", "revoke", key["api_key"]["key_id"], "--local", "--tenant", "shop", *data).code == 0
    said = say("key", "revoke", "nope", "--local", "--tenant", "shop", *data)
    assert (said.code, said.err.count("\n")) == (2, 1)


def test_a_preview_of_a_change_sends_the_change_and_makes_none(server, say):
    server.answers["PreviewChange"] = pricing.PreviewChangeResponse(
        change_time=DECEMBER,
        lines=[{"text": "Big", "amount": {"currency_code": "USD", "units": 25}, "quantity": "1"}],
    )
    said = say("subscription", "change-plan", "acme", "big", "--preview").out.splitlines()
    assert said[0] == "as of 2026-12-01 00:00 UTC"
    assert said[2].split() == ["Big", "1970-01-01", "1970-01-01", "1", "25.00", "USD"]
    assert said[-1] == "no invoice is to come"
    assert say("subscription", "add-on", "acme", "pack", 2, "--preview").code == 0
    assert say("subscription", "cancel", "acme", "--preview").code == 0
    assert say("subscription", "book", "acme", 5, "--preview").code == 0
    plan, add_on, end, booked = server.asked("PreviewChange")
    assert (plan.change_plan.plan_key, add_on.set_add_on.quantity) == ("big", 2)
    assert end.cancel.account_id == "acme"
    assert booked.book.quantity == 5
    assert {name for name, _ in server.requests} == {"PreviewChange"}


def test_a_run_of_billing_names_what_failed_and_is_exit_code_1(server, say):
    server.answers["RunBilling"] = billing.RunBillingResponse(
        invoices=[{"number": "INV-1", "account_id": "bob"}],
        failures=[{"kind": "close", "subject": "acme", "problem": "A defect of the server: see its log."}],
    )
    said = say("billing", "run")
    assert (said.code, said.out.splitlines()[1].split()[:2]) == (1, ["INV-1", "bob"])
    assert said.out.splitlines()[-1] == "failed: close of acme: A defect of the server: see its log."


def test_a_run_of_billing_goes_on_while_more_is_issued(server, say):
    parts = [(["INV-1"], True), (["INV-2"], True), ([], True)]
    server.answers["RunBilling"] = [
        billing.RunBillingResponse(invoices=[{"number": one} for one in ones], more=more) for ones, more in parts
    ]
    said = say("billing", "run")
    assert [row.split()[0] for row in said.out.splitlines()[1:3]] == ["INV-1", "INV-2"]
    assert said.out.splitlines()[-1] == "more is due: a worker is at it or a gateway does not answer; run it again"
    assert (said.code, len(server.asked("RunBilling"))) == (0, 3)


@pytest.mark.parametrize("reason", ["", "DEADLINE_EXCEEDED"])
def test_what_was_not_answered_in_time_is_told_how_far_more_time_goes(server, say, reason):
    server.answers["RunBilling"] = Refuse(grpc.StatusCode.DEADLINE_EXCEEDED, "Too late.", reason)
    hint = "hint: --timeout gives it longer, as far as the server's server.max_deadline goes"
    assert hint in say("billing", "run").err.splitlines()


def test_what_is_on_no_invoice_yet_is_listed(server, say):
    line = {"text": "Call-out", "amount": {"currency_code": "USD", "units": 5}, "quantity": "1"}
    server.answers["ListUninvoicedItems"] = billing.ListUninvoicedItemsResponse(lines=[line])
    said = say("invoice", "items", "acme")
    assert said.out.splitlines()[1].split() == ["Call-out", "1970-01-01", "1970-01-01", "1", "5.00", "USD"]
    (asked,) = server.asked("ListUninvoicedItems")
    assert asked.account_id == "acme"
    server.answers["ListUninvoicedItems"] = billing.ListUninvoicedItemsResponse()
    assert say("invoice", "items", "acme").out == "no lines\n"


def test_lists_of_bills_go_on_to_their_last_page(server, say):
    """Of what is on no invoice yet, of own prices, and of what is charged nowhere."""
    time = {"seconds": 1_793_491_200}
    fact = {"account_id": "acme", "feature_key": "calls", "quantity": 4, "occurred_time": time, "request_id": "r1"}
    late = {**fact, "reason": billing.UNRATED_REASON_TOO_LATE, "sequence": 9}
    no_price = {**fact, "reason": billing.UNRATED_REASON_UNREADABLE, "price_key": "calls-2", "request_id": "r2"}
    lists = {
        "ListUninvoicedItems": (billing.ListUninvoicedItemsResponse, "lines", {"text": "A"}, {"text": "B"}),
        "ListPriceOverrides": (billing.ListPriceOverridesResponse, "price_overrides", {"override_id": "A"}, {}),
        "ListUnratedFacts": (billing.ListUnratedFactsResponse, "facts", late, no_price),
    }
    commands = {"ListUninvoicedItems": "invoice items acme", "ListPriceOverrides": "price list acme"}
    for method, (answer, field, *rows) in lists.items():
        pages = [answer(**{field: [rows[0]], "next_page_token": "more"}), answer(**{field: [rows[1]]})]
        server.answers[method] = lambda asked, pages=pages: pages[bool(asked.page_token)]
        said = say(*commands.get(method, "billing unrated acme").split())
        assert (said.code, len(said.out.splitlines())) == (0, 3), method
        assert [(one.account_id, one.page_size, one.page_token) for one in server.asked(method)] == [
            ("acme", 100, ""),
            ("acme", 100, "more"),
        ]
    assert [line.split() for line in said.out.splitlines()] == [
        ["TIME", "ACCOUNT", "FEATURE", "QUANTITY", "PRICE", "REASON", "REQUEST"],
        ["2026-11-01", "00:00", "UTC", "acme", "calls", "4", "-", "too_late", "r1"],
        ["2026-11-01", "00:00", "UTC", "acme", "calls", "4", "calls-2", "unreadable", "r2"],
    ]
    server.answers["ListUnratedFacts"] = billing.ListUnratedFactsResponse()
    assert say("billing", "unrated").out == "every event is charged\n"


def test_a_quote_says_what_is_charged_at_once_and_what_then(server, say):
    line = {"text": "Pro", "amount": {"currency_code": "USD", "units": 20}, "quantity": "1"}
    document = {"lines": [line], "total": {"currency_code": "USD", "units": 20}}
    server.answers["Quote"] = pricing.QuoteResponse(start_time=DECEMBER, opening=[document], cut_time=DECEMBER)
    said = say("quote", "pro", "--seats", "seats=5", "--usage", "calls=100000", "--add-on", "pack", "--users", 2)
    assert said.out.splitlines()[0] == "at once, 2026-12-01 00:00 UTC"
    assert "total 20.00 USD" in said.out
    assert said.out.splitlines()[-2:] == ["then, 2026-12-01 00:00 UTC", "nothing"]
    (asked,) = server.asked("Quote")
    assert (asked.plan_key, dict(asked.seats), asked.users) == ("pro", {"seats": 5}, 2)
    assert [(each.feature_key, each.quantity) for each in asked.usage] == [("calls", 100_000)]
    assert [each.add_on_key for each in asked.add_ons] == ["pack"]
    assert say("quote", "pro", "--usage", "calls").code == 2


@pytest.mark.parametrize(
    ("follower", "told"),
    [
        (
            {"plan_key": "free", "plan_version": 1},
            "plan free follows the trial of pro, and this is what it costs; --trial-days 0 shows pro without a trial",
        ),
        ({}, "the subscription ends with the trial of pro; --trial-days 0 shows pro without a trial"),
        ({"plan_key": "pro", "plan_version": 2}, None),
    ],
)
def test_a_quote_says_which_plan_is_charged_after_a_trial(server, say, follower, told):
    server.answers["Quote"] = pricing.QuoteResponse(start_time=DECEMBER, trial_end_time=DECEMBER, **follower)
    said = say("quote", "pro", "--payment-method")
    assert said.out.splitlines() == [
        *([told] if told else []),
        "when the trial ends, 2026-12-01 00:00 UTC",
        "nothing",
    ]
    assert say("quote", "pro").code == say("quote", "pro", "--no-payment-method").code == 0
    methods = [each.payment_method if each.HasField("payment_method") else None for each in server.asked("Quote")]
    assert methods == [True, None, False]


def test_plans_are_compared_in_a_table(server, say):
    plan = {"plan_key": "big", "plan_version": 2, "invoices": [{"total": {"currency_code": "USD", "units": 42}}]}
    tiny = {"plan_key": "tiny", "plan_version": 1, "current": True, "exceeded_features": ["calls"]}
    server.answers["ComparePlans"] = pricing.ComparePlansResponse(
        start_time=DECEMBER, end_time=DECEMBER, plans=[plan, tiny]
    )
    said = say("plan", "compare", "acme", "--start", "2026-12-01").out.splitlines()
    assert said[0] == "2026-12-01 00:00 UTC to 2026-12-01 00:00 UTC"
    assert [row.split() for row in said[2:]] == [["big", "2", "42.00", "USD"], ["tiny", "1", "0", "current", "calls"]]


def test_an_own_price_is_the_catalogues_with_another_amount(server, say):
    usage = {"feature_key": "calls", "unit_amount": "0.50", "per_units": 1000}
    server.answers["GetCatalog"] = catalogs.GetCatalogResponse(
        catalog={"plans": {"pro": {"prices": [{"key": "calls", "usage": usage}]}}}
    )
    server.answers["SetPriceOverride"] = lambda request: billing.SetPriceOverrideResponse(
        price_override={"account_id": "acme", "override_id": "deal", "plan_key": "pro", "price": request.price}
    )
    said = say("price", "override", "acme", "pro", "calls", "0.25", "--end", "2026-12-01")
    assert said.out.startswith("acme: pro calls at 0.25")
    (asked,) = server.asked("SetPriceOverride")
    assert (asked.price.usage.unit_amount, asked.price.usage.per_units, asked.end_time) == ("0.25", 1000, DECEMBER)
    assert say("price", "override", "acme", "pack", "nothing", "9", "--add-on").code == 0
    assert server.asked("SetPriceOverride")[1].add_on_key == "pack"


def test_the_changes_of_a_subscription_say_who_made_them(server, say):
    terms = [{"plan_key": "pro", "plan_version": 1}, {"plan_key": "big", "plan_version": 2}]
    change = {
        "change_time": DECEMBER,
        "actor_key_name": "ops",
        "method": "ChangePlan",
        "reason": "asked",
        "before": {"terms": terms[:1]},
        "after": {"terms": terms, "state": subscription_pb2.SUBSCRIPTION_STATE_ACTIVE},
    }
    server.answers["ListChanges"] = subscriptions.ListChangesResponse(changes=[change])
    row = say("subscription", "changes", "acme").out.splitlines()[1]
    expected = "2026-12-01 00:00 UTC ops ChangePlan pro v1 -> big v2 active asked"
    assert " ".join(row.split()) == expected


def test_a_fee_is_in_the_tenants_currency_where_none_is_named(server, say):
    assert say("fee", "create", "acme", "4.32", "--text", "a fee").code == 0
    assert server.asked("CreateFee")[0].amount.currency_code == ""


def test_a_fee_is_so_many_at_so_much_or_so_many_per_cent(server, say):
    assert say("fee", "create", "acme", "0.05", "--quantity", "12", "--text", "orders").code == 0
    assert say("fee", "create", "acme", "123.45", "--percent", "3.5", "--currency", "USD", "--text", "charge").code == 0
    many, share = server.asked("CreateFee")
    assert (many.quantity.quantity, many.quantity.unit_amount, many.WhichOneof("charge")) == ("12", "0.05", "quantity")
    assert (share.percent.rate, share.percent.of.units, share.percent.of.nanos) == ("3.5", 123, 450_000_000)
    for more in (["--percent", "1"], ["--currency", "USD"]):
        said = say("fee", "create", "acme", "1", "--quantity", "2", "--text", "x", *more)
        assert (said.code, "--quantity without" in said.err) == (2, True)


def test_a_document_that_does_not_come_out_the_same_says_where(server, say):
    found = [
        {"issued": "total 5"},
        {"line": 2, "line_key": "usage/x", "issued": "{}"},
        {"line_key": "fee/f", "derived": "{}"},
    ]
    server.answers["VerifyInvoice"] = invoices.VerifyInvoiceResponse(differences=found)
    said = say("billing", "verify", "INV-1")
    assert said.code == 1
    assert [line for line in said.out.splitlines() if line.startswith("INV-1")] == [
        "INV-1, the document itself",
        "INV-1, line 2 usage/x",
        "INV-1, fee/f",
    ]
    assert said.out.count("no such line") == 1
    assert said.out.count("nothing like it") == 2


def test_one_invoice_and_those_of_an_account_are_not_verified_together(server, say):
    said = say("billing", "verify", "INV-1", "--account", "acme")
    assert (said.code, server.asked("VerifyInvoice")) == (2, [])
    assert "not both" in said.err


def test_a_profile_is_set_whole_and_shown_as_an_envelope_has_it(server, say):
    server.answers["SetBillingProfile"] = lambda request: billing.SetBillingProfileResponse(
        profile={"account_id": request.account_id, "party": request.party, "tax_exemption": request.tax_exemption}
    )
    words = "--name Acme --line Street --city Bern --postal-code 3011 --country CH --tax-id CHE-1 --tax-exemption small"
    answer = say(*f"billing profile set acme {words}".split())
    assert answer.out.splitlines() == [
        "account acme",
        *("  Acme", "  Street", "  3011 Bern", "  CH", "  tax id CHE-1", "  exempt from tax: small"),
    ]
    assert say("billing", "profile", "show").out.strip() == "no profile was set"


def test_what_was_found_out_of_a_tax_id_is_told_with_its_source(server, say):
    check = {"tax_id": "DE1", "status": 1, "source": "person", "confirmed_by": "Ada", "reference": "letter"}
    server.answers["VerifyTaxId"] = billing.VerifyTaxIdResponse(check=check)
    said = say("billing", "profile", "verify", "acme", "DE1", "--confirmed-by", "Ada", "--reference", "letter")
    assert said.out.startswith("DE1 is verified, says Ada at ")
    assert said.out.strip().endswith(", letter")
    (asked,) = server.asked("VerifyTaxId")
    assert (asked.account_id, asked.tax_id, asked.confirmed_by, asked.reference) == ("acme", "DE1", "Ada", "letter")
    exempt = {"reason": "Charity", "country": "DE", "since": "2026-01-01", "until": "2027-01-01"}
    profile = {"party": {"name": "Acme"}, "exemptions": [exempt], "tax_id_checks": [{**check, "status": 3}]}
    server.answers["GetBillingProfile"] = billing.GetBillingProfileResponse(profile=profile)
    shown = say("billing", "profile", "show").out
    assert "  exempt from tax in DE from 2026-01-01 until 2027-01-01: Charity" in shown
    assert "  DE1 is unavailable, says Ada" in shown


def test_a_rendered_invoice_goes_to_standard_output_or_a_file(home, server, say):
    content = "<p>1\u202f234.50 \u2212 Söhne</p>\n".encode()
    server.answers["RenderInvoice"] = invoices.RenderInvoiceResponse(content=content)
    assert say("invoice", "render", "INV-1").out.encode() == content
    assert say("invoice", "render", "INV-1", "--format", "json", "--to", str(home / "one.json")).code == 0
    assert (home / "one.json").read_bytes() == content
    said = say("invoice", "render", "INV-1", "--format", "pdf")
    assert (said.code, len(server.asked("RenderInvoice"))) == (2, 2)
    assert "--to" in said.err
    assert (
        say("invoice", "render", "INV-1", "--format", "pdf", "--locale", "de", "--to", str(home / "one.pdf")).code == 0
    )
    html, json_, pdf = server.asked("RenderInvoice")
    assert (pdf.format, pdf.locale) == (invoices.DOCUMENT_FORMAT_PDF, "de")
    assert (html.format, json_.format) == (invoices.DOCUMENT_FORMAT_HTML, invoices.DOCUMENT_FORMAT_JSON)
    said = say("invoice", "render", "INV-1", "--to", str(home / "no" / "one.html"))
    assert (said.code, "expected a file in a directory that is there" in said.err) == (2, True)
