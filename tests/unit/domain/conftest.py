"""Property tests draw the same examples on every run: a failure is a change of the code, never of luck."""

from hypothesis import settings

settings.register_profile("domain", derandomize=True, deadline=None, max_examples=150)
settings.load_profile("domain")
