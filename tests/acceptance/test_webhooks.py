"""What gateways tell over HTTP: believed when signed, kept before it is answered, of one effect however it comes."""

import asyncio
import base64
import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass
from itertools import permutations

import grpc
import pytest
import pytest_asyncio
from sqlalchemy import select

from collecting import attempts, books, open_house, stands, states
from conftest import testing_settings
from invoicing import run
from tallygate.app import Application
from tallygate.app.installation import database_address
from tallygate.domain.credential import ENTROPY_BYTES, mint_key
from tallygate.settings import BillingSettings, DatabaseSettings
from tallygate.storage.sql.billing.payment_tables import gateway_events
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.schema import migrate
from tallygate_api.v1 import payment_service_pb2 as wire
from tenants import Tenant, eventually
from webhooks import SECRET, charge_told, dispute_told, post, real_now, refund_told, signed

MASTER = base64.b64encode(b"m" * 32).decode()


@dataclass
class Place:
    """A server that hears webhooks."""

    application: Application
    settings: object

    async def open(self):
        channel = grpc.aio.insecure_channel(self.application.grpc_address)
        return House(Tenant(channel, mint_key(secrets.token_bytes(ENTROPY_BYTES))), self)


@dataclass
class House:
    """A tenant that its gateway tells something."""

    tenant: Tenant
    place: Place
    path: str = ""

    async def begin(self, *tokens, **more):
        shown = (await self.tenant.call("SetGateway", name="fake", credentials={"webhook_secret": SECRET})).gateway
        self.path = shown.webhook_path
        return await open_house(self.tenant, *tokens, **more)

    @property
    def tenant_id(self):
        return self.path.split("/")[2]

    async def attempt(self):
        return (await self.tenant.call("ListAttempts", account_id="acme")).attempts[0]

    async def tell(self, body, headers=None, *, path=None):
        headers = signed(body) if headers is None else headers
        return await post(self.place.application.http_address, path or self.path, body, headers)

    async def kept(self, *, by_itself=False):
        """What followed from events, by their ids: of those that a test tells, or it by itself."""
        engine = create_engine(database_address(self.place.settings))
        own = gateway_events.c
        async with engine.connect() as connection:
            query = select(own.event_id, own.effect).where(own.tenant_id == self.tenant_id)
            rows = (await connection.execute(query)).all()
        await engine.dispose()
        return {row.event_id: row.effect for row in rows if row.event_id.startswith("ev_pay_") == by_itself}


def hearing_settings(directory, **changes):
    key = directory / "master.key"
    key.write_text(MASTER)
    settings = testing_settings(directory / "data", billing=BillingSettings(master_key_file=key))
    server = settings.server.model_copy(update={"http_address": "127.0.0.1:0"})
    return settings.model_copy(update={"server": server, **changes})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory):
    settings = hearing_settings(tmp_path_factory.mktemp("hooks"))
    async with Application(settings) as application:
        yield Place(application, settings)


@pytest_asyncio.fixture(loop_scope="session")
async def house(place):
    return await place.open()


async def test_a_payer_who_confirms_is_told_of_and_the_invoice_is_paid(house):
    """3-D Secure: the attempt waits and says where to go; the gateway tells that it was paid, and the books follow."""
    await house.begin("fake_pending")
    waiting = await house.attempt()
    assert waiting.state == wire.ATTEMPT_STATE_PENDING
    assert waiting.next_action_url
    told = charge_told(house.tenant_id, waiting, "succeeded", event_id="ev_1")
    assert await house.tell(told) == (200, "kept\n")
    assert await states(house.tenant) == [("paid", 0.0)]
    assert await attempts(house.tenant) == [("SUCCEEDED", "", 29.0)]
    once = await books(house.tenant)
    assert (await house.tell(told))[0] == 200
    assert await books(house.tenant) == once
    assert await house.kept() == {"ev_1": "applied"}


async def test_a_payer_who_does_not_confirm_is_dunned(house):
    await house.begin("fake_pending")
    waiting = await house.attempt()
    told = charge_told(
        house.tenant_id, waiting, "failed", event_id="ev_1", advice="new_method", reason="authentication_failed"
    )
    assert (await house.tell(told))[0] == 200
    assert await attempts(house.tenant) == [("FAILED", "authentication_failed", 29.0)]
    await stands(house.tenant, "PAST_DUE", True)
    await books(house.tenant)


STORY = (("pending", "ev_1"), ("failed", "ev_2"), ("succeeded", "ev_3"))


@pytest.mark.parametrize("order", [*permutations(STORY)], ids=lambda order: "-".join(state for state, _ in order))
async def test_defect_13_in_whatever_order_it_is_told_the_books_are_the_same(house, order):
    """A failure that turns out to be paid is paid; what comes after it changes nothing. It has 29.00 of ours."""
    await house.begin("fake_pending")
    waiting = await house.attempt()
    for state, event_id in order:
        assert (await house.tell(charge_told(house.tenant_id, waiting, state, event_id=event_id)))[0] == 200
    assert await states(house.tenant) == [("paid", 0.0)]
    assert await books(house.tenant) == {"gateway:Funds": 29.0, "seller:Backlog": -29.0}
    assert set(await house.kept()) == {"ev_1", "ev_2", "ev_3"}
    await stands(house.tenant, "ACTIVE", True)


async def test_what_is_not_the_gateways_changes_nothing_and_learns_nothing(house, caplog):
    """A tampered amount, another secret, an old or future signature, another tenant's path: one answer for all."""
    caplog.set_level(logging.DEBUG)
    await house.begin("fake_pending")
    other = await house.place.open()
    await other.begin("fake_pending")
    body = charge_told(house.tenant_id, await house.attempt(), "succeeded", event_id="ev_1")
    good = signed(body)
    tampered = body.replace(b"2900", b"0001")
    assert tampered != body
    for refused in (
        (tampered, good, None),
        (body, {}, None),
        (body, signed(body, secret="whsec_other"), None),
        (body, signed(body, now=real_now() - 301_000_000), None),
        (body, signed(body, now=real_now() + 330_000_000), None),
        (body, good, "/gateways/nobody/fake"),
        (body, good, "/gateways/%00%ff/fake"),
        (body, good, f"/gateways/{house.tenant_id}/stripe"),
        (body, good, f"/gateways/{house.tenant_id}/fake/more"),
        (body, good, f"/gateways/{house.tenant_id}"),
    ):
        assert await house.tell(refused[0], refused[1], path=refused[2]) == (401, "not verified\n")
    assert await states(house.tenant) == [("open", 29.0)]
    assert await house.kept() == {}
    assert await house.tell(body, good, path=other.path) == (200, "kept\n"), "signed with the same secret, it is heard"
    assert await other.kept() == {"ev_1": "foreign"}
    assert await states(house.tenant) == [("open", 29.0)]
    assert SECRET not in caplog.text


async def test_two_tenants_of_one_gateway_account_hear_of_their_own_only(house):
    """The same secret, id, amount and currency: what is told of one's charge moves nothing of the other's."""
    other = await house.place.open()
    for one in (house, other):
        await one.begin("fake_pending", billing={"payment": {"collect": "manual"}})
        (invoice,) = (await one.tenant.call("ListInvoices", account_id="acme")).invoices
        await one.tenant.call("Pay", invoice_id=invoice.invoice_id, attempt_id="pay_1")
    told = charge_told(house.tenant_id, await house.attempt(), "succeeded", event_id="ev_1")
    assert (await other.tell(told))[0] == 200
    assert (await other.kept(), await states(other.tenant)) == ({"ev_1": "foreign"}, [("open", 29.0)])
    assert (await house.tell(told))[0] == 200
    assert (await house.kept(), await states(house.tenant)) == ({"ev_1": "applied"}, [("paid", 0.0)])


async def test_what_does_not_fit_is_not_believed_but_asked(house):
    """Another amount, currency or charge than was asked for: kept, and the gateway is asked, which still waits."""
    await house.begin("fake_pending")
    waiting = await house.attempt()
    for number, wrong in enumerate(({"amount": 2_901}, {"currency": "EUR"}, {"charge_id": "ch_other"})):
        told = charge_told(house.tenant_id, waiting, "succeeded", event_id=f"ev_{number}", **wrong)
        assert (await house.tell(told))[0] == 200
    assert await house.kept() == {"ev_0": "asked", "ev_1": "asked", "ev_2": "asked"}
    await run(house.tenant)
    assert await attempts(house.tenant) == [("PENDING", "", 29.0)]
    await house.tenant.advance(7_200)
    await run(house.tenant)

    async def is_paid():  # the server's own worker may have it in hand
        return await states(house.tenant) == [("paid", 0.0)]

    await eventually(is_paid)


async def test_that_a_payment_still_waits_puts_off_no_look_at_it(house):
    """It is looked at an hour after it was sent, though 50 minutes on it is told to wait; where to confirm is kept."""
    await house.begin("fake_pending")
    waiting = await house.attempt()
    await house.tenant.advance(3_000)
    assert (await house.tell(charge_told(house.tenant_id, waiting, "pending", event_id="ev_1")))[0] == 200
    assert await house.kept() == {"ev_1": "old"}
    assert (await house.attempt()).next_action_url == waiting.next_action_url
    await house.tenant.advance(700)
    await run(house.tenant)
    assert await states(house.tenant) == [("paid", 0.0)]


async def test_that_a_refund_still_waits_puts_off_no_look_at_it(house):
    await house.begin("fake_refund_pending")
    (invoice,) = (await house.tenant.call("ListInvoices", account_id="acme")).invoices
    (refund,) = (await house.tenant.call("RefundLine", invoice_id=invoice.invoice_id, line=1)).refunds
    await house.tenant.advance(3_000)
    assert (await house.tell(refund_told(house.tenant_id, refund, "pending", event_id="re_1")))[0] == 200
    assert await house.kept() == {"re_1": "old"}
    await house.tenant.advance(700)
    await run(house.tenant)
    (found,) = (await house.tenant.call("ListRefunds", account_id="acme")).refunds
    assert found.state == wire.ATTEMPT_STATE_SUCCEEDED


async def test_an_event_too_large_or_none_at_all_is_refused(house):
    await house.begin("fake_ok")
    large = b"x" * (256 * 1024 + 1)
    assert (await house.tell(large))[0] == 413
    assert (await house.tell(b"not json"))[0] == 401
    assert (await post(house.place.application.http_address, "/", b"", {}))[0] == 404


async def cut(address, text):
    """Send this, and a letter a quarter of a second after it: how long it took until the connection was closed."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    begun = asyncio.get_running_loop().time()
    writer.write(text)
    ended = asyncio.create_task(reader.read())
    with suppress(ConnectionError):
        while not (await asyncio.wait([ended], timeout=0.25))[0]:
            writer.write(b"a")
            await writer.drain()
    writer.close()
    with suppress(ConnectionError):
        await ended
    return asyncio.get_running_loop().time() - begun


async def test_who_sends_slowly_is_cut_and_others_are_heard(house):
    """A head or a body that does not end: the connection is closed after ten seconds, while others are answered."""
    await house.begin("fake_pending")
    head = b"POST /gateways/t/fake HTTP/1.1\r\nHost: x\r\n"
    address = house.place.application.http_address
    async with asyncio.timeout(60):
        slow = asyncio.gather(cut(address, head + b"a: "), cut(address, head + b"Content-Length: 999\r\n\r\nab"))
        told = charge_told(house.tenant_id, await house.attempt(), "succeeded", event_id="ev_1")
        assert (await house.tell(told))[0] == 200
        assert all(9 < seconds < 40 for seconds in await slow)


async def test_the_built_in_gateway_tells_by_itself_twice_and_out_of_order(house):
    """A payer confirms after two seconds: told over HTTP, the invoice is paid; nobody asks, no clock moves."""
    await house.begin("fake_pending_2")
    attempt = (await house.attempt()).attempt_id

    async def paid():
        return await states(house.tenant) == [("paid", 0.0)]

    await eventually(paid, what="the gateway to tell of the payment")

    async def heard():
        return set(await house.kept(by_itself=True)) == {f"ev_{attempt}_pending", f"ev_{attempt}_succeeded"}

    await eventually(heard, what="both events to be kept")
    assert await books(house.tenant) == {"gateway:Funds": 29.0, "seller:Backlog": -29.0}
    told = house.place.application._serving.metrics.exposition().decode()
    repeated = next(line for line in told.splitlines() if line.startswith("tallygate_gateway_events_repeated_total"))
    assert float(repeated.split()[1]) >= 2


async def test_the_built_in_gateway_tells_of_a_dispute_and_what_was_decided(house):
    """29.00 come and are taken back with 15.00: booked as it is told, and both sides agree."""
    start = await house.begin("fake_dispute_lost")

    async def lost():
        disputes = (await house.tenant.call("ListDisputes", account_id="acme")).disputes
        return [one.state for one in disputes] == [wire.DISPUTE_STATE_LOST]

    await eventually(lost, what="the gateway to tell that the dispute was lost")
    assert await states(house.tenant) == [("open", 29.0)]
    owed = {"gateway:Funds": -15.0, "seller:Backlog": -29.0, "seller:Expenses": 15.0, "account:Receivable": 29.0}
    assert await books(house.tenant) == owed
    agreed = await house.tenant.call("Reconcile", gateway="fake", start_time=start)
    assert (agreed.booked, agreed.settled, list(agreed.differences)) == (2, 2, [])


async def test_defect_13_what_is_not_stored_is_told_again(house, monkeypatch):
    """Where the books cannot be written nothing is answered with 2xx; told again it has its effect."""
    await house.begin("fake_pending")
    told = charge_told(house.tenant_id, await house.attempt(), "succeeded", event_id="ev_1")
    application = house.place.application
    broken = {house.tenant_id}
    write = type(application._control.transactions).write

    async def failing(self, tenant_id, use_case, **more):
        if tenant_id in broken:
            raise OSError("disk")  # noqa: EM101 - a defect
        return await write(self, tenant_id, use_case, **more)

    monkeypatch.setattr(type(application._control.transactions), "write", failing)
    assert (await house.tell(told))[0] == 500
    assert await house.kept() == {}
    broken.clear()
    assert (await house.tell(told))[0] == 200
    assert await states(house.tenant) == [("paid", 0.0)]


async def test_ar_28_an_event_with_a_card_number_leaves_none_behind(house, caplog):
    """Only its digest is kept of an event, and logs mask."""
    caplog.set_level(logging.DEBUG)
    await house.begin("fake_pending")
    told = charge_told(house.tenant_id, await house.attempt(), "succeeded", event_id="ev_1").replace(
        b'"advice"', b'"card": "4242424242424242", "advice"'
    )
    assert (await house.tell(told))[0] == 200
    assert "4242424242424242" not in caplog.text
    assert "4242424242424242" not in str(await house.kept())


async def test_on_postgresql_as_well(postgres, tmp_path):
    url = postgres.create_database()
    await asyncio.to_thread(migrate, url)
    settings = hearing_settings(tmp_path, database=DatabaseSettings(url=url))
    async with Application(settings) as application:
        place = Place(application, settings)
        await test_a_payer_who_confirms_is_told_of_and_the_invoice_is_paid(await place.open())
        await test_defect_13_in_whatever_order_it_is_told_the_books_are_the_same(await place.open(), STORY[::-1])


BACK = (("pending", "re_1"), ("succeeded", "re_2"), ("failed", "re_3"))


@pytest.mark.parametrize("order", [*permutations(BACK)], ids=lambda order: "-".join(state for state, _ in order))
async def test_a_refund_that_came_back_is_kept_in_the_wallet_whatever_is_told_when(house, order):
    """It seemed to have arrived and did not: 20.00 of the 29.00 are the account's again, and with the gateway."""
    await house.begin("fake_refund_pending")
    (invoice,) = (await house.tenant.call("ListInvoices", account_id="acme")).invoices
    asked = {"invoice_id": invoice.invoice_id, "line": 1, "amount": {"currency_code": "USD", "units": 20}}
    (refund,) = (await house.tenant.call("RefundLine", **asked)).refunds
    for state, event_id in order:
        assert (await house.tell(refund_told(house.tenant_id, refund, state, event_id=event_id)))[0] == 200
    expected = {"account:Liability": -20.0, "gateway:Funds": 29.0, "seller:Backlog": -9.0}
    assert await books(house.tenant) == expected


async def test_a_refund_of_another_amount_is_asked_for_rather_than_believed(house):
    await house.begin("fake_refund_pending")
    (invoice,) = (await house.tenant.call("ListInvoices", account_id="acme")).invoices
    (refund,) = (await house.tenant.call("RefundLine", invoice_id=invoice.invoice_id, line=1)).refunds
    assert (await house.tell(refund_told(house.tenant_id, refund, "succeeded", event_id="re_1", amount=1)))[0] == 200
    assert await house.kept() == {"re_1": "asked"}
    assert (await books(house.tenant))["account:Refunded"] == -29.0


DISPUTE = (("opened", "dp_1"), ("lost", "dp_2"))


@pytest.mark.parametrize("order", [*permutations(DISPUTE)], ids=lambda order: "-".join(state for state, _ in order))
async def test_dj_35_a_dispute_that_a_gateway_tells_of_is_booked_once_in_whatever_order(house, order):
    """29.00 are due again, and 20.00 were its fee."""
    await house.begin("fake_ok")
    (payment,) = (await house.tenant.call("ListPayments", account_id="acme")).payments
    for state, event_id in [*order, *order]:
        told = dispute_told(payment.payment_id, state, event_id=event_id, amount=2_900, fee=2_000)
        assert (await house.tell(told))[0] == 200
    assert await states(house.tenant) == [("open", 29.0)]
    assert await books(house.tenant) == {
        "account:Receivable": 29.0,
        "gateway:Funds": -20.0,
        "seller:Backlog": -29.0,
        "seller:Expenses": 20.0,
    }
