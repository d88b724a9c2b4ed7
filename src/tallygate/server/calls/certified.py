"""What clients may do by their certificate: instead of a key, or beside one, which then does no more than both allow.

A transport that knows a client's certificate hands its calls on under a header of its own (`header`), which starts with
a secret that no caller knows; here that becomes a record of what the call may do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from urllib.parse import quote, unquote

from tallygate.domain.credential import KeyRecord, Scope
from tallygate.domain.key_errors import CertificateMismatchError

SPIFFE = "spiffe://"
ALL_BELOW = "/*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientGrant:
    """What clients of one certificate's name may do, and for which tenant."""

    tenant_id: str
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class Header:
    """What a header of a transport's own says: the certificate's name, and the caller's own header."""

    name: str
    authorization: str | None


class Certified:
    """Grants by the name in a certificate: a SPIFFE id, all below one (`.../*`), or a subject's distinguished name."""

    def __init__(self, secret: str, grants: Mapping[str, ClientGrant]) -> None:
        self._prefix = f"Certificate {secret} "
        self.grants = grants

    def header(self, names: Iterable[str], authorization: str | None) -> str | None:
        """Under which header a call goes on whose certificate has these names; its own where none of them counts."""
        found = next((name for name in names if self._grant(name) is not None), None)
        if found is None:
            return authorization
        return f"{self._prefix}{quote(found)} {authorization or ''}"  # metadata is ASCII, names are not

    def read(self, header: str | None) -> Header | None:
        """What `header` made; None for any other."""
        if header is None or not header.startswith(self._prefix):
            return None
        name, _, authorization = header[len(self._prefix) :].partition(" ")
        return Header(unquote(name), authorization or None)

    def record(self, name: str) -> KeyRecord | None:
        """What its certificate alone allows; None where that has changed since."""
        grant = self._grant(name)
        if grant is None:
            return None
        key_id = f"cert-{sha256(name.encode()).hexdigest()[:16]}"
        return KeyRecord(key_id=key_id, tenant_id=grant.tenant_id, scopes=grant.scopes, name=name)

    def both(self, key: KeyRecord, name: str) -> KeyRecord:
        """What a key allows in the hands of this client.

        Raises:
            CertificateMismatchError: it is another tenant's, or this client may use none.
        """
        record = self.record(name)
        if record is None or record.tenant_id != key.tenant_id:
            raise CertificateMismatchError(key_id=key.key_id)
        allowed = record.scopes | ({Scope.SELF_SERVICE} if Scope.CONTROL in record.scopes else set())
        return replace(key, scopes=key.scopes & allowed)

    def _grant(self, name: str) -> ClientGrant | None:
        found = self.grants.get(name)
        while found is None and name.startswith(SPIFFE):
            name = name.rpartition("/")[0]
            found = self.grants.get(name + ALL_BELOW)
        return found
