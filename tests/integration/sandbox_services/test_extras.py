"""What the sandbox adds to services that otherwise are moto's, by plain boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest

ACCOUNT = "111111111111"
PRODUCT = f"arn:aws:securityhub:ap-northeast-2:{ACCOUNT}:product/{ACCOUNT}/default"


def _role(session: Any, service: str) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    name = service.partition(".")[0]
    role = session.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    return str(role["Role"]["Arn"])


def test_a_project_is_updated(sandbox: Any) -> None:
    session = sandbox.session()
    client = session.client("codebuild")
    client.create_project(
        name="pp",
        source={"type": "S3", "location": "bucket/path"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=_role(session, "codebuild.amazonaws.com"),
    )
    client.update_project(name="pp", encryptionKey="alias/own", timeoutInMinutes=15)
    (project,) = client.batch_get_projects(names=["pp"])["projects"]
    assert (project["encryptionKey"], project["timeoutInMinutes"]) == ("alias/own", 15)
    assert project["source"]["location"] == "bucket/path"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.update_project(name="none", timeoutInMinutes=15)


def test_a_deployment_group_is_updated_and_deleted(sandbox: Any) -> None:
    session = sandbox.session()
    client = session.client("codedeploy")
    role = _role(session, "codedeploy.amazonaws.com")
    client.create_application(applicationName="a", computePlatform="Server")
    client.create_deployment_group(applicationName="a", deploymentGroupName="g", serviceRoleArn=role)
    client.update_deployment_group(
        applicationName="a",
        currentDeploymentGroupName="g",
        newDeploymentGroupName="h",
        deploymentConfigName="CodeDeployDefault.AllAtOnce",
    )
    found = client.batch_get_deployment_groups(applicationName="a", deploymentGroupNames=["h", "g"])
    assert [one["deploymentConfigName"] for one in found["deploymentGroupsInfo"]] == [
        "CodeDeployDefault.AllAtOnce"
    ]
    assert "g" in found["errorMessage"]
    client.delete_deployment_group(applicationName="a", deploymentGroupName="h")
    client.delete_application(applicationName="a")
    assert client.list_applications()["applications"] == []


def _action(name: str, category: str, provider: str) -> dict[str, Any]:
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": {},
        "inputArtifacts": [],
        "outputArtifacts": [],
    }


def test_a_pipeline_waits_for_its_approval(sandbox: Any) -> None:
    session = sandbox.session()
    client = session.client("codepipeline")
    client.create_pipeline(
        pipeline={
            "name": "p",
            "roleArn": _role(session, "codepipeline.amazonaws.com"),
            "artifactStore": {"type": "S3", "location": "bucket"},
            "stages": [
                {"name": "Source", "actions": [_action("get", "Source", "S3")]},
                {"name": "Ask", "actions": [_action("approve", "Approval", "Manual")]},
                {"name": "Deploy", "actions": [_action("put", "Deploy", "S3")]},
            ],
        }
    )

    def stages() -> list[str | None]:
        found = client.get_pipeline_state(name="p")["stageStates"]
        return [stage.get("latestExecution", {}).get("status") for stage in found]

    assert stages() == [None, None, None]
    client.start_pipeline_execution(name="p")
    assert stages() == ["Succeeded", "InProgress", None]
    client.disable_stage_transition(
        pipelineName="p", stageName="Deploy", transitionType="Inbound", reason="freeze"
    )
    waiting = client.get_pipeline_state(name="p")["stageStates"][1]["actionStates"][0]["latestExecution"]
    decision = {"pipelineName": "p", "stageName": "Ask", "actionName": "approve"}
    result = {"summary": "fine", "status": "Approved"}
    with pytest.raises(client.exceptions.InvalidApprovalTokenException):
        client.put_approval_result(**decision, result=result, token="00000000-0000-4000-8000-000000000000")
    client.put_approval_result(**decision, result=result, token=waiting["token"])
    assert stages() == ["Succeeded", "Succeeded", None]
    client.enable_stage_transition(pipelineName="p", stageName="Deploy", transitionType="Inbound")
    assert stages() == ["Succeeded", "Succeeded", "Succeeded"]


def _finding(**changes: Any) -> dict[str, Any]:
    return {
        "SchemaVersion": "2018-10-08",
        "Id": "f-1",
        "ProductArn": PRODUCT,
        "GeneratorId": "driftguard",
        "AwsAccountId": ACCOUNT,
        "CreatedAt": "2026-01-01T00:00:00Z",
        "UpdatedAt": "2026-01-01T00:00:00Z",
        "Severity": {"Label": "HIGH"},
        "Title": "t",
        "Description": "d",
        "Resources": [{"Id": "arn:aws:s3:::b", "Type": "AwsS3Bucket"}],
        **changes,
    }


def test_findings_need_the_hub(sandbox: Any) -> None:
    client = sandbox.session().client("securityhub")
    with pytest.raises(client.exceptions.InvalidAccessException):
        client.batch_import_findings(Findings=[_finding()])


@pytest.mark.parametrize(
    "change",
    [
        {"SchemaVersion": "2020-01-01"},
        {"ProductArn": "arn:aws:securityhub:us-east-1::product/aws/inspector"},
        {"CreatedAt": "yesterday"},
        {"Title": "x" * 257},
        {"Severity": {}},
        {"Compliance": {"Status": "BAD"}},
        {"Types": ["a/b/c/d"]},
    ],
)
def test_a_finding_that_is_not_asff_fails(sandbox: Any, change: dict[str, Any]) -> None:
    client = sandbox.session().client("securityhub")
    client.enable_security_hub()
    answer = client.batch_import_findings(Findings=[_finding(**change), _finding(Id="f-2")])
    assert (answer["FailedCount"], answer["SuccessCount"]) == (1, 1)
    assert answer["FailedFindings"][0]["ErrorCode"] == "InvalidInput"


def test_a_customer_s_workflow_survives_the_next_import(sandbox: Any) -> None:
    client = sandbox.session().client("securityhub")
    client.enable_security_hub()
    client.batch_import_findings(Findings=[_finding()])
    identifier = {"Id": "f-1", "ProductArn": PRODUCT}
    client.batch_update_findings(
        FindingIdentifiers=[identifier, {**identifier, "Id": "none"}], Workflow={"Status": "SUPPRESSED"}
    )
    client.batch_import_findings(
        Findings=[_finding(Title="again", UpdatedAt="2026-01-02T00:00:00Z", Workflow={"Status": "NEW"})]
    )
    filters = {
        "SeverityLabel": [{"Value": "HIGH", "Comparison": "EQUALS"}],
        "ResourceId": [{"Value": "arn:aws:s3:::", "Comparison": "PREFIX"}],
        "WorkflowStatus": [{"Value": "NEW", "Comparison": "NOT_EQUALS"}],
    }
    (found,) = client.get_findings(Filters=filters)["Findings"]
    assert (found["Title"], found["Workflow"]["Status"]) == ("again", "SUPPRESSED")
    filters["SeverityLabel"][0]["Value"] = "LOW"
    assert client.get_findings(Filters=filters)["Findings"] == []


def test_simulated_permissions(sandbox: Any) -> None:
    session = sandbox.session()
    iam = session.client("iam")
    arn = _role(session, "ec2.amazonaws.com")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::data/*"},
            {"Effect": "Deny", "Action": "s3:GetObjectAcl", "Resource": "*"},
        ],
    }
    iam.put_role_policy(RoleName="ec2", PolicyName="p", PolicyDocument=json.dumps(policy))
    found = iam.simulate_principal_policy(
        PolicySourceArn=arn,
        ActionNames=["s3:GetObject", "s3:GetObjectAcl", "s3:PutObject"],
        ResourceArns=["arn:aws:s3:::data/x"],
    )["EvaluationResults"]
    assert [one["EvalDecision"] for one in found] == ["allowed", "explicitDeny", "implicitDeny"]
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.simulate_principal_policy(PolicySourceArn=arn + "x", ActionNames=["s3:GetObject"])


def test_reads_of_security_services_answer(sandbox: Any) -> None:
    session = sandbox.session()
    assert session.client("guardduty").list_detectors()["DetectorIds"] == []
    analyzer = session.client("accessanalyzer")
    analyzer.create_analyzer(analyzerName="a", type="ACCOUNT")
    assert [one["status"] for one in analyzer.list_analyzers()["analyzers"]] == ["ACTIVE"]
    session.client("inspector2").batch_get_account_status(accountIds=[ACCOUNT])
    scaling = session.client("application-autoscaling")
    assert scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"] == []
    assert session.client("macie2").get_macie_session()["status"]
    assert sandbox.unknown == []
