"""How hypothesis draws: few examples and always the same in a run of the tests, new ones for hours when asked."""

import os

from hypothesis import HealthCheck, settings

# However busy the machine is, or slow as an emulated one, a test goes on.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("run", patient, derandomize=True, database=None, max_examples=100)
settings.register_profile("long", patient, max_examples=int(os.environ.get("SKBNN_FUZZ_EXAMPLES", 100_000)))
settings.load_profile("run")  # ``--hypothesis-profile=long`` overrides it
