"""How hypothesis draws: few examples and always the same in a run of the tests, new ones for hours when asked."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("run", derandomize=True, database=None, deadline=None, max_examples=100)
settings.register_profile(
    "long",
    deadline=None,
    max_examples=int(os.environ.get("SKBNN_FUZZ_EXAMPLES", 100_000)),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("run")  # ``--hypothesis-profile=long`` overrides it
