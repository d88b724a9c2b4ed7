"""AR-28: no RPC takes a card's number: every field of payments and profiles, and every text for people elsewhere."""

import grpc
import pytest

from contract.server.test_refusals import details_of
from tenants import METHODS, Tenant, request_of

CARD = "4242 4242 4242 4242"
WHOLE = [name for name, method in METHODS.items() if method.containing_service.name == "PaymentService"]
PEOPLE = [
    ("CreateFee", {"account_id": "acme", "text": f"by {CARD}"}, "text"),
    ("OffsetFee", {"fee_id": "f", "text": CARD}, "text"),
    ("UpsertAccount", {"account_id": "acme", "metadata": {"card": CARD}}, "metadata[card]"),
    ("UpsertAccount", {"account_id": "acme", "metadata": {CARD: "x"}}, "metadata.key"),
    ("ChangePlan", {"account_id": "acme", "plan_key": "p", "reason": CARD}, "reason"),
    ("CreateApiKey", {"name": CARD, "scopes": ["SCOPE_DATA"]}, "name"),
    ("ImportAccounts", {"items": [{"account": {"metadata": {"a": CARD}}}]}, "items[0].account.metadata[a]"),
    ("ApplyCatalog", {"catalog": {"plans": {"p": {"name": CARD}}}}, "catalog.plans[p].name"),
]


def texts(descriptor, path=""):
    """Every text of a message: its path, and a request's fields that hold a card there."""
    for field in descriptor.fields:
        place = f"{path}.{field.name}" if path else field.name
        many = field.is_repeated
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            yield f"{place}.key", {field.name: {CARD: "x"}}
            yield f"{place}[k]", {field.name: {"k": CARD}}
        elif field.type == field.TYPE_STRING:
            yield (f"{place}[0]" if many else place), {field.name: [CARD] if many else CARD}
        elif field.type == field.TYPE_MESSAGE and field.message_type.full_name.startswith("tallygate"):
            for inner, fields in texts(field.message_type, f"{place}[0]" if many else place):
                yield inner, {field.name: [fields] if many else fields}


ROWS = [
    (name, fields, place) for name in (*WHOLE, "SetBillingProfile") for place, fields in texts(METHODS[name].input_type)
]


@pytest.fixture(scope="module")
async def tenant(live_server):
    async with live_server.channel() as channel:
        yield Tenant(channel, live_server.new_test_tenant())


@pytest.mark.parametrize(("name", "fields", "place"), [*ROWS, *PEOPLE], ids=lambda value: str(value)[:40])
async def test_a_card_number_is_refused_by_its_place_and_not_repeated(tenant, name, fields, place):
    request_of(name, **fields)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await tenant.call(name, **fields)
    info, wrong = details_of(refused.value)
    assert (refused.value.code(), info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "CARD_NUMBER_REFUSED")
    assert [one.field for one in wrong.field_violations] == [place]
    assert CARD not in str(refused.value)


async def test_identifiers_are_not_refused(tenant):
    digits = CARD.replace(" ", "")
    await tenant.call("UpsertAccount", account_id=digits)
    assert (await tenant.call("GetAccount", account_id=digits)).account.account_id == digits


def test_there_are_rows_of_every_payment_method():
    asked = {name for name, _, _ in ROWS}
    assert asked >= {name for name in WHOLE if METHODS[name].input_type.fields}
