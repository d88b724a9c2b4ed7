"""Rows about what accounts are told before it happens: each once, for the end that holds. Days by hand."""

from acceptance.test_messages import messages, open_house, types
from invoicing import DAY, at, catalog, month_ahead, run
from tenants import Tenant, after, eventually, reason_name


async def days(tenant, start, kind):
    """When messages of a type were told, in days after an instant, and what they are about."""
    found = await messages(tenant, type=kind)
    return [round((one.create_time.seconds - start.seconds) / DAY, 2) for one in found]


async def on_trial(tenant, on_end="convert", *tokens, length=14, gateway=True, **policy):
    start = await month_ahead(tenant)
    trial = {"days": length, "on_end": on_end, **({"ends_in": "free"} if on_end == "downgrade" else {})}
    document = catalog({"recurring": {"amount": "29.00"}}, billing=policy, trial=trial)
    document["plans"]["free"] = {"version": 1, "entitlements": {"calls": {"limit": 10}}}
    await tenant.apply(document)
    if gateway:
        await tenant.call("SetGateway", name="fake")
    await tenant.call("UpsertAccount", account_id="acme")
    for token in tokens:
        await tenant.call("AttachMethod", account_id="acme", method_id=token, token=token)
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    return start


async def test_ar_27_the_end_of_a_trial_is_told_7_3_and_1_days_before(tenant: Tenant):
    """14 days: on days 7, 11 and 13, and at its end; in one leap or looked at again, each once; then it is charged."""
    start = await on_trial(tenant, "convert", "fake_ok")
    await tenant.advance(15 * DAY)
    for _ in range(2):
        await run(tenant)
    ending = await messages(tenant, type="subscription.trial_ending")
    assert await days(tenant, start, "subscription.trial_ending") == [7, 11, 13]
    assert [one.facts["days"] for one in ending] == ["7", "3", "1"]
    (ended,) = await messages(tenant, type="subscription.trial_ended")
    assert (ended.facts["on_end"], ended.facts["plan_key"]) == ("convert", "pro")
    assert await days(tenant, start, "subscription.trial_ended") == [14]
    assert await types(tenant, type="invoice.paid") == ["invoice.paid"]
    assert not any("method" in one.facts for one in ending)


async def test_ar_27_steps_tell_what_a_leap_does(tenant: Tenant):
    start = await on_trial(tenant, "convert", "fake_ok")
    for _ in range(15):
        await tenant.advance(DAY)
        await run(tenant)
    told = [round(day) for day in await days(tenant, start, "subscription.trial_ending")]
    assert told == [7, 11, 13]
    assert await days(tenant, start, "subscription.trial_ended") == [14]


async def test_ar_27_a_trial_that_is_downgraded_or_over_says_so(tenant: Tenant):
    await on_trial(tenant, "downgrade")
    await tenant.advance(15 * DAY)
    await run(tenant)
    (ended,) = await messages(tenant, type="subscription.trial_ended")
    assert (ended.facts["on_end"], ended.facts["plan_key"]) == ("downgrade", "free")
    assert await types(tenant, type="subscription.expired") == []


async def test_ar_27_after_a_trial_that_only_tells_the_subscription_is_over(tenant: Tenant):
    start = await on_trial(tenant, "notify")
    await tenant.advance(15 * DAY)
    await run(tenant)
    (ended,) = await messages(tenant, type="subscription.trial_ended")
    assert ended.facts["on_end"] == "notify"
    assert "plan_key" not in ended.facts
    assert await days(tenant, start, "subscription.expired") == [14]
    assert await types(tenant, type="subscription.expiring") == []


async def test_ar_27_a_trial_that_was_cancelled_ends_with_its_subscription(tenant: Tenant):
    """It would have been charged, but is not any more: nobody is told of a plan, or of a method that is missing."""
    start = await on_trial(tenant, "convert")
    await tenant.call("CancelSubscription", account_id="acme")
    await tenant.advance(15 * DAY)
    await run(tenant)
    told = await messages(tenant, type="subscription.trial_ending")
    (ended,) = await messages(tenant, type="subscription.trial_ended")
    assert [one.facts["on_end"] for one in (*told, ended)] == ["notify"] * 4
    assert not [one for one in (*told, ended) if "method" in one.facts or "plan_key" in one.facts]
    assert await days(tenant, start, "subscription.expired") == [14]


async def test_notices_follow_a_trial_that_is_extended(tenant: Tenant):
    """Told on day 7 of day 14; moved on day 8 to day 28, it is told on days 21, 25 and 27, and no more of day 14."""
    start = await on_trial(tenant, "convert", "fake_ok")
    await tenant.advance(8 * DAY)
    await run(tenant)
    await tenant.call("ExtendTrial", account_id="acme", trial_end_time=after(start, 28 * DAY))
    await tenant.advance(21 * DAY)
    await run(tenant)
    assert await days(tenant, start, "subscription.trial_ending") == [7, 21, 25, 27]
    assert await days(tenant, start, "subscription.trial_ended") == [28]


async def test_a_trial_that_converts_without_a_method_says_that_one_is_missing(tenant: Tenant):
    await on_trial(tenant, "convert")
    await tenant.advance(8 * DAY)
    await run(tenant)
    (ending,) = await messages(tenant, type="subscription.trial_ending")
    assert ending.facts["method"] == "missing"


async def test_the_days_are_the_catalogues_and_may_be_none(tenant: Tenant):
    start = await on_trial(tenant, "convert", "fake_ok", notices={"trial_days": {"days": [2]}, "expiry_days": {}})
    await tenant.advance(15 * DAY)
    await run(tenant)
    assert await days(tenant, start, "subscription.trial_ending") == [12]
    exported = (await tenant.call("GetCatalog")).catalog.billing.notices
    assert (list(exported.trial_days.days), list(exported.expiry_days.days)) == ([2], [])
    assert list(exported.card_days.days) == [30]


async def yearly(tenant, renewal, *tokens, **policy):
    await tenant.call("SetTestClock", time=at("2026-01-01"), standing=True)
    document = catalog(
        {"recurring": {"amount": "290.00", "every": "year"}},
        billing=policy,
        billing_rule={"every": "year", "renewal": renewal},
    )
    await tenant.apply(document)
    await tenant.call("SetGateway", name="fake")
    await tenant.call("UpsertAccount", account_id="acme")
    for token in tokens:
        await tenant.call("AttachMethod", account_id="acme", method_id=token, token=token)
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    return at("2026-01-01")


async def test_dj_37_the_end_of_a_subscription_is_told_90_60_30_15_and_1_days_before(tenant: Tenant):
    """Of 365 days: on days 275, 305, 335, 350 and 364; then it has ended."""
    start = await yearly(tenant, "one_time", "fake_ok")
    await tenant.advance(366 * DAY)
    for _ in range(2):
        await run(tenant)
    assert [round(day) for day in await days(tenant, start, "subscription.expiring")] == [275, 305, 335, 350, 364]
    assert [one.facts["days"] for one in await messages(tenant, type="subscription.expiring")] == [
        *("90", "60", "30", "15", "1")
    ]
    assert [round(day) for day in await days(tenant, start, "subscription.expired")] == [365]


async def test_dj_10_a_renewed_subscription_is_told_of_its_new_end(tenant: Tenant):
    """Renewed on day 340 to day 730: of day 365 nothing more is told, and nothing of day 730 before day 640."""
    start = await yearly(tenant, "repeat", "fake_ok")
    await tenant.advance(340 * DAY)
    await run(tenant)
    await tenant.call("RenewSubscription", account_id="acme")
    await tenant.advance(310 * DAY)
    await run(tenant)
    assert [round(day) for day in await days(tenant, start, "subscription.expiring")] == [275, 305, 335, 640]
    assert await types(tenant, type="subscription.expired") == []


async def test_dj_10_what_is_renewed_by_itself_and_what_is_cancelled_expire_without_a_warning(tenant: Tenant):
    start = await yearly(tenant, "auto", "fake_ok")
    await tenant.advance(300 * DAY)
    await run(tenant)
    assert await types(tenant, type="subscription.expiring") == []
    await tenant.call("CancelSubscription", account_id="acme")
    await tenant.advance(100 * DAY)
    await run(tenant)
    assert await types(tenant, type="subscription.expiring") == []
    assert [round(day) for day in await days(tenant, start, "subscription.expired")] == [365]


async def test_dj_37_a_method_that_is_absent_is_told_before_the_charge(tenant: Tenant):
    """No card, charged on day 365: told on day 335; with a card nothing is."""
    start = await yearly(tenant, "auto")
    await tenant.advance(340 * DAY)
    await run(tenant)
    assert [round(day) for day in await days(tenant, start, "method.missing")] == [335]


async def test_dj_37_a_card_that_expires_soon_is_told_30_days_before(tenant: Tenant):
    """The fake's cards expire with 2099: told 30 days before 2100-01-01, on 2099-12-02; another default stops it."""
    await yearly(tenant, "auto", "fake_ok")
    (method,) = (await tenant.call("ListMethods", account_id="acme")).methods
    end = at(f"{method.expiry_year + method.expiry_month // 12}-{method.expiry_month % 12 + 1:02}-01")
    await tenant.call("CancelSubscription", account_id="acme")
    await tenant.call("SetTestClock", time=after(end, -20 * DAY))
    await run(tenant)
    (soon,) = await messages(tenant, type="method.expiring")
    assert soon.create_time.seconds == end.seconds - 30 * DAY
    assert (soon.facts["method_id"], soon.facts["last4"]) == (method.method_id, method.last4)


async def test_ar_11_each_attempt_and_notice_of_dunning_is_told_once(tenant: Tenant):
    """Refused on days 0, 2, 7, 14 and 21: past due on day 0, suspended on day 21, each told once."""
    start = await open_house(tenant, "fake_later_9")
    await tenant.advance(29 * DAY)
    for _ in range(2):
        await run(tenant)
    assert await days(tenant, start, "invoice.payment_failed") == [0, 2, 7, 14, 21]
    assert await days(tenant, start, "dunning.past_due") == [0]
    assert await days(tenant, start, "dunning.suspended") == [21]
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok", default=True)
    await run(tenant)
    assert await days(tenant, start, "dunning.ended") == [29]


async def test_ar_11_without_retries_there_is_one_attempt(tenant: Tenant):
    """retry_after_days: [] leaves nothing to try after day 0: suspended then."""
    start = await open_house(tenant, "fake_later_9", billing={"dunning": {"no_retries": True}})
    await tenant.advance(29 * DAY)
    await run(tenant)
    assert await days(tenant, start, "invoice.payment_failed") == [0]
    assert await days(tenant, start, "dunning.suspended") == [0]


async def test_dj_36_after_three_failures_the_subscription_ends_with_a_last_notice(tenant: Tenant):
    """Tried on days 0, 1 and 2: then it is cancelled, and told so once."""
    rules = {"retry_after_days": [1, 1], "steps": [{"when": "exhausted", "state": "canceled"}]}
    start = await open_house(tenant, "fake_later_9", billing={"dunning": rules})
    await tenant.advance(20 * DAY)
    for _ in range(2):
        await run(tenant)
    assert await days(tenant, start, "invoice.payment_failed") == [0, 1, 2]
    assert await days(tenant, start, "dunning.canceled") == [2]
    assert "subscription.canceled" in await types(tenant)


async def test_wx_27_an_invoice_is_told_as_created_when_it_was_charged_and_not_when_that_failed(tenant: Tenant):
    """created: paid, as a platform is told: after the charge with id, currency and lines; before it nothing."""
    await open_house(tenant, "fake_later_1", billing={"notices": {"created": "paid"}})
    assert await types(tenant, type="invoice.created") == []
    await tenant.advance(3 * DAY)
    await run(tenant)
    told = [one for one in await types(tenant) if one in {"invoice.created", "invoice.paid"}]
    assert told == ["invoice.created", "invoice.paid"]
    (created,) = await messages(tenant, type="invoice.created")
    assert [line.amount.units for line in created.invoice.lines] == [29]


async def test_dj_11_what_ends_is_reported_with_its_days_and_denied_after_its_end(tenant: Tenant):
    """Certificates of 365 days from 2026-01-01 and from day 20 on: on day 300 they have 65 and 85 days left."""
    start = await yearly(tenant, "one_time", "fake_ok")
    for account in ("late", "endless"):
        await tenant.call("UpsertAccount", account_id=account)
    await tenant.advance(20 * DAY)
    await tenant.call("CreateSubscription", account_id="late", plan_key="pro")
    await tenant.call("CreateSubscription", account_id="endless", plan_key="pro")
    await tenant.call("ExtendSubscription", account_id="endless", without_end=True)
    await tenant.call("SetTestClock", time=after(start, 300 * DAY))

    async def reported(**wanted):
        found = await tenant.call("ListEndingSubscriptions", **wanted)
        return [(one.subscription.account_id, one.days_left) for one in found.subscriptions], found.next_page_token

    assert await reported() == ([("acme", 65), ("late", 85)], "")
    assert await reported(end_before_time=after(start, 366 * DAY)) == ([("acme", 65)], "")
    first, token = await reported(page_size=1)
    assert (first, (await reported(page_size=1, page_token=token))[0]) == ([("acme", 65)], [("late", 85)])
    await tenant.advance(65 * DAY)
    assert await reported() == ([("late", 20)], "")
    denied = await tenant.check("acme", "calls")
    assert (denied.allowed, reason_name(denied)) == (False, "SUBSCRIPTION_EXPIRED")


async def test_usage_near_its_limit_is_told_at_80_and_100_per_cent_once_a_period(tenant: Tenant):
    """Of 10 calls: at the 8th and the 10th of each month, however many come after."""
    await month_ahead(tenant)
    limited = {"calls": {"limit": 10, "overage": "allow"}}
    await tenant.apply(catalog({"recurring": {"amount": "29.00"}}, entitlements=limited))
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")

    async def told(number):
        async def there():
            found = await messages(tenant, type="usage.limit")
            return found if len(found) >= number else None

        return await eventually(there, what=f"{number} messages")

    for _ in range(12):
        await tenant.consume("acme", "calls", 1)
    first = await told(2)
    figures = [(one.facts["feature_key"], one.facts["percent"], one.facts["used"], one.facts["limit"]) for one in first]
    assert figures == [("calls", "80", "8", "10"), ("calls", "100", "10", "10")]
    await tenant.advance(32 * DAY)
    await tenant.consume("acme", "calls", 9)
    again = await told(3)
    assert [one.facts["used"] for one in again] == ["8", "10", "9"]
    assert again[2].facts["start_time"] > first[0].facts["start_time"]


async def test_who_is_late_is_left_less_until_everything_is_paid(tenant: Tenant):
    """Past due on day 0: 3 calls are left of unlimited ones, and no more seat fits; paid on day 1, all is as before."""
    rules = {"features": {"calls": 3, "seats": 0}}
    await open_house(tenant, "fake_decline", billing={"dunning": rules})

    async def calls():
        answer = await tenant.check("acme", "calls")
        return answer.allowed, answer.limit if answer.HasField("limit") else None

    assert await calls() == (True, 3)
    assert (await tenant.check("acme", "seats")).allowed is False
    assert await types(tenant, type="dunning.past_due") == ["dunning.past_due"]
    await tenant.advance(DAY)
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok", default=True)
    await run(tenant)
    assert await calls() == (True, None)
    assert (await tenant.check("acme", "seats")).allowed is True


async def test_who_pays_before_anybody_looks_is_left_everything(tenant: Tenant):
    """Refused and paid in either order: what is left follows from what is owed, and not from what came last."""
    await open_house(tenant, "fake_decline", billing={"dunning": {"features": {"calls": 3}}})
    await tenant.call("RecordOffline", account_id="acme", amount={"currency_code": "USD", "units": 29})
    await run(tenant)
    assert not (await tenant.check("acme", "calls")).HasField("limit")


async def test_dunning_begins_with_its_least_amount(tenant: Tenant):
    """Without a method 29.00 a month: below 50.00 nothing happens, with the second month's 58.00 it is past due."""
    start = await open_house(tenant, billing={"dunning": {"from_amount": "50.00"}})
    await tenant.advance(20 * DAY)
    await run(tenant)
    assert await types(tenant, type="dunning.past_due") == []
    await tenant.advance(12 * DAY)
    await run(tenant)
    (told,) = await days(tenant, start, "dunning.past_due")
    assert told in {28, 29, 30, 31}
