"""CloudWatch, as far as a rollout asks it: whether an alarm is raised."""

from __future__ import annotations

from collections.abc import Sequence

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway


class CloudWatch(Gateway):
    SERVICE = "cloudwatch"
    PREFIX = "cloudwatch"

    @reads("cloudwatch:DescribeAlarms")
    def states(self, names: Sequence[str]) -> dict[str, str]:
        """Alarm name -> OK, ALARM or INSUFFICIENT_DATA; a name that is not there is left out."""
        found: dict[str, str] = {}
        for start in range(0, len(names), 100):
            answer = self.call(
                "DescribeAlarms",
                AlarmNames=list(names[start : start + 100]),
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            )
            for kind in ("MetricAlarms", "CompositeAlarms"):
                found.update({row["AlarmName"]: row["StateValue"] for row in answer.get(kind, ())})
        return found
