"""Rows about letters to accounts: sent once each through a real server, and seen in how they were delivered."""

import asyncio
import secrets
from contextlib import asynccontextmanager

import grpc
import pytest
import pytest_asyncio

from acceptance.test_messages import messages, open_house
from conftest import testing_settings
from invoicing import DAY, run
from mail_servers import MailServer, mail_server
from tallygate.app import Application
from tallygate.domain.credential import ENTROPY_BYTES, mint_key
from tallygate.jobs import dispatch
from tallygate.settings import MailSettings
from tallygate_api.v1 import message_service_pb2 as wire
from tenants import Tenant, eventually

BUYER = {"name": "Acme Ltd", "email": "books@acme.example", "address": {"country": "DE"}}
SELLER = {"name": "Shop & Sons", "email": "help@shop.example", "address": {"country": "DE"}}
SENT, WAITING, FAILED, SKIPPED = (
    getattr(wire, f"DELIVERY_STATE_{name}") for name in ("SENT", "WAITING", "FAILED", "SKIPPED")
)


@pytest.fixture
async def mails():
    async with mail_server() as server:
        yield server


@asynccontextmanager
async def serving(settings):
    async with (
        Application(settings) as application,
        grpc.aio.insecure_channel(application.grpc_address) as channel,
    ):
        yield Tenant(channel, mint_key(secrets.token_bytes(ENTROPY_BYTES)))


@pytest_asyncio.fixture
async def tenant(tmp_path, mails, monkeypatch):
    """A tenant of a server that sends mail; what is put off is tried again a tenth of a second later."""
    monkeypatch.setattr(dispatch, "_FIRST_RETRY", 100_000)
    monkeypatch.setattr(dispatch, "_LAST_RETRY", 100_000)
    mail = MailSettings(address=mails.address, sender="billing@platform.example", tls="none", test_tenants=True)
    async with serving(testing_settings(tmp_path, mail=mail)) as found:
        yield found


async def delivered(tenant, state, **wanted):
    """The deliveries of some messages, once all of them stand there."""

    async def all_there():
        found = [one for message in await messages(tenant, **wanted) for one in message.deliveries]
        return found if found and all(one.state == state for one in found) else None

    return await eventually(all_there, seconds=60, what=f"deliveries to be {wire.DeliveryState.Name(state)}")


async def test_ar_13_a_finalised_invoice_is_sent_once_and_its_delivery_is_seen(tenant: Tenant, mails: MailServer):
    """29.00 of the first of a month: one letter, to the buyer, from the seller, with the number and the amount."""
    await tenant.call("SetBillingProfile", party=SELLER)
    await open_house(tenant, profile=BUYER)
    (one,) = await delivered(tenant, SENT, type="invoice.created")
    assert (one.channel, one.attempts, one.problem) == ("mail", 1, "")
    (message,) = await messages(tenant, type="invoice.created")
    letters = [each for each in mails.got if each["Subject"] == f"Invoice {message.invoice.number} from Shop & Sons"]
    (letter,) = letters
    assert str(letter["To"]) == "Acme Ltd <books@acme.example>"
    assert str(letter["Reply-To"]) == "Shop & Sons <help@shop.example>"
    text, html = letter.get_body(("plain",)).get_content(), letter.get_body(("html",)).get_content()
    assert "To be paid: $29.00" in text
    (enclosed,) = letter.iter_attachments()
    assert enclosed.get_filename() == f"{message.invoice.number}.pdf"
    rendered = await tenant.call("RenderInvoice", invoice_id=message.invoice.invoice_id, format="DOCUMENT_FORMAT_PDF")
    assert enclosed.get_content() == rendered.content
    assert "Shop &amp; Sons" in html
    for _ in range(2):
        await run(tenant)
        await asyncio.sleep(1.5)  # the worker's next rounds
    assert [each["Subject"] for each in mails.got].count(letter["Subject"]) == 1


async def test_a_letter_that_is_put_off_is_sent_later_under_the_same_name(tenant: Tenant, mails: MailServer):
    mails.data += ["451 try later", "421 too busy"]
    await open_house(tenant, profile=BUYER)
    (one,) = await delivered(tenant, SENT, type="invoice.created")
    assert one.attempts == 3
    assert len(mails.got) == len({str(each["Message-ID"]) for each in mails.got})


async def test_a_letter_that_is_refused_is_not_tried_again_and_says_why(tenant: Tenant, mails: MailServer):
    mails.rcpt += ["550 no such user"]
    await open_house(tenant, profile=BUYER)
    (one,) = await delivered(tenant, FAILED, type="invoice.created")
    assert (one.attempts, one.problem) == (1, "550 no such user")


async def test_what_is_given_up_says_so(tenant: Tenant, mails: MailServer, monkeypatch):
    monkeypatch.setattr(dispatch, "_MOST_ATTEMPTS", 2)
    mails.data += ["451 try later"] * 2
    await open_house(tenant, profile=BUYER)
    (one,) = await delivered(tenant, FAILED, type="invoice.created")
    assert one.attempts == 2
    assert one.problem.startswith("given up after 2 attempts")


async def test_without_an_address_nothing_is_sent_and_the_reason_is_seen(tenant: Tenant, mails: MailServer):
    await open_house(tenant, profile={"name": "Acme"})
    (one,) = await delivered(tenant, SKIPPED, type="invoice.created")
    assert "no usable e-mail address" in one.problem
    assert mails.got == []


async def test_each_failure_is_written_of_once(tenant: Tenant, mails: MailServer):
    """Refused on days 0, 2 and 7: three letters of a failure, and one invoice."""
    await open_house(tenant, "fake_later_9", profile=BUYER)
    await tenant.advance(8 * DAY)
    await run(tenant)
    failed = await delivered(tenant, SENT, type="invoice.payment_failed")
    assert len(failed) == 3
    await delivered(tenant, SENT, type="invoice.created")
    subjects = [str(each["Subject"]).split(" INV")[0] for each in mails.got]
    assert sorted(subjects) == ["Invoice"] + ["Payment of invoice"] * 3


async def test_a_server_without_mail_passes_over_what_waits(live_server):
    async with live_server.channel() as channel:
        tenant = Tenant(channel, live_server.new_test_tenant())
        await open_house(tenant, profile=BUYER)
        (one,) = await delivered(tenant, SKIPPED, type="invoice.created")
        assert one.problem == "mail.address is not set"


async def test_letters_of_test_tenants_are_sent_only_where_that_is_wanted(tmp_path, mails):
    mail = MailSettings(address=mails.address, sender="billing@platform.example", tls="none")
    async with serving(testing_settings(tmp_path, mail=mail)) as tenant:
        await open_house(tenant, profile=BUYER)
        (one,) = await delivered(tenant, SKIPPED, type="invoice.created")
        assert one.problem == "mail.test_tenants is off"
    assert mails.got == []
