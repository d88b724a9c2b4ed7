"""The published gRPC service config: deadlines, and retries of what is safe to retry."""

import json
from importlib.resources import files

_EARLY_SECONDS = 2
"""grpcio measures a configured timeout from 1 to 2 s before the call, by the second in which the process started."""


def default_service_config() -> str:
    """Return the default service config as JSON, for the channel option `grpc.service_config`.

    Deadlines are 1 s for the data plane and 5 s for the rest; following events has none. `service_config.json` says so
    exactly, for clients in any language. This one is for grpcio, which would let them pass 1 to 2 s early: it holds
    2 s more, so that they pass up to 1 s late instead. Where that matters, give the call a `timeout`, which is exact.

    UNAVAILABLE is retried for reads and for writes with a request_id. RateLimit is not retried: its request_id is
    optional, and without one a retry costs again.
    """
    config = json.loads(files("tallygate_api").joinpath("service_config.json").read_text("utf-8"))
    for method in config["methodConfig"]:
        if "timeout" in method:
            method["timeout"] = f"{int(method['timeout'].removesuffix('s')) + _EARLY_SECONDS}s"
    return json.dumps(config)
