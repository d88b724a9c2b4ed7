"""The file that says what clients may do by their certificates: read strictly, each problem with its line."""

from collections.abc import Iterator

import yaml

from tallygate.app.errors import UnusableSettingError
from tallygate.domain.credential import Scope
from tallygate.server.calls.certified import ALL_BELOW, SPIFFE, ClientGrant
from tallygate.settings import Settings
from tallygate.settings.documents import DocumentError, compose
from tallygate.settings.texts import UnreadableError, read_text

_KEY = "server.tls_clients_file"
_SCOPES = {scope.value: scope for scope in Scope if scope is not Scope.SELF_SERVICE}
_EXPECTED = "expected NAME: {tenant: ID, scopes: [" + ", ".join(_SCOPES) + "]}"


def read_clients(settings: Settings) -> dict[str, ClientGrant] | None:
    """What clients may do by their certificate's name; None where nothing is said of that.

    Raises:
        UnusableSettingError: the file cannot be used, or clients show no certificates.
    """
    path = settings.server.tls_clients_file
    if path is None:
        return None
    if settings.server.tls_client_ca is None:
        problem = "clients show no certificate: expected server.tls_client_ca, too"
        raise UnusableSettingError(problem, key=_KEY)
    try:
        return dict(_grants(compose(read_text(path))))
    except UnreadableError as error:
        problem = f"cannot read {path}: {error}"
    except DocumentError as error:
        problem = f"{path}:{error.line}: {error}"
    raise UnusableSettingError(problem, key=_KEY)


def _grants(node: yaml.Node | None) -> Iterator[tuple[str, ClientGrant]]:
    if not isinstance(node, yaml.MappingNode):
        raise DocumentError(_EXPECTED)
    seen = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if name in seen:
            msg = f"{name} comes twice"
            raise DocumentError(msg, line)
        seen.add(name)
        _check_name(name, line)
        yield name, _grant(value, line)


def _check_name(name: str, line: int) -> None:
    """A SPIFFE id, all below one, or a distinguished name; all of a trust domain is the most that a star may mean."""
    rest = name.removeprefix(SPIFFE)
    is_spiffe = rest != name and not rest.startswith(("/", "*")) and "*" not in rest.removesuffix(ALL_BELOW)
    if not is_spiffe and ("=" not in name or name.startswith(SPIFFE)):
        msg = f"expected spiffe://DOMAIN/PATH, spiffe://DOMAIN/* or a distinguished name as CN=...,O=..., got {name!r}"
        raise DocumentError(msg, line)


def _grant(node: yaml.Node, line: int) -> ClientGrant:
    fields = {key.value: value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}
    tenant, scopes = fields.get("tenant"), fields.get("scopes")
    if fields.keys() != {"tenant", "scopes"} or not isinstance(tenant, yaml.ScalarNode) or not tenant.value:
        raise DocumentError(_EXPECTED, line)
    names = [each.value for each in scopes.value] if isinstance(scopes, yaml.SequenceNode) else []
    if not names or not _SCOPES.keys() >= set(map(str, names)):
        raise DocumentError(_EXPECTED, line)
    return ClientGrant(tenant_id=tenant.value, scopes=frozenset(_SCOPES[name] for name in names))
