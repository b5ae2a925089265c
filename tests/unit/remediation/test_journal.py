"""What a run of a plan tells of its steps is what the ledger keeps of them."""

from __future__ import annotations

from pathlib import Path

from driftguard.history import open_store
from driftguard.history.redact import Redactor
from driftguard.model import ResourceKey, Severity
from driftguard.model.remediation import ActionKind, Cure, ExecutionStatus, Plan, Step
from driftguard.remediation.journal import Journal
from driftguard.remediation.seal import seal
from tests.history_values import night

KEY = ResourceKey(account="111111111111", region="us-east-1", type="AWS::S3::Bucket", identifier="b")
STEP = Step(
    id="step-001", finding="f1", title="B differs", key=KEY, severity=Severity.HIGH, cure=Cure.REVERT,
    action=ActionKind.SSM_AUTOMATION, target="DriftguardRevertResource",
)  # fmt: skip
PLAN = seal(Plan(id="p", created_at=night(0), expires_at=night(1), author="kim", digest="", steps=(STEP,)))


class _Clock:
    def now(self):  # type: ignore[no-untyped-def]
        return night(0)

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits here")


def test_a_secret_in_what_aws_says_of_a_failure_is_told_nowhere(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 's.db'}", redactor=Redactor(b"k" * 32))
    store.put_plan(PLAN)
    journal = Journal(PLAN, store, _Clock(), "kim")
    said = "SSM ended it as Failed: mysql refused password=S3ntinel9xQ7w"
    begun = journal.write(journal.new(STEP, ExecutionStatus.PENDING))
    ended = journal.write(journal.done(begun, ExecutionStatus.FAILED, said))
    told = [ended, journal.of(STEP), *journal.executions(), *store.executions("p")]
    store.close()
    assert {one.status for one in told if one is not None} == {ExecutionStatus.FAILED}
    assert "S3ntinel" not in str(told) and "mysql refused" in ended.detail
