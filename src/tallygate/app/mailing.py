"""The mail server that settings name: what is looked at before anything is started, and what `doctor` tries."""

import re

from tallygate.app.errors import UnusableSettingError
from tallygate.app.finding import Finding
from tallygate.domain.billing.mail import usable_address
from tallygate.jobs.dispatch import MailUnavailableError
from tallygate.rendering.enclosing import can_enclose
from tallygate.settings import Settings
from tallygate.settings.texts import UnreadableError, read_text
from tallygate.storage.mail import SmtpMailer

_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")
_LAST_PORT = 65_535
_DOCTOR_SECONDS = 5.0


def mailer_of(settings: Settings) -> SmtpMailer | None:
    """What sends mail; None where no server is named.

    Raises:
        UnusableSettingError: the settings name none that can be used.
    """
    mail = settings.mail
    if not mail.address:
        return None
    found = _ADDRESS.fullmatch(mail.address)
    if found is None or not 0 < int(found["port"]) <= _LAST_PORT:
        problem = f"expected host:port, as smtp.example.com:587, got {mail.address!r}"
        raise UnusableSettingError(problem, key="mail.address")
    if usable_address(mail.sender) != mail.sender or not mail.sender:
        problem = f"expected an address as billing@example.com, got {mail.sender!r}"
        raise UnusableSettingError(problem, key="mail.sender")
    if bool(mail.username) is not (mail.password_file is not None):
        problem = "expected both mail.username and mail.password_file, or none of them"
        raise UnusableSettingError(problem, key="mail.username" if mail.password_file else "mail.password_file")
    if mail.username and mail.tls == "none":
        problem = "expected starttls or implicit: a password is not sent in the clear"
        raise UnusableSettingError(problem, key="mail.tls")
    mailer = SmtpMailer(
        host=found["host"].strip("[]"),
        port=int(found["port"]),
        sender=mail.sender,
        username=mail.username,
        password=lambda: _password(settings),
        tls=mail.tls,
        tls_ca=str(mail.tls_ca or ""),
        seconds=mail.timeout,
    )
    _password(settings)
    try:
        mailer.context()
    except OSError as error:
        problem = f"cannot read authorities from {mail.tls_ca}: {error}"
        raise UnusableSettingError(problem, key="mail.tls_ca") from error
    return mailer


async def look_at_mail(settings: Settings) -> list[Finding]:
    """What `doctor` says of the mail server: whether it takes our name and password; nothing is sent."""
    fix = "see `mail` in the settings, and that the server is reached from here; letters wait and are tried again"
    try:
        mailer = mailer_of(settings)
        if mailer is None:
            return [Finding(name="mail server", ok=True, detail="none is named: no mail is sent")]
        await mailer.greet(seconds=_DOCTOR_SECONDS)
    except UnusableSettingError as error:
        return [Finding(name="mail server", ok=False, detail=str(error), fix=fix)]
    except MailUnavailableError as error:
        return [Finding(name="mail server", ok=False, detail=f"{settings.mail.address}: {error}", fix=fix)]
    bare = settings.mail.enclose_pdf and not can_enclose()
    without = "; invoices go without PDFs: tallygate[pdf] is not installed" if bare else ""
    return [Finding(name="mail server", ok=True, detail=f"{settings.mail.address} lets us in{without}")]


def _password(settings: Settings) -> str:
    path = settings.mail.password_file
    if path is None:
        return ""
    try:
        return read_text(path).strip()
    except UnreadableError as error:
        problem = f"cannot read {path}: {error}"
        raise UnusableSettingError(problem, key="mail.password_file") from error
