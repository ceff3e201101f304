"""How hard the property tests look: HYPOTHESIS_PROFILE is quick (the default), ci or deep."""

import os

from hypothesis import HealthCheck, settings

COMMON = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("quick", settings(COMMON, max_examples=80))
settings.register_profile("ci", settings(COMMON, max_examples=80, derandomize=True, database=None))
settings.register_profile("deep", settings(COMMON, max_examples=5000))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "quick"))
