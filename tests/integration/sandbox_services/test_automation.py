"""SSM Automation of the sandbox by plain boto3: runbooks that really run.

Codes are those of the API reference; no test depends on the text of a message.
"""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.sandbox_services.conftest import HERE, REGION

Wait = Callable[..., dict[str, Any]]


@pytest.fixture
def ssm(sandbox: Any) -> Any:
    """The ssm client of the first account."""
    sandbox.timing["automation_sleep_scale"] = 0.0
    return sandbox.session().client("ssm")


def _runbook(ssm: Any, steps: str, name: str = "Own", head: str = "") -> str:
    content = f'schemaVersion: "0.3"\n{textwrap.dedent(head)}mainSteps:\n{textwrap.dedent(steps)}'
    ssm.create_document(Name=name, Content=content, DocumentType="Automation", DocumentFormat="YAML")
    return name


def _start(ssm: Any, name: str, **given: Any) -> str:
    return str(ssm.start_automation_execution(DocumentName=name, **given)["AutomationExecutionId"])


def _statuses(execution: dict[str, Any]) -> dict[str, str]:
    return {step["StepName"]: step["StepStatus"] for step in execution["StepExecutions"]}


def test_a_runbook_of_aws_repairs_a_bucket(sandbox: Any, ssm: Any, finished: Wait) -> None:
    s3 = sandbox.session().client("s3")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration=HERE)
    id = _start(ssm, "AWS-ConfigureS3BucketVersioning", Parameters={"BucketName": ["data"]})
    assert finished(ssm, id)["AutomationExecutionStatus"] == "Success"
    assert s3.get_bucket_versioning(Bucket="data")["Status"] == "Enabled"


def test_a_script_reaches_the_sandbox_as_the_assumed_role(
    sandbox: Any, ssm: Any, finished: Wait, automation_role: str
) -> None:
    session = sandbox.session()
    s3 = session.client("s3")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration=HERE)
    id = _start(
        ssm,
        "AWSConfigRemediation-RestrictBucketSSLRequestsOnly",
        Parameters={"BucketName": ["data"], "AutomationAssumeRole": [automation_role]},
    )
    execution = finished(ssm, id)
    assert execution["AutomationExecutionStatus"] == "Success", execution
    policy = json.loads(s3.get_bucket_policy(Bucket="data")["Policy"])
    assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    events = session.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "PutBucketPolicy"}]
    )["Events"]
    identity = json.loads(events[0]["CloudTrailEvent"])["userIdentity"]
    assert identity["arn"].endswith(f"assumed-role/automation/Automation-{id}")


@pytest.mark.parametrize(
    "given",
    [
        {"BucketName": ["data"]},
        {"BucketName": ["data"], "AutomationAssumeRole": ["arn:aws:iam::111111111111:role/missing"]},
        {"BucketName": ["data"], "AutomationAssumeRole": ["arn:aws:iam::111111111111:role/lambda"]},
        {"BucketName": ["data"], "AutomationAssumeRole": ["no arn"]},
    ],
)
def test_a_role_that_cannot_be_assumed_stops_the_start(sandbox: Any, ssm: Any, given: Any) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    sandbox.session().client("iam").create_role(RoleName="lambda", AssumeRolePolicyDocument=json.dumps(trust))
    with pytest.raises(ssm.exceptions.InvalidAutomationExecutionParametersException):
        _start(ssm, "AWSConfigRemediation-RestrictBucketSSLRequestsOnly", Parameters=given)
    assert ssm.describe_automation_executions()["AutomationExecutionMetadataList"] == []


def test_branches_variables_and_outputs(ssm: Any, finished: Wait) -> None:
    name = _runbook(
        ssm,
        """
        - name: who
          action: aws:executeAwsApi
          inputs: {Service: sts, Api: GetCallerIdentity}
          outputs: [{Name: Account, Selector: $.Account, Type: String}]
        - name: set
          action: aws:updateVariable
          inputs: {Name: "variable:seen", Value: "{{ who.Account }}"}
        - name: choose
          action: aws:branch
          inputs:
            Choices:
              - {NextStep: other, Variable: "{{ Mode }}", StringEquals: slow}
              - NextStep: last
                And:
                  - {Variable: "{{ Mode }}", StringEquals: fast}
                  - Not: {Variable: "{{ variable:seen }}", StartsWith: "9"}
        - {name: other, action: "aws:sleep", inputs: {Duration: PT10M}}
        - name: last
          action: aws:executeAwsApi
          inputs: {Service: sts, Api: GetCallerIdentity}
          outputs: [{Name: Arn, Selector: $.Arn, Type: String}]
        """,
        head="""
        parameters: {Mode: {type: String, default: fast}}
        variables: {seen: {type: String, default: none}}
        outputs: [last.Arn, other.Nothing]
        """,
    )
    fast = finished(ssm, _start(ssm, name))
    assert _statuses(fast) == {
        "who": "Success",
        "set": "Success",
        "choose": "Success",
        "other": "Pending",
        "last": "Success",
    }
    assert fast["Variables"] == {"seen": ["111111111111"]}
    assert fast["Outputs"]["last.Arn"][0].startswith("arn:aws:iam::111111111111:user/")
    slow = finished(ssm, _start(ssm, name, Parameters={"Mode": ["slow"]}))
    assert _statuses(slow)["other"] == "Success"


def test_what_happens_after_a_failure(ssm: Any, finished: Wait) -> None:
    bad = "action: 'aws:executeAwsApi', inputs: {Service: s3, Api: GetBucketAcl, Bucket: nothing-there}"
    ok = "action: 'aws:sleep', inputs: {Duration: PT1S}"
    abort = _runbook(ssm, f"- {{name: a, {bad}, maxAttempts: 2}}\n- {{name: b, {ok}}}\n", name="Abort")
    found = finished(ssm, _start(ssm, abort))
    assert (found["AutomationExecutionStatus"], _statuses(found)) == (
        "Failed",
        {"a": "Failed", "b": "Pending"},
    )
    assert "NoSuchBucket" in found["StepExecutions"][0]["FailureMessage"]
    assert found["StepExecutions"][0]["FailureDetails"]["Details"]["ErrorCode"] == ["NoSuchBucket"]
    go_on = _runbook(ssm, f"- {{name: a, {bad}, onFailure: Continue}}\n- {{name: b, {ok}}}\n", name="GoOn")
    found = finished(ssm, _start(ssm, go_on))
    assert (found["AutomationExecutionStatus"], _statuses(found)["b"]) == ("Failed", "Success")
    minor = f"- {{name: a, {bad}, onFailure: Continue, isCritical: false}}\n- {{name: b, {ok}}}\n"
    found = finished(ssm, _start(ssm, _runbook(ssm, minor, name="Minor")))
    assert found["AutomationExecutionStatus"] == "Success"
    jump = f"- {{name: a, {bad}, onFailure: 'step:c', isCritical: false}}\n- {{name: b, {ok}}}\n- {{name: c, {ok}}}\n"
    found = finished(ssm, _start(ssm, _runbook(ssm, jump, name="Jump")))
    assert _statuses(found) == {"a": "Failed", "b": "Pending", "c": "Success"}


def test_an_assertion_that_does_not_hold_and_a_wait_that_times_out(
    sandbox: Any, ssm: Any, finished: Wait
) -> None:
    sandbox.session().client("s3").create_bucket(Bucket="data", CreateBucketConfiguration=HERE)
    inputs = (
        "inputs: {Service: s3, Api: GetBucketVersioning, Bucket: data, PropertySelector: $.Status, "
        "DesiredValues: [Enabled]}"
    )
    name = _runbook(ssm, f"- {{name: a, action: 'aws:assertAwsResourceProperty', {inputs}}}\n", name="Assert")
    assert finished(ssm, _start(ssm, name))["AutomationExecutionStatus"] == "Failed"
    waiting = f"- {{name: a, action: 'aws:waitForAwsResourceProperty', timeoutSeconds: 1, {inputs}}}\n"
    found = finished(ssm, _start(ssm, _runbook(ssm, waiting, name="Wait")))
    assert found["AutomationExecutionStatus"] == "TimedOut"


def test_a_sleep_is_in_the_clock_s_time(sandbox: Any, ssm: Any, finished: Wait) -> None:
    del sandbox.timing["automation_sleep_scale"]
    sandbox.clock.freeze()
    name = _runbook(ssm, "- {name: a, action: 'aws:sleep', inputs: {Duration: PT2H}}\n")
    id = _start(ssm, name)
    time.sleep(0.2)
    assert finished(ssm, id, until=("InProgress",))["CurrentStepName"] == "a"
    sandbox.clock.advance(7201)
    assert finished(ssm, id)["AutomationExecutionStatus"] == "Success"


@pytest.mark.parametrize(("signal", "status"), [("Approve", "Success"), ("Reject", "Rejected")])
def test_approval(sandbox: Any, ssm: Any, finished: Wait, signal: str, status: str) -> None:
    approver = "arn:aws:iam::111111111111:user/boss"
    name = _runbook(
        ssm, f"- {{name: ask, action: 'aws:approve', inputs: {{Approvers: ['{approver}'], Message: go}}}}\n"
    )
    id = _start(ssm, name)
    finished(ssm, id, until=("Waiting",))
    with pytest.raises(ssm.exceptions.InvalidAutomationSignalException):
        ssm.send_automation_signal(AutomationExecutionId=id, SignalType=signal)
    boss = sandbox.session(principal="boss").client("ssm")
    boss.send_automation_signal(AutomationExecutionId=id, SignalType=signal, Payload={"Comment": ["ok"]})
    found = finished(ssm, id)
    assert found["AutomationExecutionStatus"] == status
    decision = json.loads(found["StepExecutions"][0]["Outputs"]["ApproverDecisions"][0])
    assert decision["approver"] == approver
    with pytest.raises(boss.exceptions.InvalidAutomationSignalException):
        boss.send_automation_signal(AutomationExecutionId=id, SignalType=signal)


def test_stopping(ssm: Any, finished: Wait) -> None:
    id = _start(ssm, _runbook(ssm, "- {name: a, action: 'aws:pause', inputs: {}}\n"))
    finished(ssm, id, until=("Waiting",))
    ssm.stop_automation_execution(AutomationExecutionId=id)
    found = finished(ssm, id)
    assert found["AutomationExecutionStatus"] == "Cancelled"
    assert _statuses(found) == {"a": "Cancelled"}
    with pytest.raises(ssm.exceptions.InvalidAutomationStatusUpdateException):
        ssm.stop_automation_execution(AutomationExecutionId=id)
    with pytest.raises(ssm.exceptions.AutomationExecutionNotFoundException):
        ssm.get_automation_execution(AutomationExecutionId="0" * 36)


@pytest.mark.parametrize(
    ("max_errors", "status", "done"),
    [("0", "Failed", ["one"]), ("1", "CompletedWithFailure", ["one", "two"])],
)
def test_rate_control(
    sandbox: Any, ssm: Any, finished: Wait, max_errors: str, status: str, done: list[str]
) -> None:
    s3 = sandbox.session().client("s3")
    for name in ("one", "two"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=HERE)
    id = _start(
        ssm,
        "AWS-ConfigureS3BucketVersioning",
        TargetParameterName="BucketName",
        Targets=[{"Key": "ParameterValues", "Values": ["one", "missing", "two"]}],
        MaxConcurrency="1",
        MaxErrors=max_errors,
    )
    found = finished(ssm, id)
    assert found["AutomationExecutionStatus"] == status
    assert found["ProgressCounters"]["FailedSteps"] == 1
    enabled = [name for name in ("one", "two") if "Status" in s3.get_bucket_versioning(Bucket=name)]
    assert enabled == done
    children = ssm.describe_automation_executions(Filters=[{"Key": "ParentExecutionId", "Values": [id]}])
    assert len(children["AutomationExecutionMetadataList"]) == len(done) + 1


def test_other_accounts(sandbox: Any, ssm: Any, finished: Wait) -> None:
    second, third = sandbox.accounts[1:3]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{sandbox.accounts[0]}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    member = sandbox.session(account=second)
    member.client("iam").create_role(
        RoleName="AWS-SystemsManager-AutomationExecutionRole", AssumeRolePolicyDocument=json.dumps(trust)
    )
    queue = member.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    id = _start(
        ssm,
        "AWS-EnableSQSEncryption",
        Parameters={"QueueUrl": [queue]},
        TargetLocations=[{"Accounts": [second, third], "Regions": [REGION]}],
        MaxErrors="1",
    )
    found = finished(ssm, id)
    # The third account has no such role.
    assert _statuses(found) == {f"{second}/{REGION}": "Success", f"{third}/{REGION}": "Failed"}
    attributes = member.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
    assert attributes["Attributes"]["KmsMasterKeyId"] == "alias/aws/sqs"


def test_an_alarm_stops_the_execution(sandbox: Any, ssm: Any, finished: Wait) -> None:
    cloudwatch = sandbox.session().client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="bad",
        MetricName="m",
        Namespace="n",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )
    name = _runbook(ssm, "- {name: a, action: 'aws:pause', inputs: {}}\n")
    id = _start(ssm, name, AlarmConfiguration={"Alarms": [{"Name": "bad"}]})
    finished(ssm, id, until=("Waiting",))
    cloudwatch.set_alarm_state(AlarmName="bad", StateValue="ALARM", StateReason="test")
    found = finished(ssm, id)
    assert found["AutomationExecutionStatus"] == "Cancelled"
    assert found["TriggeredAlarms"] == [{"Name": "bad", "State": "ALARM"}]


def test_the_same_token_starts_once(ssm: Any, finished: Wait) -> None:
    name = _runbook(ssm, "- {name: a, action: 'aws:sleep', inputs: {Duration: PT1S}}\n")
    token = "00000000-0000-4000-8000-000000000001"
    id = _start(ssm, name, ClientToken=token)
    assert _start(ssm, name, ClientToken=token) == id
    with pytest.raises(ssm.exceptions.IdempotentParameterMismatch):
        _start(ssm, name, ClientToken=token, Mode="Interactive")


def test_too_many_at_once(sandbox: Any, ssm: Any, finished: Wait) -> None:
    sandbox.timing["automation_limit"] = 1
    name = _runbook(ssm, "- {name: a, action: 'aws:pause', inputs: {}}\n")
    id = _start(ssm, name)
    with pytest.raises(ssm.exceptions.AutomationExecutionLimitExceededException):
        _start(ssm, name)
    finished(ssm, id, until=("Waiting",))
    ssm.send_automation_signal(AutomationExecutionId=id, SignalType="Resume")
    assert finished(ssm, id)["AutomationExecutionStatus"] == "Success"


def test_interactive_mode_waits_before_each_step(ssm: Any, finished: Wait) -> None:
    steps = "".join(f"- {{name: {n}, action: 'aws:sleep', inputs: {{Duration: PT1S}}}}\n" for n in "ab")
    id = _start(ssm, _runbook(ssm, steps), Mode="Interactive")
    for name in "ab":
        due = time.monotonic() + 10
        while finished(ssm, id, until=("Waiting",))["CurrentStepName"] != name:
            assert time.monotonic() < due
        ssm.send_automation_signal(
            AutomationExecutionId=id, SignalType="StartStep", Payload={"StepName": [name]}
        )
    assert finished(ssm, id)["AutomationExecutionStatus"] == "Success"


def test_a_script_that_hangs_is_ended(ssm: Any, finished: Wait) -> None:
    script = "import time\\n\\ndef handler(events, context):\\n    time.sleep(60)\\n"
    name = _runbook(
        ssm,
        f"- {{name: a, action: 'aws:executeScript', timeoutSeconds: 1, inputs: {{Runtime: python3.11, "
        f'Handler: handler, Script: "{script}"}}}}\n',
    )
    started = time.monotonic()
    assert finished(ssm, _start(ssm, name))["AutomationExecutionStatus"] == "TimedOut"
    assert time.monotonic() - started < 15


def test_a_script_s_own_error_is_told(ssm: Any, finished: Wait) -> None:
    script = "def handler(events, context):\\n    raise ValueError('no ' + events['what'])\\n"
    name = _runbook(
        ssm,
        f"- {{name: a, action: 'aws:executeScript', inputs: {{Runtime: python3.11, Handler: handler, "
        f'InputPayload: {{what: luck}}, Script: "{script}"}}}}\n',
    )
    found = finished(ssm, _start(ssm, name))
    assert "ValueError: no luck" in found["StepExecutions"][0]["FailureMessage"]


def test_documents(ssm: Any) -> None:
    owned = ssm.list_documents(
        Filters=[{"Key": "Owner", "Values": ["Amazon"]}, {"Key": "DocumentType", "Values": ["Automation"]}],
        MaxResults=50,
    )["DocumentIdentifiers"]
    assert len(owned) >= 40
    content = ssm.get_document(Name=owned[0]["Name"], DocumentFormat="JSON")["Content"]
    assert json.loads(content)["schemaVersion"] == "0.3"
    with pytest.raises(ssm.exceptions.InvalidDocumentContent):
        _runbook(ssm, "- {name: a, action: 'aws:sleep', nextStep: nowhere, inputs: {}}\n", name="Bad")
    with pytest.raises(ssm.exceptions.InvalidDocument):
        ssm.get_document(Name="Nothing")
    name = _runbook(ssm, "- {name: a, action: 'aws:sleep', inputs: {Duration: PT1S}}\n", name="Mine")
    content = ssm.get_document(Name=name)["Content"]
    ssm.update_document(
        Name=name, Content=content.replace("PT1S", "PT2S"), DocumentVersion="$LATEST", DocumentFormat="YAML"
    )
    assert "PT1S" in ssm.get_document(Name=name)["Content"]
    ssm.update_document_default_version(Name=name, DocumentVersion="2")
    assert "PT2S" in ssm.get_document(Name=name)["Content"]
    assert [v["DocumentVersion"] for v in ssm.list_document_versions(Name=name)["DocumentVersions"]] == [
        "2",
        "1",
    ]
    with pytest.raises(ssm.exceptions.AutomationDefinitionVersionNotFoundException):
        _start(ssm, name, DocumentVersion="9")
    ssm.add_tags_to_resource(ResourceType="Document", ResourceId=name, Tags=[{"Key": "k", "Value": "v"}])
    tags = ssm.list_tags_for_resource(ResourceType="Document", ResourceId=name)["TagList"]
    assert tags == [{"Key": "k", "Value": "v"}]
    ssm.put_parameter(Name="/p", Value="x", Type="String")
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/p", Tags=[{"Key": "k", "Value": "v"}])
    assert ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/p")["TagList"] == tags


def test_a_change_calendar(sandbox: Any, ssm: Any) -> None:
    calendar = (
        "BEGIN:VCALENDAR\nX-CALENDAR-TYPE:DEFAULT_OPEN\nBEGIN:VEVENT\nDTSTART:20260101T000000Z\n"
        "DTEND:20260102T000000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    ssm.create_document(Name="freeze", Content=calendar, DocumentType="ChangeCalendar", DocumentFormat="TEXT")
    during = ssm.get_calendar_state(CalendarNames=["freeze"], AtTime="2026-01-01T12:00:00Z")
    assert (during["State"], during["NextTransitionTime"]) == ("CLOSED", "2026-01-02T00:00:00Z")
    assert ssm.get_calendar_state(CalendarNames=["freeze"], AtTime="2026-02-01T12:00:00Z")["State"] == "OPEN"
    with pytest.raises(ssm.exceptions.InvalidDocumentType):
        ssm.get_calendar_state(CalendarNames=["AWS-ConfigureS3BucketVersioning"])


def test_ops_items(ssm: Any) -> None:
    data = {"/aws/dedup": {"Type": "SearchableString", "Value": '{"dedupString":"x"}'}}
    created = ssm.create_ops_item(Title="t", Description="d", Source="driftguard", OperationalData=data)
    with pytest.raises(ssm.exceptions.OpsItemAlreadyExistsException):
        ssm.create_ops_item(Title="t", Description="d", Source="driftguard", OperationalData=data)
    ssm.update_ops_item(OpsItemId=created["OpsItemId"], Status="Resolved")
    assert ssm.get_ops_item(OpsItemId=created["OpsItemId"])["OpsItem"]["Status"] == "Resolved"
    open_ones = ssm.describe_ops_items(
        OpsItemFilters=[{"Key": "Status", "Values": ["Open"], "Operator": "Equal"}]
    )
    assert open_ones["OpsItemSummaries"] == []
