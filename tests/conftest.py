"""What all tests share: hypothesis without a deadline, since a time limit per example makes slow machines flaky; and no search
for garbage among what earlier tests left, while others measure time."""

import gc

import pytest
from hypothesis import HealthCheck, settings

# On top of the profile in force: where CI is set, hypothesis' own `ci` makes runs repeatable.
settings.register_profile("archbuilder", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("archbuilder")


@pytest.fixture(autouse=True, scope="module")
def _old_objects_are_left_alone(request: pytest.FixtureRequest) -> None:
    """The slow tests are one process with gigabytes of objects, among which each search takes a second."""
    if request.config.option.markexpr == "slow":
        gc.collect()
        gc.freeze()
