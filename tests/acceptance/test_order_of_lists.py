"""What happens at one instant is listed in the order in which it happened: no page skips or repeats any of it."""

import pytest

from invoicing import at, catalog, dollars, invoices, run

ACME = {"account_id": "acme"}
PACK = {**ACME, "add_on_key": "pack"}
ADD_ONS = {"pack": {"version": 1, "offered_on": ["pro"], "prices": [{"recurring": {"amount": "5.00"}}]}}
PRICES = {"recurring": {"amount": "29.00"}}, {"usage": {"feature_key": "calls", "unit_amount": "1.00"}}


@pytest.fixture
async def shop(tenant):
    """A clock that stands, so that all is of one instant."""
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    await tenant.apply(catalog(*PRICES, add_ons=ADD_ONS))
    await tenant.call("UpsertAccount", **ACME)
    return tenant


async def paged(tenant, method, field, **fields):
    found, token = [], ""
    while True:
        page = await tenant.call(method, page_size=2, page_token=token, **fields)
        found += getattr(page, field)
        token = page.next_page_token
        if not token:
            return found


async def test_documents_of_one_instant_are_listed_as_they_were_issued(shop):
    """An invoice, and one for each pack that is added, with a credit note after each third."""
    await shop.call("CreateSubscription", **ACME, plan_key="pro")
    await run(shop)  # or a worker was first
    (opening,) = await invoices(shop)
    issued = [opening.number]
    for number in range(1, 10):
        (invoice,) = (await shop.call("SetAddOn", **PACK, quantity=number, invoice="CHANGE_INVOICE_NOW")).invoices
        issued.append(invoice.number)
        if number % 3 == 0:
            note = await shop.call("CreateCreditNote", invoice_id=invoice.invoice_id, reason="kind")
            issued.append(note.credit_note.number)
    listed = await paged(shop, "ListInvoices", "invoices")
    assert len({each.issue_time.ToNanoseconds() for each in listed}) == 1
    assert [each.number for each in listed] == issued[::-1]
    assert [each.number for each in await paged(shop, "ListInvoices", "invoices", **ACME)] == issued[::-1]


async def test_the_oldest_of_one_instant_is_paid_first(shop):
    """Seven packs of 5.00 each beside a base fee of 29.00: 36.00 pay that, one pack, and two dollars of the next."""
    await shop.call("CreateSubscription", **ACME, plan_key="pro")
    await run(shop)
    issued = [one.invoice_id for one in await invoices(shop)]
    for number in range(1, 8):
        (invoice,) = (await shop.call("SetAddOn", **PACK, quantity=number, invoice="CHANGE_INVOICE_NOW")).invoices
        issued.append(invoice.invoice_id)
    await shop.call("AddWalletCredit", **ACME, amount={"currency_code": "USD", "units": 36})
    left = {each.invoice_id: dollars(each.due) for each in await paged(shop, "ListInvoices", "invoices")}
    assert [left[name] for name in issued] == [0, 0, 3, 5, 5, 5, 5, 5]


NAMES = ["m", "z", "a", "k", "b"]
MONEY = {"amount": {"currency_code": "USD", "units": 1}}
MADE = {
    "ListPayments": ("RecordOffline", "payment_id", "payments"),
    "ListOrders": ("CreateOrder", "order_id", "orders"),
}


@pytest.mark.parametrize("method", MADE)
async def test_what_callers_name_is_listed_as_it_was_made(shop, method):
    made, name, field = MADE[method]
    await shop.call("CreateSubscription", **ACME, plan_key="pro")
    await run(shop)
    (opening,) = (await shop.call("ListInvoices")).invoices
    items = [{"quota": {"feature_key": "calls", "quantity": 5}}]
    fields = {"items": items, **ACME} if made == "CreateOrder" else {"invoice_id": opening.invoice_id, **ACME, **MONEY}
    for each in NAMES:
        await shop.call(made, **{name: each}, **fields)
    assert [getattr(one, name) for one in await paged(shop, method, field, **ACME)] == NAMES[::-1]


async def test_a_wallets_movements_are_listed_as_they_came(shop):
    for each in NAMES:
        await shop.call("AddWalletCredit", **ACME, **MONEY, credit_id=each)
    listed = await paged(shop, "GetWallet", "entries", **ACME)
    assert [one.entry_id.rpartition("/")[2] for one in listed] == NAMES[::-1]


async def test_the_newest_method_takes_the_place_of_the_default_one(shop):
    await shop.call("SetGateway", name="fake")
    for each in NAMES:
        await shop.call("AttachMethod", **ACME, method_id=each, token="fake_ok")
    assert [one.method_id for one in (await shop.call("ListMethods", **ACME)).methods] == NAMES
    await shop.call("DetachMethod", **ACME, method_id="m")
    (default,) = [one for one in (await shop.call("ListMethods", **ACME)).methods if one.default]
    assert default.method_id == "b"
