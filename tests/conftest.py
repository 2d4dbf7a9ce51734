"""What all tests share: hypothesis without a deadline, since a time limit per example makes slow machines flaky."""

from hypothesis import HealthCheck, settings

# On top of the profile in force: where CI is set, hypothesis' own `ci` makes runs repeatable.
settings.register_profile("archbuilder", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("archbuilder")
