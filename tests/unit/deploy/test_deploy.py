"""The deployment files parse, resolve, pass our own policies, and give exactly the computed permissions."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from click.testing import CliRunner

from driftguard.aws import permissions
from driftguard.cli.root import cli
from driftguard.service.access.guard import PUBLIC
from scripts import reference_deploy

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
TEMPLATES = sorted((DEPLOY / "cloudformation").glob("*.yaml"))
GIVEN = {
    "member-roles": {
        "HubAccountId": "111111111111",
        "ExternalId": "an-external-id",
        "Remediation": "yes",
        "AutomationRoleArn": "arn:aws:iam::222222222222:role/automation",
        "HubEventBusArn": "arn:aws:events:us-east-1:111111111111:event-bus/driftguard",
    },
    "hub-events": {"OrganizationId": "o-abcdefghij"},
    "service-fargate": {
        "Image": "driftguard@sha256:0",
        "VpcId": "vpc-1",
        "SubnetIds": "subnet-1,subnet-2",
        "LoadBalancerSecurityGroupId": "sg-1",
        "TargetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/t/1",
        "StoreSecretArn": "arn:aws:secretsmanager:us-east-1:111111111111:secret:store",
        "KeySecretArn": "arn:aws:secretsmanager:us-east-1:111111111111:secret:key",
        "ConfigParameterArn": "arn:aws:ssm:us-east-1:111111111111:parameter/driftguard",
        "SecretsKeyArn": "arn:aws:kms:us-east-1:111111111111:key/1",
        "QueueArn": "arn:aws:sqs:us-east-1:111111111111:events",
        "QueueKeyArn": "arn:aws:kms:us-east-1:111111111111:key/2",
        "PublishArns": "arn:aws:sns:us-east-1:111111111111:ops",
    },
}


def run(*arguments: str) -> Any:
    outcome = CliRunner().invoke(cli, list(arguments), standalone_mode=False)
    assert outcome.exception is None, outcome.exception
    return json.loads(outcome.stdout)


def resolved(path: Path) -> dict[str, Any]:
    given = [word for name, value in GIVEN[path.stem].items() for word in ("--parameter", f"{name}={value}")]
    answer = run(
        "resolve",
        str(path),
        "--account-id",
        "222222222222",
        "--region",
        "us-east-1",
        *given,
        "--output",
        "json",
    )
    unknown = [row for row in answer["unknown"] if "does not exist yet" not in row["reason"]]
    assert unknown == []
    found: dict[str, Any] = answer["resources"]
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_resolves_with_our_own_resolver(path: Path) -> None:
    assert resolved(path)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_uses_nothing_that_cloudformation_refuses(path: Path) -> None:
    # Anchors and aliases are YAML that CloudFormation does not read.
    tokens = list(yaml.scan(path.read_text()))
    assert not [token for token in tokens if isinstance(token, yaml.AnchorToken | yaml.AliasToken)]
    assert path.stat().st_size < 51_200


def test_cfn_lint_has_nothing_to_say() -> None:
    # W1030: a parameter that may be empty is used only under the condition that it is not, which is not seen.
    command = [
        Path(sys.executable).with_name("cfn-lint"),
        "--ignore-checks",
        "W1030",
        "--",
        *map(str, TEMPLATES),
    ]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_passes_our_own_policies(path: Path) -> None:
    answer = run("check", str(path), "--output", "json")
    assert answer["errors"] == []
    bad = [
        (row["logical_id"], row["policy"])
        for row in answer["results"]
        if row["status"] == "NON_COMPLIANT" and row["severity"] in ("HIGH", "CRITICAL")
    ]
    assert bad == []


def actions(role: dict[str, Any]) -> set[str]:
    return {
        action
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


def test_the_member_roles_are_the_computed_permissions() -> None:
    found = resolved(DEPLOY / "cloudformation/member-roles.yaml")
    assert actions(found["ReadRole"]) == set(permissions.read_actions())
    assert actions(found["RemediationRole"]) == set(permissions.remediation_role_actions())
    passing = [
        statement
        for policy in found["RemediationRole"]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "iam:PassRole"
    ]
    assert [statement["Resource"] for statement in passing] == [GIVEN["member-roles"]["AutomationRoleArn"]]
    assert all(
        "*" not in action for role in ("ReadRole", "RemediationRole") for action in actions(found[role])
    )


def test_the_service_role_is_the_computed_permissions() -> None:
    found = resolved(DEPLOY / "cloudformation/service-fargate.yaml")
    wanted = {*permissions.read_actions(), *permissions.service_actions()}
    assert actions(found["ServiceRole"]) == wanted | {"sts:AssumeRole", "sts:TagSession", "kms:Decrypt"}


def test_nobody_without_the_external_id_assumes_a_role() -> None:
    found = resolved(DEPLOY / "cloudformation/member-roles.yaml")
    for role in ("ReadRole", "RemediationRole"):
        (statement,) = found[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:role/driftguard-service"}
        assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "an-external-id"}}


def test_the_terraform_module_gives_the_same() -> None:
    module = DEPLOY / "terraform/member"
    locals_ = json.loads((module / "computed.tf.json").read_text())["locals"]
    assert set(locals_["read_actions"]) == set(permissions.read_actions())
    assert {*locals_["remediate_actions"], "iam:PassRole"} == set(permissions.remediation_role_actions())
    assert tuple(locals_["event_sources"]) == reference_deploy.lists()["sources"]
    text = ""
    for file in module.glob("*.tf"):
        with file.open() as stream:
            assert hcl2.load(stream)
        text += file.read_text()
    declared = set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))
    assert set(re.findall(r"\bvar\.(\w+)", text)) == declared
    assert set(re.findall(r"\blocal\.(\w+)", text)) == {*locals_, "rules"}


def test_the_container_runs_as_nobody_and_writes_nowhere() -> None:
    lines = (DEPLOY / "docker/Dockerfile").read_text().splitlines()
    assert "USER 10001:10001" in lines
    compose = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())
    for name in ("web", "worker"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["restart"] == "always"
    assert compose["services"]["web"]["ports"] == ["127.0.0.1:8420:8420"]
    task = resolved(DEPLOY / "cloudformation/service-fargate.yaml")["Task"]["Properties"]
    (container,) = task["ContainerDefinitions"]
    assert container["ReadonlyRootFilesystem"] is True
    assert container["User"].startswith("10001")


def test_the_unit_restarts_always_and_is_locked_in() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    unit.read(DEPLOY / "systemd/driftguard.service")
    service = unit["Service"]
    assert service["Restart"] == "always"
    assert (service["ProtectSystem"], service["NoNewPrivileges"], service["DynamicUser"]) == (
        "strict",
        "yes",
        "yes",
    )


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    text = (DEPLOY / "systemd/driftguard.service").read_text()
    unit = tmp_path / "driftguard.service"
    # The command is where the package is installed; here any other stands for it.
    unit.write_text(re.sub(r"/opt/driftguard/bin/driftguard", "/bin/true", text))
    answer = subprocess.run(
        [analyze, "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_what_the_image_installs_is_what_there_is() -> None:
    text = (DEPLOY / "docker/Dockerfile").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extras,) = re.findall(r'"\.\[([a-z,]+)\]"', text)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert {"service", "postgres"} <= set(extras.split(","))
    for copied in re.findall(r"^COPY ((?!--)\S.*) \S+$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in copied.split()), copied
    # What is started is a command that there is, and the health check asks an address that is open to nobody else.
    assert "driftguard" in project["scripts"]
    assert re.search(r'CMD \["serve"\]', text) and "/healthz" in text and "/healthz" in PUBLIC


def test_the_chart_asks_for_values_that_it_has() -> None:
    chart = DEPLOY / "helm/driftguard"
    values = yaml.safe_load((chart / "values.yaml").read_text())
    assert yaml.safe_load((chart / "Chart.yaml").read_text())["apiVersion"] == "v2"
    for file in (chart / "templates").iterdir():
        text = file.read_text()
        assert "{{" not in re.sub(r"\{\{.*?\}\}", "", text)
        for path in re.findall(r"\.Values\.([\w.]+)", text):
            value = values
            for step in path.split("."):
                assert step in value, f"{file.name}: {path}"
                value = value[step]
        opened = len(re.findall(r"\{\{-? (?:if|range|define|with) ", text))
        assert len(re.findall(r"\{\{-? end ", text)) == opened


def _expressions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("expr"), str):
            yield value["expr"]
        for item in value.values():
            yield from _expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _expressions(item)


def test_the_dashboard_asks_for_our_metrics_only() -> None:
    dashboard = json.loads((DEPLOY / "grafana/dashboard.json").read_text())
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for expression in _expressions(dashboard):
        assert re.search(r"\bdriftguard_[a-z_]+", expression)


def test_the_computed_parts_are_up_to_date() -> None:
    for name in ("member-roles", "service-fargate"):
        path = f"deploy/cloudformation/{name}.yaml"
        assert reference_deploy.filled(path)() == (ROOT / path).read_text()
    assert reference_deploy.terraform() == (DEPLOY / "terraform/member/computed.tf.json").read_text()
