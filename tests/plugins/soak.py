"""Loaded by `make soak`: fifty times as many generated inputs for tests that set no number."""

from hypothesis import settings

settings.register_profile("soak", max_examples=5_000, deadline=None, print_blob=True)
settings.load_profile("soak")
