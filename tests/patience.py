"""How long tests wait for what is not about time: a machine at twenty times its load is no failure.

Nothing here makes a test slower that passes. Tests about time name limits of their own.
"""

from typing import Any

SECONDS = 180.0

REDIS: dict[str, Any] = {"connect_timeout": 15.0, "read_timeout": 15.0}
"""Settings of the store in test servers: a busy machine's silence is no outage. Where one is made, `SHORT` ends it."""

SHORT: dict[str, Any] = {"connect_timeout": 1.0, "read_timeout": 0.5}

SERVER: dict[str, Any] = {"default_deadline": 60.0}

ENVIRONMENT = {
    "TALLYGATE_REDIS__CONNECT_TIMEOUT": "15s",
    "TALLYGATE_REDIS__READ_TIMEOUT": "15s",
    "TALLYGATE_SERVER__DEFAULT_DEADLINE": "60s",
}
