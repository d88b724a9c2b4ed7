"""Letters handed to real SMTP servers: secret, with a password, refused, put off, and to one that never answers."""

import asyncio
import socket
import ssl
import time

import pytest

from certificates import Authority
from mail_servers import mail_server, silent_server
from tallygate.domain.billing.mail import Letter, Mail
from tallygate.jobs.dispatch import MailRefusedError, MailUnavailableError
from tallygate.storage.mail import SmtpMailer

LETTER = Letter(subject="Rechnung für März", text="Gr\u00fc\u00dfe\n.\nEnde\n", html="<p>Gr\u00fc\u00dfe</p>")
MAIL = Mail(
    identity="t/invoice.created/1",
    to_address="acme@example.com",
    to_name="Acme, \u00c4rger & Co",
    from_name="Shop",
    reply_to="shop@example.com",
    letter=LETTER,
    time=0,
)


def mailer(port, **changes):
    usual = {"host": "127.0.0.1", "port": port, "sender": "billing@example.com", "tls": "none", "seconds": 10.0}
    return SmtpMailer(**{**usual, **changes})


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def context_of(authority):
    certificate = authority.issue("mail")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    return context


async def test_a_letter_arrives_as_it_was_written():
    async with mail_server() as server:
        await mailer(server.port).send(MAIL)
        (got,) = server.got
    assert server.recipients == [["acme@example.com"]]
    assert (got["Subject"], str(got["From"]), got["Auto-Submitted"]) == (
        "Rechnung für März",
        "Shop <billing@example.com>",
        "auto-generated",
    )
    assert [(one.display_name, one.addr_spec) for one in got["To"].addresses] == [
        ("Acme, \u00c4rger & Co", "acme@example.com")
    ]
    assert str(got["Reply-To"]) == "Shop <shop@example.com>"
    text, html = got.get_body(("plain",)).get_content(), got.get_body(("html",)).get_content()
    assert (text.replace("\r\n", "\n"), html.strip()) == (LETTER.text, LETTER.html)


async def test_a_letter_goes_over_tls_with_a_password(authority):
    async with mail_server(password=True, tls=context_of(authority)) as server:
        way = {"tls": "starttls", "tls_ca": str(authority.cert), "username": "tallygate", "seconds": 30.0}
        await mailer(server.port, password=lambda: "open sesame", **way).send(MAIL)
        assert (server.secret, server.names) == ([True], ["tallygate"])
        with pytest.raises(MailUnavailableError, match="535"):  # ours to mend: it is no fault of the letter
            await mailer(server.port, password=lambda: "guess", **way).send(MAIL)
        assert len(server.got) == 1


async def test_a_letter_goes_to_a_server_that_speaks_tls_from_the_first_byte(authority):
    async with mail_server(implicit=context_of(authority)) as server:
        await mailer(server.port, tls="implicit", tls_ca=str(authority.cert)).send(MAIL)
        assert server.secret == [True]


async def test_no_letter_goes_to_whom_we_do_not_trust(authority):
    async with mail_server(tls=context_of(authority)) as server:
        with pytest.raises(MailUnavailableError, match="certificate"):
            await mailer(server.port, tls="starttls").send(MAIL)
        assert server.got == []


async def test_no_letter_goes_in_the_clear_where_it_is_to_be_secret():
    async with mail_server() as server:
        with pytest.raises(MailUnavailableError):
            await mailer(server.port, tls="starttls").send(MAIL)
        assert server.got == []


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"data": ["451 try later"]}, MailUnavailableError),
        ({"data": ["554 spam"]}, MailRefusedError),
        ({"rcpt": ["450 mailbox busy"]}, MailUnavailableError),
        ({"rcpt": ["550 no such user"]}, MailRefusedError),
    ],
)
async def test_what_a_server_says_is_kept_apart(answers, error):
    async with mail_server() as server:
        for name, answer in answers.items():
            setattr(server, name, answer)
            code = answer[0][:3]
        with pytest.raises(error, match=code):
            await mailer(server.port).send(MAIL)
        assert server.got == []
        await mailer(server.port).send(MAIL)  # the next one is taken


async def test_a_server_that_never_answers_is_left_in_time():
    async with silent_server() as port:
        begun = time.monotonic()
        with pytest.raises(MailUnavailableError, match="no answer within"):
            await mailer(port, seconds=0.5).send(MAIL)
        assert time.monotonic() - begun < 5


async def test_a_server_that_takes_a_letter_and_says_nothing_is_left_in_time():
    async with mail_server() as server:
        server.before_data = lambda: asyncio.sleep(30)
        with pytest.raises(MailUnavailableError, match="no answer within"):
            await mailer(server.port, seconds=1.0).send(MAIL)


async def test_nobody_there_is_told():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(MailUnavailableError):
            await mailer(free.getsockname()[1]).send(MAIL)


async def test_being_let_in_is_tried_without_a_letter(authority):
    async with mail_server(tls=context_of(authority), password=True) as server:
        way = {"tls": "starttls", "tls_ca": str(authority.cert), "username": "tallygate"}
        await mailer(server.port, password=lambda: "open sesame", **way).greet(seconds=10)
        assert (server.names, server.got) == (["tallygate"], [])
