"""What every test shares: both engines, no network, the same random choices at every run."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.chromium", "tests.support.engines", "tests.support.network"]

settings.register_profile(
    "suite",
    derandomize=True,  # the same examples at every run
    database=None,
    deadline=None,  # no assertion on time
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("suite")
