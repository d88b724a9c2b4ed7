"""What `doctor` asks a running server of its own settings' admin port: whether it could use what it read last."""

import asyncio
import json
import ssl
import urllib.error
import urllib.request
from typing import Any

from tallygate.app.finding import Finding
from tallygate.server.listeners import parse_address
from tallygate.settings import Settings
from tallygate.settings.texts import UnreadableError, read_text

_SECONDS = 1.0


async def look_at_server(settings: Settings) -> list[Finding]:
    """Whether it serves by the settings that it read last; nothing where none answers on this machine."""
    checks = await asyncio.to_thread(_checks, settings)
    check = checks.get("settings")
    if check is None:
        return []
    fix = "correct the file, and send SIGHUP again"
    return [Finding(name="settings", ok=check["ok"], detail=check["detail"] or "as they were read", fix=fix)]


def _checks(settings: Settings) -> dict[str, Any]:
    address = parse_address(settings.server.admin_address)
    if not address.is_local or not address.port:
        return {}
    scheme, context = "http", None
    if settings.server.admin_tls:  # this machine's own listener, which shows a name of the outside
        scheme, context = "https", ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(f"{scheme}://{address.target}/ready", headers=_headers(settings))  # noqa: S310 - http alone
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS, context=context) as reply:  # noqa: S310 - as above
            return _read(reply.read())
    except urllib.error.HTTPError as error:  # not ready
        with error:
            return _read(error.read())
    except OSError:
        return {}


def _headers(settings: Settings) -> dict[str, str]:
    path = settings.server.admin_token_file
    try:
        return {} if path is None else {"authorization": f"Bearer {read_text(path).strip()}"}
    except UnreadableError:
        return {}


def _read(body: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(body).get("checks", {}))
    except ValueError:  # another server has this port
        return {}
