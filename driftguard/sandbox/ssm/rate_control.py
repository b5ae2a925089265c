"""Executions at scale: one child for each target, with MaxConcurrency and MaxErrors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from driftguard.sandbox.core import ApiError, Context
from driftguard.sandbox.ssm.execution import Execution, Step, StoppedError
from driftguard.sandbox.ssm.runbook import Runbook
from driftguard.sandbox.ssm.starting import begin, role_session

# The role in each target account where none is named (user guide, "Running automations in multiple accounts").
DEFAULT_ROLE = "AWS-SystemsManager-AutomationExecutionRole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One child to come."""

    target: str
    context: Context
    parameters: Mapping[str, Any]
    role_arn: str = ""


def amount(text: str | None, total: int, default: int) -> int:
    """`10` or `25%` of `total`, at least 1 where a percentage is meant."""
    if not text:
        return default
    if text.endswith("%"):
        return max(1, int(int(text[:-1]) * total / 100))
    return int(text)


def jobs(context: Context, request: Mapping[str, Any]) -> list[Job]:
    """What to start, in order; raises InvalidTarget."""
    if request.get("TargetLocations"):
        return _locations(context, request)
    parameters = dict(request.get("Parameters") or {})
    if request.get("TargetMaps"):
        return [
            Job(target=str(position), context=context, parameters={**parameters, **one})
            for position, one in enumerate(request["TargetMaps"])
        ]
    name = request["TargetParameterName"]
    return [
        Job(target=value, context=context, parameters={**parameters, name: [value]})
        for value in _values(context, request["Targets"])
    ]


def _values(context: Context, targets: list[dict[str, Any]]) -> list[str]:
    out: list[str] = []
    for target in targets:
        key, values = target["Key"], target.get("Values") or []
        if key == "ParameterValues":
            out += values
        elif key.startswith("tag:") or key == "tag-key":
            wanted = (
                {"Key": key.removeprefix("tag:"), "Values": values}
                if key != "tag-key"
                else {"Key": values[0]}
            )
            client = context.client("resourcegroupstaggingapi")
            found = client.get_resources(TagFilters=[wanted])["ResourceTagMappingList"]
            out += [entry["ResourceARN"].rsplit("/", 1)[-1].rsplit(":", 1)[-1] for entry in found]
        else:
            raise ApiError("InvalidTarget", f"The target key {key} is not simulated by the sandbox.")
    if not out:
        raise ApiError("InvalidTarget", "The target is not valid or does not exist.")
    return list(dict.fromkeys(out))


def _locations(context: Context, request: Mapping[str, Any]) -> list[Job]:
    out = []
    for location in request["TargetLocations"]:
        excluded = set(location.get("ExcludeAccounts") or [])
        for account in location.get("Accounts") or []:
            for region in location.get("Regions") or []:
                if account in excluded:
                    continue
                role = location.get("ExecutionRoleName") or DEFAULT_ROLE
                there = context.at(account=account, region=region)
                for job in _spread(there, request, location):
                    out.append(
                        Job(
                            target=f"{account}/{region}" + (f"/{job.target}" if job.target else ""),
                            context=there,
                            parameters=job.parameters,
                            role_arn=f"arn:{context.partition}:iam::{account}:role/{role}",
                        )
                    )
    if not out:
        raise ApiError("InvalidTarget", "The target locations name no account and region.")
    return out


def _spread(there: Context, request: Mapping[str, Any], location: Mapping[str, Any]) -> list[Job]:
    targets = location.get("Targets") or request.get("Targets")
    plain = {key: value for key, value in request.items() if key != "TargetLocations"}
    if targets and request.get("TargetParameterName"):
        return jobs(there, {**plain, "Targets": targets})
    return [Job(target="", context=there, parameters=request.get("Parameters") or {})]


class Spread(Execution):
    """The parent of an execution with targets: starts children, counts errors, ends when they have."""

    def __init__(
        self, context: Context, *, work: list[Job], request: Mapping[str, Any], runbook: Runbook, **rest: Any
    ) -> None:
        super().__init__(context, runbook=runbook, **rest)
        self.work = work
        self.request = request
        self.steps = []
        total = len(work)
        first = (request.get("TargetLocations") or [{}])[0]
        self.at_once = max(
            1, amount(request.get("MaxConcurrency") or first.get("TargetLocationMaxConcurrency"), total, 10)
        )
        self.max_errors = amount(request.get("MaxErrors") or first.get("TargetLocationMaxErrors"), total, 0)
        self.kept_version = rest["version"]

    def _prepare(self) -> None:
        """Variables belong to the children."""

    def _steps(self) -> str:
        waiting = list(self.work)
        alive: list[tuple[Execution | None, Step]] = []
        errors = 0
        while waiting or alive:
            try:
                self.pause(0)
            except StoppedError:
                self._stop_children(alive)
                raise
            while waiting and len(alive) < self.at_once and errors <= self.max_errors:
                alive.append(self._start(waiting.pop(0)))
            for child, step in list(alive):
                if child is None or child.ended is not None:
                    alive.remove((child, step))
                    step.status = child.status if child else "Failed"
                    step.failure = child.failure if child else step.failure
                    step.ended = self.context.clock.now()
                    errors += step.status != "Success"
            if errors > self.max_errors:
                waiting.clear()
            if alive:
                self.pause(0.02)
        if not errors:
            return "Success"
        self.failure = f"{errors} of {len(self.work)} targets failed; MaxErrors is {self.max_errors}."
        return "Failed" if errors > self.max_errors else "CompletedWithFailure"

    def _stop_children(self, alive: list[tuple[Execution | None, Step]]) -> None:
        for child, step in alive:
            step.status = "Cancelled"
            if child:
                child.stopping = "Cancel"

    def _start(self, job: Job) -> tuple[Execution | None, Step]:
        step = Step(declared={"name": job.target or self.document, "action": "aws:executeAutomation"})
        step.status, step.started = "InProgress", self.context.clock.now()
        step.inputs = {key: str(value) for key, value in job.parameters.items()}
        self.steps.append(step)
        self.current = step
        try:
            with self.context.world.lock:
                who = (
                    role_session(self.context, job.role_arn, self.id, service=False) if job.role_arn else None
                )
                child = begin(
                    job.context,
                    self.document,
                    job.parameters,
                    version=self.kept_version,
                    parent=self.id,
                    target=job.target,
                    extra={"AlarmConfiguration": self.request.get("AlarmConfiguration")},
                    principal=who,
                )
        except (ApiError, ClientError, BotoCoreError) as error:
            step.failure = str(error)
            return None, step
        self.children.append(child)
        step.outputs = {"ExecutionId": [child.id]}
        return child, step
