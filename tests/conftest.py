"""What all tests share: how Hypothesis runs."""

import os

from hypothesis import settings

# No deadline, because machines are busy; in CI the same examples in every run, so that red means a change.
settings.register_profile("project", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("project")
