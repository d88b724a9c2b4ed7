"""Which payment gateways there are, who may use them, and how what tenants know of them is kept: sealed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tallygate.billing.ports import Credentials, Gateway, GatewayAdapter
from tallygate.domain.billing.payments import Gateway as UsedGateway
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.payment_errors import GatewayMissingError, GatewayRefusedError
from tallygate.records.ports import BillingWork
from tallygate.records.sealing import Sealing

FAKE = "fake"
"""The built-in gateway, which takes no money: test tenants pay by no other, and live ones never."""
_LONGEST = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateways:
    """The gateways that there are; `fake_on_live` lets tenants that are no tests use the built-in one, too."""

    adapters: Mapping[str, GatewayAdapter]
    sealing: Sealing
    fake_on_live: bool = False

    def adapter(self, name: str) -> GatewayAdapter:
        """One kind of gateway.

        Raises:
            GatewayMissingError: there is none of this name.
        """
        if name not in self.adapters:
            raise GatewayMissingError(gateway=name)
        return self.adapters[name]

    def open(self, tenant_id: str, used: UsedGateway) -> Gateway:
        """A gateway as the tenant sees it that uses it.

        Raises:
            GatewayMissingError: there is no such gateway any more.
            MasterKeyMissingError, MasterKeyWrongError: its credentials cannot be opened.
        """
        return self.adapter(used.name).open(self.credentials(tenant_id, used))

    def credentials(self, tenant_id: str, used: UsedGateway) -> Credentials:
        """What a tenant said that it knows of a gateway.

        Raises:
            MasterKeyMissingError, MasterKeyWrongError: it cannot be opened.
        """
        if not used.credentials:
            return Credentials()
        opened = self.sealing.open(used.credentials, place=credentials_place(tenant_id, used.name))
        return Credentials(secrets=json.loads(opened))

    def kept_credentials(self, tenant_id: str, name: str, credentials: Credentials) -> str:
        """Credentials as they are kept.

        Raises:
            MasterKeyMissingError: there is no key to seal them with.
        """
        if not credentials.secrets:
            return ""
        return self.sealing.seal(json.dumps(credentials.secrets), place=credentials_place(tenant_id, name))

    def checked(self, name: str, credentials: Credentials) -> Credentials:
        """Credentials with which a gateway can be asked.

        Raises:
            InvalidFieldError: one is missing, too long, none of this gateway's, or not of its form.
        """
        wanted = {secret.name: secret for secret in self.adapter(name).secrets}
        for given, value in credentials.secrets.items():
            if given not in wanted:
                expected = f"only {', '.join(sorted(wanted)) or 'nothing'}"
                raise InvalidFieldError(field="credentials", expected=expected)
            if not 0 < len(value) <= _LONGEST or not value.isprintable():
                expected = f"1 to {_LONGEST} printable characters"
                raise InvalidFieldError(field=f"credentials[{given}]", expected=expected)
        for secret in wanted.values():
            if secret.required and not credentials.get(secret.name):
                raise InvalidFieldError(field=f"credentials[{secret.name}]", expected="a secret of the gateway's")
        self.adapter(name).open(credentials)
        return credentials

    def kept_token(self, tenant_id: str, gateway: str, token: str) -> str:
        """A method's token as it is kept; those of the built-in gateway are words, which need no key.

        Raises:
            MasterKeyMissingError: there is no key to seal it with.
        """
        if gateway == FAKE and not self.sealing.can_seal:
            return token
        return self.sealing.seal(token, place=token_place(tenant_id, gateway))

    def token(self, tenant_id: str, gateway: str, kept: str) -> str:
        """A method's token as its gateway knows it.

        Raises:
            MasterKeyMissingError, MasterKeyWrongError: it cannot be opened.
        """
        if not self.sealing.is_sealed(kept):
            return kept
        return self.sealing.open(kept, place=token_place(tenant_id, gateway))

    async def require_allowed(self, work: BillingWork, name: str) -> None:
        """Make sure that a tenant may use a gateway: tests take no money, and live tenants are not paid in play money.

        Raises:
            GatewayRefusedError: it may not.
        """
        test = (await work.tenants.get()).test
        if test and name != FAKE:
            raise GatewayRefusedError(gateway=name, expected=f"{FAKE}: the tenant is a test")
        if not test and name == FAKE and not self.fake_on_live:
            raise GatewayRefusedError(gateway=name, expected="a gateway that takes money: the tenant is live")


def credentials_place(tenant_id: str, gateway: str) -> tuple[str, ...]:
    """Whose credentials are sealed."""
    return tenant_id, gateway, "credentials"


def token_place(tenant_id: str, gateway: str) -> tuple[str, ...]:
    """Whose token is sealed, of a method or of an attempt by it."""
    return tenant_id, gateway, "token"
