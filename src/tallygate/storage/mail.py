"""Mail over SMTP: one letter a connection, all of it within a deadline. The library is loaded with the first letter."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from tallygate.domain.billing.mail import Mail, one_line, usable_address
from tallygate.domain.period import to_datetime
from tallygate.jobs.dispatch import MailRefusedError, MailUnavailableError

if TYPE_CHECKING:
    import aiosmtplib

_PERMANENT = 500
_DIGITS = 40
_GOODBYE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpMailer:
    """Sends through one server. `password` is asked anew for each letter; `seconds` is what a whole one may take."""

    host: str
    port: int
    sender: str
    username: str = ""
    password: Callable[[], str] = str
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    tls_ca: str = ""
    seconds: float = 30.0

    async def send(self, mail: Mail) -> None:
        """Hand a letter over; what got no answer may have been taken.

        Raises:
            MailRefusedError: it was refused for good.
            MailUnavailableError: not now: the server does not answer, does not let us in, or says so.
        """
        message = self.message(mail)
        async with self._session(self.seconds) as client:
            await client.send_message(message, sender=self.sender, recipients=[mail.to_address])

    async def greet(self, *, seconds: float) -> None:
        """Be let in, and leave.

        Raises:
            MailUnavailableError: we are not.
        """
        async with self._session(seconds) as client:
            await client.noop()

    def context(self) -> ssl.SSLContext | None:
        """Whom we trust; None where the connection is not secret.

        Raises:
            OSError: the authorities cannot be read.
        """
        return None if self.tls == "none" else ssl.create_default_context(cafile=self.tls_ca or None)

    def message(self, mail: Mail) -> EmailMessage:
        """A letter as it travels: whatever its texts hold, each is one header or the body."""
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(display_name=one_line(mail.from_name), addr_spec=self.sender)
        message["To"] = Address(display_name=one_line(mail.to_name), addr_spec=mail.to_address)
        if reply_to := usable_address(mail.reply_to):
            message["Reply-To"] = Address(display_name=one_line(mail.from_name), addr_spec=reply_to)
        message["Subject"] = one_line(mail.letter.subject)
        message["Date"] = format_datetime(to_datetime(mail.time))
        message["Message-ID"] = f"<{_digest(mail.identity)}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.letter.text)
        message.add_alternative(mail.letter.html, subtype="html")
        for one in mail.letter.enclosures:
            kind, _, subtype = one.media_type.partition("/")
            message.add_attachment(one.content, maintype=kind, subtype=subtype, filename=one.name)
        return message

    @asynccontextmanager
    async def _session(self, seconds: float) -> AsyncIterator["aiosmtplib.SMTP"]:
        """A connection that let us in; whatever goes wrong on it is one of our two errors."""
        import aiosmtplib  # noqa: PLC0415 - only who sends mail pays for it

        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            timeout=seconds,
            use_tls=self.tls == "implicit",
            start_tls=self.tls == "starttls",
            tls_context=self.context(),
        )
        try:
            async with asyncio.timeout(seconds):
                await client.connect()
                if self.username:
                    await client.login(self.username, self.password())
                yield client
        except TimeoutError as error:
            told = f"no answer within {seconds:g} s"
            raise _refused(told, for_good=False) from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            told = "; ".join(f"{one.code} {one.message}" for one in error.recipients)
            for_good = all(one.code >= _PERMANENT for one in error.recipients)
            raise _refused(told, for_good=for_good) from error
        except aiosmtplib.SMTPDataError as error:
            told = f"{error.code} {error.message}"
            raise _refused(told, for_good=error.code >= _PERMANENT) from error
        except (aiosmtplib.SMTPException, OSError) as error:  # a refused name or sender is our fault: it can be mended
            raise _refused(str(error) or type(error).__name__, for_good=False) from error
        finally:
            with suppress(Exception):  # the letter's fate is decided
                if client.is_connected:
                    async with asyncio.timeout(_GOODBYE_SECONDS):
                        await client.quit()
            client.close()


def _refused(told: str, *, for_good: bool) -> Exception:
    return (MailRefusedError if for_good else MailUnavailableError)(one_line(told))


def _digest(identity: str) -> str:
    """What a Message-ID says of a letter: of the same one the same, and nothing of whom it is for."""
    return sha256(identity.encode()).hexdigest()[:_DIGITS]
