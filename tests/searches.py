"""How property tests on real servers search, and how they look for a bug that was planted."""

from hypothesis import HealthCheck, Phase, settings

LENIENT = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

FOR_PLANTED_BUGS = settings(
    max_examples=1_000,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=LENIENT,
    report_multiple_bugs=False,
)
"""The search is the same each time: a bug that it finds is one that it finds always, and at the same example."""
