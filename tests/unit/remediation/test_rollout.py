"""Waves: every member in exactly one, in order, and none empty."""

from __future__ import annotations

import pytest

from driftguard.errors import ConfigError
from driftguard.remediation.rollout import NAMES, rollout, waves
from driftguard.settings.remediation import RolloutShape

SIZES = {
    "OneAtATime": [1] * 50,
    "HalfAtATime": [25, 25],
    "AllAtOnce": [50],
    "Canary10Percent5Minutes": [5, 45],
    "Linear10PercentEvery1Minute": [5] * 10,
    "Canary25Percent15Minutes": [13, 37],
    "Linear30PercentEvery3Minutes": [15, 15, 15, 5],
}


@pytest.mark.parametrize(("name", "sizes"), SIZES.items())
def test_the_waves_of_a_name(name: str, sizes: list[int]) -> None:
    found = waves(rollout(name), range(50))
    assert [len(wave.members) for wave in found] == sizes
    assert [one for wave in found for one in wave.members] == list(range(50))
    assert found[-1].watch_seconds == 0


def test_pauses_are_between_waves() -> None:
    assert [wave.watch_seconds for wave in waves(rollout("Canary10Percent5Minutes"), range(50))] == [300, 0]
    assert waves(rollout("Linear10PercentEvery1Minute"), range(50))[0].watch_seconds == 60


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 101])
def test_no_member_is_lost_or_doubled(name: str, count: int) -> None:
    found = waves(rollout(name), range(count))
    assert [one for wave in found for one in wave.members] == list(range(count))
    assert all(wave.members for wave in found)


def test_ones_own_rollout() -> None:
    own = {"Careful": RolloutShape(first_percent=2, then_percent=49, pause_minutes=30)}
    found = waves(rollout("Careful", own), range(100))
    assert [len(wave.members) for wave in found] == [2, 49, 49]
    assert found[0].watch_seconds == 1800


@pytest.mark.parametrize("name", ["Canary0Percent5Minutes", "canary10percent5minutes", "Quickly", ""])
def test_an_unknown_rollout_is_an_error_that_names_the_others(name: str) -> None:
    with pytest.raises(ConfigError, match="OneAtATime"):
        rollout(name)
