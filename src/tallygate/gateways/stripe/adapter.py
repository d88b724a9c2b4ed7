"""What Stripe must know of a tenant. Its library loads when the first tenant is paid through it."""

import re
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tallygate.billing.ports import Credentials, Gateway, SecretName
from tallygate.domain.errors import InvalidFieldError
from tallygate.gateways.asking import Late, Line, Way, opened, require
from tallygate.gateways.stripe.gateway import StripeGateway

if TYPE_CHECKING:
    from tallygate.gateways.stripe.client import Client

NAME = "stripe"
URL = "https://api.stripe.com"
API_KEY, WEBHOOK_SECRET = "api_key", "webhook_secret"
_KEY = re.compile(r"(sk|rk)_(test|live)_[0-9A-Za-z]{8,250}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeAdapter:
    """Opens Stripe for tenants; of the same credentials it opens one."""

    way: Way
    secrets: Sequence[SecretName] = (
        SecretName(name=API_KEY),
        SecretName(name=WEBHOOK_SECRET, required=False, hears=True),
    )
    _opened: MutableMapping[tuple[str, str], Gateway] = field(default_factory=opened, repr=False)
    _shared: dict[str, Any] = field(default_factory=dict, repr=False)

    def open(self, credentials: Credentials) -> Gateway:
        """Stripe as a tenant sees it.

        Raises:
            InvalidFieldError: the key is none of Stripe's, or its library is not installed.
        """
        key, secret = credentials.get(API_KEY), credentials.get(WEBHOOK_SECRET)
        if _KEY.fullmatch(key) is None:
            raise InvalidFieldError(
                field=f"credentials[{API_KEY}]", expected="a secret or restricted key of Stripe's, as sk_live_..."
            )
        if (key, secret) not in self._opened:
            require("stripe", extra="stripe")
            self._opened[key, secret] = StripeGateway(
                client=Late(lambda: _connect(self.way, key, self._shared)),
                line=Line(name=NAME, seconds=self.way.seconds, trail=self.way.trail),
                return_url=self.way.return_url,
                webhook_secret=secret,
            )
        return self._opened[key, secret]


def _connect(way: Way, key: str, shared: dict[str, Any]) -> "Client":
    from tallygate.gateways.stripe.client import connect  # noqa: PLC0415 - loads the library, which takes long

    return connect(way.url, key, seconds=way.seconds, shared=shared, trail=way.trail)
