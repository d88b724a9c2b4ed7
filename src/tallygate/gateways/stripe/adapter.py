"""What Stripe must know of a tenant. Its library loads when the first tenant is paid through it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tallygate.billing.ports import Credentials, Gateway, SecretName
from tallygate.domain.errors import InvalidFieldError
from tallygate.gateways.asking import Line, Way

NAME = "stripe"
URL = "https://api.stripe.com"
API_KEY, WEBHOOK_SECRET = "api_key", "webhook_secret"
_KEY = re.compile(r"(sk|rk)_(test|live)_[0-9A-Za-z]{8,250}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeAdapter:
    """Opens Stripe for tenants; of the same credentials it opens one."""

    way: Way
    secrets: Sequence[SecretName] = (SecretName(name=API_KEY), SecretName(name=WEBHOOK_SECRET, required=False))
    _opened: dict[tuple[str, str], Gateway] = field(default_factory=dict)

    def open(self, credentials: Credentials) -> Gateway:
        """Stripe as a tenant sees it.

        Raises:
            InvalidFieldError: the key is none of Stripe's, or its library is not installed.
        """
        key, secret = credentials.get(API_KEY), credentials.get(WEBHOOK_SECRET)
        if _KEY.fullmatch(key) is None:
            raise InvalidFieldError(field=API_KEY, expected="a secret or restricted key of Stripe's, as sk_live_...")
        if (key, secret) not in self._opened:
            try:
                from tallygate.gateways.stripe.gateway import connect  # noqa: PLC0415 - needs the extra
            except ImportError as error:
                raise InvalidFieldError(
                    field="name", expected="a gateway whose library is installed: pip install 'tallygate[stripe]'"
                ) from error
            line = Line(name=NAME, seconds=self.way.seconds)
            self._opened[key, secret] = connect(self.way, line, key=key, webhook_secret=secret)
        return self._opened[key, secret]
