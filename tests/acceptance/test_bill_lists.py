"""Lists of what is not invoiced, of own prices, and of what is charged nowhere: page by page, each thing once."""

from invoicing import DAY, catalog, month_ahead, run
from tallygate_api.v1.billing_service_pb2 import UNRATED_REASON_UNREADABLE

ACME = {"account_id": "acme"}


async def paged(tenant, method, field, *, page_size, **fields):
    """The rows of every page, and how many each had."""
    rows, sizes, token = [], [], ""
    while True:
        page = await tenant.call(method, page_size=page_size, page_token=token, **fields)
        found = list(getattr(page, field))
        rows += found
        sizes.append(len(found))
        token = page.next_page_token
        if not token:
            return rows, sizes


async def test_what_is_not_invoiced_is_listed_page_by_page(tenant):
    """30 fees: 25 are a page where no size is said, and any size shows each once, in the order of the invoice."""
    await month_ahead(tenant)
    await tenant.apply(catalog())
    await tenant.call("UpsertAccount", **ACME, plan_key="pro")
    for number in range(30):
        amount = {"currency_code": "USD", "units": number + 1}
        await tenant.call("CreateFee", **ACME, fee_id=f"f{number:02}", text=f"Call {number}", amount=amount)
    first = await tenant.call("ListUninvoicedItems", **ACME)
    assert len(first.lines) == 25
    assert first.next_page_token
    whole = (await tenant.call("ListUninvoicedItems", **ACME, page_size=100)).lines
    assert sorted(line.amount.units for line in whole) == list(range(1, 31))
    for size, sizes in ((7, [7, 7, 7, 7, 2]), (30, [30]), (10, [10, 10, 10])):
        assert await paged(tenant, "ListUninvoicedItems", "lines", page_size=size, **ACME) == (list(whole), sizes)
    await tenant.advance(31 * DAY)
    await run(tenant)
    behind = await tenant.call("ListUninvoicedItems", **ACME, page_token=first.next_page_token)
    assert list(behind.lines) == []


async def test_own_prices_are_listed_page_by_page_the_newest_first(tenant):
    await month_ahead(tenant)
    await tenant.apply(catalog({"recurring": {"amount": "20.00"}}))
    await tenant.call("UpsertAccount", **ACME, plan_key="pro")
    for number in range(5):
        price = {"key": "recurring", "recurring": {"amount": f"{number + 1}.00"}}
        own = {"plan_key": "pro", "price": price, "override_id": f"deal-{number}"}
        await tenant.call("SetPriceOverride", **ACME, **own)
    first = await tenant.call("ListPriceOverrides", **ACME, page_size=2)
    price = {"key": "recurring", "recurring": {"amount": "9.00"}}
    await tenant.call("SetPriceOverride", **ACME, plan_key="pro", price=price, override_id="deal-9")
    second = await tenant.call("ListPriceOverrides", **ACME, page_size=2, page_token=first.next_page_token)
    pages = [[one.override_id for one in page.price_overrides] for page in (first, second)]
    assert pages == [["deal-4", "deal-3"], ["deal-2", "deal-1"]]
    rows, sizes = await paged(tenant, "ListPriceOverrides", "price_overrides", page_size=4, **ACME)
    assert ([one.override_id[-1] for one in rows], sizes) == (list("943210"), [4, 2])


async def test_what_no_invoice_charges_is_listed_with_its_reason(tenant):
    """A commission on the dimension `amount`: 3 sales of acme and 1 of globex do not say it; another one does."""
    await month_ahead(tenant)
    percentage = {"feature_key": "calls", "model": "percentage", "of": {"dimension": "amount"}, "rate": "1"}
    await tenant.apply(
        catalog({"usage": percentage}, features={"calls": {"kind": "metered", "dimensions": ["amount"]}})
    )
    for account in ("acme", "globex"):
        await tenant.call("UpsertAccount", account_id=account, plan_key="pro")
    sales = [("acme", "a1", {}), ("globex", "g1", {}), ("acme", "a2", {"amount": "100"}), ("acme", "a3", {})]
    for account, request_id, dimensions in [*sales, ("acme", "a4", {})]:
        fields = {"feature_key": "calls", "quantity": 2, "request_id": request_id, "dimensions": dimensions}
        await tenant.call("ConsumeQuota", account_id=account, **fields)
    assert not (await tenant.call("ListUnratedFacts")).facts
    await tenant.advance(31 * DAY)
    await run(tenant)

    async def listed(**fields):
        return await paged(tenant, "ListUnratedFacts", "facts", page_size=2, **fields)

    rows, sizes = await listed(**ACME)
    assert ([row.request_id for row in rows], sizes) == (["a4", "a3", "a1"], [2, 1])
    assert {(row.account_id, row.feature_key, row.price_key, row.quantity) for row in rows} == {
        ("acme", "calls", "calls", 2)
    }
    assert {row.reason for row in rows} == {UNRATED_REASON_UNREADABLE}
    assert all(row.occurred_time.seconds < row.note_time.seconds for row in rows)
    everybodys, _ = await listed()  # accounts' events reach the log in any order
    assert [row.sequence for row in everybodys] == sorted({row.sequence for row in everybodys}, reverse=True)
    assert sorted(row.request_id for row in everybodys) == ["a1", "a3", "a4", "g1"]
    assert (await listed(account_id="nobody"))[0] == []
