"""What PayPal must know of a tenant. Its library loads when the first tenant is paid through it."""

import re
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tallygate.billing.ports import Credentials, Gateway, SecretName
from tallygate.domain.errors import InvalidFieldError
from tallygate.gateways.asking import Late, Line, Threads, Trail, Way, opened, require
from tallygate.gateways.blocking import Desk
from tallygate.gateways.paypal.gateway import PayPalGateway

if TYPE_CHECKING:
    from tallygate.gateways.paypal.client import Client

NAME = "paypal"
URL = "https://api-m.paypal.com"
SANDBOX_URL = "https://api-m.sandbox.paypal.com"
CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, ENVIRONMENT = "client_id", "client_secret", "webhook_id", "environment"
_ID = re.compile(r"[0-9A-Za-z_-]{10,255}")
_ENVIRONMENTS = {"": "live", "live": "live", "sandbox": "sandbox"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PayPalAdapter:
    """Opens PayPal for tenants; of the same credentials it opens one. Its sandbox is another house with other keys."""

    way: Way
    secrets: Sequence[SecretName] = (
        SecretName(name=CLIENT_ID),
        SecretName(name=CLIENT_SECRET),
        SecretName(name=WEBHOOK_ID, required=False, hears=True),
        SecretName(name=ENVIRONMENT, required=False),
    )
    _threads: Threads = field(default_factory=lambda: Threads(NAME))
    _opened: MutableMapping[tuple[str, ...], Gateway] = field(default_factory=opened, repr=False)

    def open(self, credentials: Credentials) -> Gateway:
        """PayPal as a tenant sees it.

        Raises:
            InvalidFieldError: what it is known by is none of PayPal's, or its library is not installed.
        """
        known = tuple(credentials.get(name) for name in (CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, ENVIRONMENT))
        client_id, client_secret, webhook_id, environment = known
        for name, value in ((CLIENT_ID, client_id), (CLIENT_SECRET, client_secret)):
            if _ID.fullmatch(value) is None:
                raise InvalidFieldError(
                    field=f"credentials[{name}]", expected="what PayPal's dashboard shows for a REST app"
                )
        if environment not in _ENVIRONMENTS:
            raise InvalidFieldError(field=f"credentials[{ENVIRONMENT}]", expected="live or sandbox")
        if known not in self._opened:
            require("paypalserversdk", extra="paypal")
            sandbox = environment == "sandbox" and self.way.url == URL
            url = SANDBOX_URL if sandbox else self.way.url
            self._opened[known] = PayPalGateway(
                desk=Desk(
                    client=Late(lambda: _connect(url, client_id, client_secret, self.way.trail)),
                    line=Line(name=NAME, seconds=self.way.seconds, trail=self.way.trail),
                    threads=self._threads,
                ),
                return_url=self.way.return_url,
                webhook_id=webhook_id,
            )
        return self._opened[known]


def _connect(url: str, client_id: str, client_secret: str, trail: Trail) -> "Client":
    from tallygate.gateways.paypal.client import connect  # noqa: PLC0415 - loads the library, which takes long

    return connect(url, client_id, client_secret, trail)
