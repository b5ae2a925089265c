"""One execution of a runbook, running in a thread of its own against the sandbox itself."""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from driftguard.sandbox.core import ApiError, Context, Principal
from driftguard.sandbox.extras.events import emit
from driftguard.sandbox.ssm.runbook import Runbook, as_text, typed
from driftguard.sandbox.ssm.values import UnresolvedError, substitute

ENDED = frozenset(
    {
        "Success",
        "Failed",
        "TimedOut",
        "Cancelled",
        "Rejected",
        "CompletedWithSuccess",
        "CompletedWithFailure",
        "Exited",
    }
)
DEFAULT_TIMEOUT = 3600
APPROVAL_TIMEOUT = 604800


class StepError(Exception):
    """A step failed; the text becomes its FailureMessage."""


class StoppedError(Exception):
    """The execution is to end now, with `status`."""

    def __init__(self, status: str, reason: str = "") -> None:
        super().__init__(reason or status)
        self.status = status
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class Signal:
    """What SendAutomationSignal or StopAutomationExecution brought."""

    kind: str
    payload: Mapping[str, list[str]]
    principal: Principal


@dataclass(slots=True, kw_only=True)
class Step:
    """What is known of one step while and after it runs."""

    declared: Mapping[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "Pending"
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, list[str]] = field(default_factory=dict)
    started: dt.datetime | None = None
    ended: dt.datetime | None = None
    failure: str = ""
    failure_details: dict[str, Any] = field(default_factory=dict)
    goto: str | None = None

    @property
    def name(self) -> str:
        """The step's name."""
        return str(self.declared["name"])

    @property
    def timeout(self) -> int:
        """Seconds the step may take."""
        default = APPROVAL_TIMEOUT if self.declared["action"] == "aws:approve" else DEFAULT_TIMEOUT
        return int(self.declared.get("timeoutSeconds") or default)

    @property
    def critical(self) -> bool:
        """Whether a failure of the step fails the execution even where it goes on."""
        return str(self.declared.get("isCritical", True)).lower() != "false"


class Execution:
    """A running or ended execution; its thread ends by itself when the sandbox is reset."""

    def __init__(
        self,
        context: Context,
        *,
        document: str,
        version: str,
        runbook: Runbook,
        parameters: dict[str, list[str]],
        mode: str = "Auto",
        parent: str = "",
        target: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.context = context
        self.document, self.version, self.runbook = document, version, runbook
        self.parameters, self.mode, self.parent, self.target = parameters, mode, parent, target
        self.extra: dict[str, Any] = dict(extra or {})
        self.principal = context.principal
        self.steps = [Step(declared=declared) for declared in runbook.steps]
        self.current: Step | None = None
        self.status = "Pending"
        self.failure = ""
        self.started = context.clock.now()
        self.ended: dt.datetime | None = None
        self.outputs: dict[str, list[str]] = {}
        self.values: dict[str, Any] = {}
        self.signals: list[Signal] = []
        self.children: list[Execution] = []
        self.wake = threading.Condition()
        self.stopping = ""
        self.thread: threading.Thread | None = None

    # -- running ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run in a thread."""
        self.status = "InProgress"
        self.thread = threading.Thread(target=self.run, name=f"automation-{self.id}", daemon=True)
        self.thread.start()

    def run(self) -> None:
        """Run all steps and settle the outcome; never raises."""
        with self.context.acting(self.principal):
            try:
                self._prepare()
                self.status = self._steps()
            except StoppedError as stop:
                self.status, self.failure = stop.status, stop.reason
                if self.current and self.current.status not in ENDED:
                    self._finish(self.current, stop.status)
            except Exception as error:  # noqa: BLE001 - an execution must always end with a status
                self.status, self.failure = "Failed", f"{type(error).__name__}: {error}"
            self.outputs = self._document_outputs()
            self.ended = self.context.clock.now()
            self.announce()

    def _prepare(self) -> None:
        for name, declared in self.runbook.variables.items():
            if isinstance(declared, Mapping) and "default" in declared:
                self.values[f"variable:{name}"] = substitute(declared["default"], self.lookup)

    def _steps(self) -> str:
        position: int | None = 0
        outcome = "Success"
        while position is not None and position < len(self.steps):
            step = self.steps[position]
            self.current = step
            self.pause(0)
            if self.mode == "Interactive":
                self._await_start(step)
            self._attempts(step)
            failed = step.status != "Success"
            on_failure = str(step.declared.get("onFailure") or "Abort")
            if failed and on_failure.lower() == "abort":
                self.failure = step.failure
                return step.status
            if failed and step.critical:
                outcome, self.failure = "Failed", self.failure or step.failure
            position = self._next(position, step, on_failure if failed else "")
        return outcome

    def _next(self, position: int, step: Step, on_failure: str) -> int | None:
        if on_failure.startswith("step:"):
            return self.runbook.position(on_failure.removeprefix("step:"))
        if str(step.declared.get("isEnd", False)).lower() == "true" and not step.goto:
            return None
        following = step.goto or step.declared.get("nextStep")
        return self.runbook.position(str(following)) if following else position + 1

    def _attempts(self, step: Step) -> None:
        step.started = self.context.clock.now()
        for _ in range(max(1, int(step.declared.get("maxAttempts") or 1))):
            step.status, step.failure, step.failure_details = "InProgress", "", {}
            self._attempt(step)
            if step.status == "Success":
                break
        step.ended = self.context.clock.now()

    def _attempt(self, step: Step) -> None:
        from driftguard.sandbox.ssm.actions import ACTIONS

        try:
            raw = step.declared.get("inputs") or {}
            if step.declared["action"] == "aws:branch":
                # Only the taken choice's references need values; each is replaced when it is looked at.
                inputs = dict(raw)
            else:
                inputs = substitute(raw, self.lookup)
            step.inputs = {key: json.dumps(value, default=str) for key, value in inputs.items()}
            action = ACTIONS.get(step.declared["action"])
            if action is None:
                raise StepError(f"Action {step.declared['action']} is not simulated by the sandbox.")
            self.pause(self.context.world.timing["automation_step"])
            outputs = action(self, step, inputs) or {}
        except TimeoutError:
            self._failed(step, "TimedOut", f"Step timed out after {step.timeout} seconds.", "TimedOut")
        except ClientError as error:
            self._failed(step, "Failed", str(error), error.response["Error"]["Code"])
        except (BotoCoreError, ParamValidationError, UnresolvedError, StepError, ApiError) as error:
            self._failed(step, "Failed", str(error), type(error).__name__)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self._failed(step, "Failed", f"The inputs of the step are not valid: {error!r}", "InvalidInput")
        else:
            for name, value in outputs.items():
                self.values[f"{step.name}.{name}"] = value
                step.outputs[name] = (
                    [as_text(part) for part in value] if isinstance(value, list) else [as_text(value)]
                )
            self._finish(step, "Success")

    def _failed(self, step: Step, status: str, text: str, code: str) -> None:
        # The frame of the text as issue threads quote it from AWS.
        step.failure = (
            f"Step fails when it is Execute/Cancelling action. {text}. Please refer to Automation Service "
            "Troubleshooting Guide for more diagnosis details."
        )
        step.failure_details = {
            "FailureStage": "Execution",
            "FailureType": "Verification" if "Property" in step.declared["action"] else "Action",
            "Details": {"ErrorCode": [code], "Message": [text]},
        }
        self._finish(step, status)

    def _finish(self, step: Step, status: str) -> None:
        step.status, step.ended = status, self.context.clock.now()

    def _await_start(self, step: Step) -> None:
        step.status = self.status = "Waiting"
        while True:
            for signal in self.take("StartStep", "Resume"):
                named = signal.payload.get("StepName", [step.name])
                if signal.kind == "Resume" or step.name in named:
                    self.status = "InProgress"
                    return
            self.pause(0.02)

    # -- waiting ---------------------------------------------------------------------------------------------

    def take(self, *kinds: str) -> list[Signal]:
        """The signals of these kinds that have come in, taken out."""
        with self.wake:
            taken = [signal for signal in self.signals if signal.kind in kinds]
            self.signals = [signal for signal in self.signals if signal.kind not in kinds]
        return taken

    def pause(self, seconds: float) -> None:
        """Let `seconds` of the clock pass (20 ms really at least); raises StoppedError if stopped meanwhile."""
        clock = self.context.clock
        due = clock.timestamp() + seconds
        while True:
            if self.context.store("ssm.executions").get(self.id) is not self:
                raise StoppedError("Cancelled", "The sandbox was reset.")
            if self.stopping:
                raise StoppedError("Cancelled", "Automation execution was cancelled.")
            if self.alarmed():
                raise StoppedError("Cancelled", "An alarm of the AlarmConfiguration is in state ALARM.")
            left = due - clock.timestamp()
            if left <= 0:
                return
            clock.sleep(left, real_limit=0.05)

    def alarmed(self) -> bool:
        """Whether an alarm that guards this execution is in state ALARM (then noted as triggered)."""
        configuration = self.extra.get("AlarmConfiguration") or {}
        names = [alarm["Name"] for alarm in configuration.get("Alarms", [])]
        if not names:
            return False
        try:
            found = self.context.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        except (ClientError, BotoCoreError):
            return not configuration.get("IgnorePollAlarmFailure")
        ringing = [alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM"]
        self.extra["TriggeredAlarms"] = [{"Name": name, "State": "ALARM"} for name in ringing]
        return bool(ringing)

    # -- values ----------------------------------------------------------------------------------------------

    def lookup(self, name: str) -> Any:
        """The value of a reference: a parameter, a step's output, a variable, global:, automation:."""
        name = name.strip()
        if name in self.values:
            return self.values[name]
        if name in self.parameters:
            spec = self.runbook.parameters[name]
            return typed(spec, self.parameters[name])
        now = self.context.clock.now()
        known: dict[str, Any] = {
            "global:DATE": now.strftime("%Y-%m-%d"),
            "global:DATE_TIME": now.strftime("%Y-%m-%d_%H.%M.%S"),
            "global:REGION": self.context.region,
            "global:ACCOUNT_ID": self.context.account,
            "global:AWS_PARTITION": self.context.partition,
            "automation:EXECUTION_ID": self.id,
        }
        if name in known:
            return known[name]
        raise UnresolvedError(f"The reference {{{{ {name} }}}} has no value")

    def _document_outputs(self) -> dict[str, list[str]]:
        out: dict[str, list[str]] = {}
        for name in self.runbook.outputs:
            value = self.values.get(name)
            if value is None:
                # AWS writes this for outputs of steps that did not run.
                out[name] = ["No output available yet because the step is not successfully executed"]
            else:
                out[name] = [as_text(part) for part in value] if isinstance(value, list) else [as_text(value)]
        return out

    def announce(self) -> None:
        """The EventBridge event of a status change (user guide, "Monitoring Automation with EventBridge")."""
        detail = {
            "ExecutionId": self.id,
            "Definition": self.document,
            "DefinitionVersion": self.version,
            "Status": self.status,
            "StartTime": self.started.isoformat(),
            "EndTime": self.ended.isoformat() if self.ended else "",
            "ExecutedBy": self.principal.arn,
        }
        emit(
            self.context,
            {
                "Source": "aws.ssm",
                "DetailType": "EC2 Automation Execution Status-change Notification",
                "Detail": json.dumps(detail),
            },
        )
