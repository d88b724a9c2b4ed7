"""What is sold in the load tests: the demo catalogue, and a plan whose limits no load reaches."""

from load.processes import REPOSITORY
from tallygate.cli.catalog_reader import read_document
from tallygate_api.v1.catalog_pb2 import Algorithm, Catalog, LimitOwner, Overage

PLAN = "bench"
PLAN_VERSION = 1
NEVER = 10**12
RATE_LIMITS = {
    "bench_one": ("one", Algorithm.ALGORITHM_TOKEN_BUCKET),
    "bench_three_a": ("three", Algorithm.ALGORITHM_TOKEN_BUCKET),
    "bench_three_b": ("three", Algorithm.ALGORITHM_TOKEN_BUCKET),
    "bench_three_c": ("three", Algorithm.ALGORITHM_TOKEN_BUCKET),
    "bench_fixed": ("fixed", Algorithm.ALGORITHM_FIXED_WINDOW),
    "bench_sliding": ("sliding", Algorithm.ALGORITHM_SLIDING_WINDOW),
    "bench_none": ("none", Algorithm.ALGORITHM_TOKEN_BUCKET),
}
"""Limit key: the value of the descriptor entry `bench` that it matches, and its algorithm."""
_LETS_NOTHING_PASS = {"bench_none"}


def bench_catalog() -> Catalog:
    """The demo catalogue with the plan `bench`: all that `pro` entitles to, sso, and limits out of reach."""
    catalog = read_document(REPOSITORY / "examples" / "catalog.yaml").catalog
    plan = catalog.plans[PLAN]
    plan.CopyFrom(catalog.plans["pro"])
    plan.version = PLAN_VERSION
    plan.ClearField("trial")
    plan.ClearField("rate_limits")  # api_rps names no descriptor, so it would match every call and deny most
    plan.entitlements["sso"].enabled = True
    plan.entitlements["api_calls"].limit = NEVER
    plan.entitlements["api_calls"].overage = Overage.OVERAGE_DENY
    for limit_key, (value, algorithm) in RATE_LIMITS.items():
        rule = catalog.rate_limits[limit_key]
        rule.owner, rule.algorithm = LimitOwner.LIMIT_OWNER_ACCOUNT, algorithm
        rule.descriptor.add(key="bench", value=value)
        figure = plan.rate_limits[limit_key]
        figure.limit = 0 if limit_key in _LETS_NOTHING_PASS else 10**9
        figure.window.FromSeconds(60)
    return catalog
