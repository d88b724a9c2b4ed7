"""What Razorpay must know of a tenant. Its library loads when the first tenant is paid through it."""

import re
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tallygate.billing.ports import Credentials, Gateway, SecretName
from tallygate.domain.errors import InvalidFieldError
from tallygate.gateways.asking import Late, Line, Threads, Way, opened, require
from tallygate.gateways.blocking import Desk
from tallygate.gateways.razorpay.gateway import RazorpayGateway

if TYPE_CHECKING:
    from tallygate.gateways.razorpay.client import Client

NAME = "razorpay"
URL = "https://api.razorpay.com"
KEY_ID, KEY_SECRET, WEBHOOK_SECRET = "key_id", "key_secret", "webhook_secret"
_KEY = re.compile(r"rzp_(test|live)_[0-9A-Za-z]{8,64}")
_SECRET = re.compile(r"[0-9A-Za-z]{8,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RazorpayAdapter:
    """Opens Razorpay for tenants; of the same credentials it opens one."""

    way: Way
    secrets: Sequence[SecretName] = (
        SecretName(name=KEY_ID),
        SecretName(name=KEY_SECRET),
        SecretName(name=WEBHOOK_SECRET, required=False, hears=True),
    )
    _threads: Threads = field(default_factory=lambda: Threads(NAME))
    _opened: MutableMapping[tuple[str, ...], Gateway] = field(default_factory=opened, repr=False)

    def open(self, credentials: Credentials) -> Gateway:
        """Razorpay as a tenant sees it.

        Raises:
            InvalidFieldError: a key is none of Razorpay's, or its library is not installed.
        """
        known = tuple(credentials.get(name) for name in (KEY_ID, KEY_SECRET, WEBHOOK_SECRET))
        key_id, key_secret, webhook_secret = known
        if _KEY.fullmatch(key_id) is None:
            raise InvalidFieldError(field=f"credentials[{KEY_ID}]", expected="a key id of Razorpay's, as rzp_live_...")
        if _SECRET.fullmatch(key_secret) is None:
            raise InvalidFieldError(
                field=f"credentials[{KEY_SECRET}]", expected="the key's secret, as Razorpay's dashboard shows it once"
            )
        if known not in self._opened:
            require("razorpay", extra="razorpay")
            self._opened[known] = RazorpayGateway(
                desk=Desk(
                    client=Late(lambda: _connect(self.way, key_id, key_secret)),
                    line=Line(name=NAME, seconds=self.way.seconds, trail=self.way.trail),
                    threads=self._threads,
                ),
                webhook_secret=webhook_secret,
            )
        return self._opened[known]


def _connect(way: Way, key_id: str, key_secret: str) -> "Client":
    from tallygate.gateways.razorpay.client import connect  # noqa: PLC0415 - loads the library, which takes long

    return connect(way.url, key_id, key_secret, way.trail)
