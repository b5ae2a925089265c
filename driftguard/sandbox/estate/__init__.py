"""The demo estate: three accounts of an organization, two regions, and a night in which things change.

::

    sandbox = Sandbox()
    deploy(sandbox)            # stacks, nested stacks, a stack set, a SAM application, a CDK output
    play(sandbox)              # people, a deployment and an autoscaler change things out of band
    expected_report()          # what a correct drift report says about that night
    answers()                  # what people decide in the morning about what only they can decide
"""

from __future__ import annotations

from driftguard.sandbox.estate.deploy import deploy, prepare_remediation, redeploy
from driftguard.sandbox.estate.night import Expected, ExpectedReport, expected_report, play
from driftguard.sandbox.estate.plan import read, read_yaml

__all__ = [
    "Expected",
    "ExpectedReport",
    "answers",
    "config_text",
    "deploy",
    "expected_report",
    "play",
    "prepare_remediation",
    "redeploy",
]


def answers() -> list[dict[str, str]]:
    """What people say in the morning about the findings that a plan leaves to them: `about`, `cure`, `why`."""
    return list(read_yaml("morning.yaml"))


def config_text() -> str:
    """The ``config.yaml`` with which driftguard looks at the estate."""
    return read("config.yaml")
