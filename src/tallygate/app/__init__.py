"""Floor 5, the composition root: the only room that joins storage, use-cases and server, and that reads the clock.

`Application` is one running process; the rest writes SQL directly, before there is a server to ask.
"""

from tallygate.app.application import Application
from tallygate.app.errors import StartError
from tallygate.app.finding import Finding
from tallygate.app.offline import (
    accept_loss,
    audit_usage,
    create_key,
    create_tenant,
    diagnose,
    migrate,
    reseal,
    revoke_key_local,
)
from tallygate.app.running import run, serve
from tallygate.app.usable import require_usable

__all__ = [
    "Application",
    "Finding",
    "StartError",
    "accept_loss",
    "audit_usage",
    "create_key",
    "create_tenant",
    "diagnose",
    "migrate",
    "require_usable",
    "reseal",
    "revoke_key_local",
    "run",
    "serve",
]
