"""Mail servers as they are met: real ones over TCP, that take, refuse, wait and hang as a test tells them to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult


@dataclass
class MailServer:
    """What a server got, and what it answers to DATA and RCPT: next of a list, then 250."""

    port: int = 0
    got: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    secret: list[bool] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)
    before_data: Callable[[], Any] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - aiosmtpd's name
        answer = self.rcpt.pop(0) if self.rcpt else "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.before_data is not None:
            await self.before_data()
        answer = self.data.pop(0) if self.data else "250 OK"
        if answer.startswith("2"):
            self.got.append(message_from_bytes(envelope.content, policy=default))
            self.recipients.append(list(envelope.rcpt_tos))
            self.secret.append(server.transport.get_extra_info("sslcontext") is not None)
        return answer

    def authenticate(self, _server, _session, _envelope, _mechanism, data):
        self.names.append(data.login.decode())
        known = (data.login, data.password) == (b"tallygate", b"open sesame")
        return AuthResult(success=known, handled=False)


@asynccontextmanager
async def mail_server(*, tls: Any = None, implicit: Any = None, password: bool = False) -> AsyncIterator[MailServer]:
    """A server on a free port; with `tls` it offers STARTTLS, with `implicit` it speaks nothing else from the start."""
    server = MailServer()
    options: dict[str, Any] = {"hostname": "mail.test", "data_size_limit": 2**25}
    if tls is not None:
        options |= {"tls_context": tls, "require_starttls": True}
    if password:
        options |= {"authenticator": server.authenticate, "auth_required": True}
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: SMTP(server, loop=loop, **options), "127.0.0.1", 0, ssl=implicit)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """Somebody who takes connections and says nothing."""
    held: list[asyncio.StreamWriter] = []

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    listening = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        for writer in held:
            writer.close()
        listening.close()
