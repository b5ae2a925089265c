"""Whatever a scan reads that is secret is found nowhere afterwards: not in the store's bytes, not in what it tells."""

from __future__ import annotations

import base64
import itertools
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from driftguard.history import open_store
from driftguard.history.bodies import Bodies
from driftguard.history.key import key_path, load_key
from driftguard.history.redact import Redactor
from driftguard.report import formats, render
from driftguard.sandbox import Sandbox
from tests.scanning import REGION, run, small_stack, variables

_NUMBERS = itertools.count(1)
SENTINELS: dict[str, str] = {}


def secret(place: str) -> str:
    """A sentinel of its own for ``place``, which looks like a password that a generator made."""
    value = f"Sq7{next(_NUMBERS):02d}vTz9mWk4XrB2nHd"
    SENTINELS[value] = place
    return value


def template() -> dict[str, Any]:
    """A stack with a secret in every field that can hold one."""
    role = {"Fn::GetAtt": ["Role", "Arn"]}
    service = ["lambda", "codebuild", "codepipeline", "states", "ecs-tasks"]
    trust = [
        {"Effect": "Allow", "Principal": {"Service": f"{name}.amazonaws.com"}, "Action": "sts:AssumeRole"}
        for name in service
    ]
    machine = {
        "StartAt": "Call",
        "States": {
            "Call": {
                "Type": "Pass",
                "Parameters": {
                    "apiKey": secret("a state's parameter"),
                    "Url": f"https://u:{secret('a URL')}@h/",
                },
                "End": True,
            }
        },
    }
    container = {
        "Name": "app",
        "Image": "nginx:1",
        "Memory": 128,
        "Environment": [{"Name": "PLAIN", "Value": secret("a task's environment")}],
        "Command": ["run", "--password", secret("a task's command")],
    }
    resources: dict[str, Any] = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": trust}},
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Role": role,
                "Code": {"ZipFile": "def handler(event, context): pass"},
                "Environment": {
                    "Variables": {
                        "DB": secret("a function's environment"),
                        "FROM_PARAMETER": {"Ref": "Plain"},
                        "FROM_NOECHO": {"Ref": "Hidden"},
                    }
                },
            },
        },
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {"Family": "app", "ContainerDefinitions": [container]},
        },
        "Launch": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {
                "LaunchTemplateData": {
                    "UserData": base64.b64encode(
                        f"#!/bin/sh\nexport T={secret('user data')}".encode()
                    ).decode()
                }
            },
        },
        "Build": {
            "Type": "AWS::CodeBuild::Project",
            "Properties": {
                "Name": "build",
                "ServiceRole": role,
                "Artifacts": {"Type": "NO_ARTIFACTS"},
                "Source": {"Type": "NO_SOURCE", "BuildSpec": "version: 0.2"},
                "Environment": {
                    "Type": "LINUX_CONTAINER",
                    "ComputeType": "BUILD_GENERAL1_SMALL",
                    "Image": "aws/codebuild/standard:7.0",
                    "EnvironmentVariables": [
                        {"Name": "X", "Type": "PLAINTEXT", "Value": secret("a project's environment")}
                    ],
                },
            },
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"RoleArn": role, "DefinitionString": json.dumps(machine)},
        },
        "Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/app/key", "Type": "String", "Value": secret("a parameter's value")},
        },
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": "app", "SecretString": secret("a secret's string")},
        },
        "Database": {
            "Type": "AWS::RDS::DBInstance",
            "Properties": {
                "DBInstanceClass": "db.t3.micro",
                "Engine": "mysql",
                "AllocatedStorage": "20",
                "MasterUsername": "admin",
                "MasterUserPassword": {"Ref": "Hidden"},
            },
        },
        "Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": pipeline(role)},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"Tags": [{"Key": "api-token", "Value": secret("a tag")}]},
        },
    }
    outputs = {"AdminPassword": {"Value": {"Ref": "Plain"}}, "Queue": {"Value": {"Ref": "Queue"}}}
    parameters = {"Plain": {"Type": "String"}, "Hidden": {"Type": "String", "NoEcho": True}}
    return {"Parameters": parameters, "Resources": resources, "Outputs": outputs}


def pipeline(role: Any) -> dict[str, Any]:
    """A pipeline that fetches from GitHub with a token in its action's configuration."""
    source = {"Category": "Source", "Owner": "ThirdParty", "Provider": "GitHub", "Version": "1"}
    build = {"Category": "Build", "Owner": "AWS", "Provider": "CodeBuild", "Version": "1"}
    fetch = {
        "Name": "Fetch",
        "ActionTypeId": source,
        "OutputArtifacts": [{"Name": "code"}],
        "Configuration": {
            "Owner": "acme",
            "Repo": "shop",
            "Branch": "main",
            "OAuthToken": secret("a pipeline's token"),
        },
    }
    make = {
        "Name": "Make",
        "ActionTypeId": build,
        "InputArtifacts": [{"Name": "code"}],
        "Configuration": {"ProjectName": "build"},
    }
    return {
        "Name": "ship",
        "RoleArn": role,
        "ArtifactStore": {"Type": "S3", "Location": "artifacts"},
        "Stages": [{"Name": "Source", "Actions": [fetch]}, {"Name": "Build", "Actions": [make]}],
    }


def change_by_hand(session: Any) -> None:
    """Somebody rotates what a template declares, so that secrets stand in differences and in the trail."""
    functions = session.client("lambda")
    [name] = [one["FunctionName"] for one in functions.list_functions()["Functions"]]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"DB": secret("a changed environment")}}
    )
    session.client("ssm").put_parameter(
        Name="/app/key", Type="String", Value=secret("a changed parameter"), Overwrite=True
    )
    pipelines = session.client("codepipeline")
    held = pipelines.get_pipeline(name="ship")["pipeline"]
    held["stages"][0]["actions"][0]["configuration"]["OAuthToken"] = secret("a changed token")
    pipelines.update_pipeline(pipeline=held)
    sqs = session.client("sqs")
    url = next(one for one in sqs.list_queues()["QueueUrls"] if "secrets-Queue" in one)
    sqs.tag_queue(QueueUrl=url, Tags={"api-token": secret("a changed tag")})


def leaks(where: str, data: bytes) -> list[str]:
    """What of the secrets stands in ``data``, as it is or in Base64."""
    found = []
    for value, place in SENTINELS.items():
        encoded = [base64.b64encode(b"x" * pad + value.encode()).rstrip(b"=")[4:-2] for pad in range(3)]
        if value.encode() in data or any(form in data for form in encoded):
            found.append(f"{place}: in {where}")
    return found


def kept(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file that scans left, and what is compressed inside the store."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
    store = open_store(f"sqlite:///{folder / 'driftguard.db'}")
    with store.database.read() as connection:
        ids = [row[0] for row in connection.rows("SELECT id FROM bodies")]
        for number, raw in Bodies(connection).unpack(ids).items():
            yield f"body {number}", raw
    store.close()


def test_no_secret_of_a_scan_is_found_anywhere(sandbox_http: Sandbox, tmp_path: Path) -> None:
    small_stack(sandbox_http)
    session: Any = sandbox_http.session(region=REGION)
    session.client("cloudformation").create_stack(
        StackName="secrets",
        TemplateBody=json.dumps(template()),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": "Plain", "ParameterValue": secret("a stack's parameter")},
            {"ParameterKey": "Hidden", "ParameterValue": secret("a NoEcho parameter")},
        ],
    )
    channel = {
        "name": "desk",
        "kind": "sns",
        "target": f"arn:aws:sns:{REGION}:{sandbox_http.accounts[0]}:desk",
    }
    config = {
        "notify": {"channels": [channel], "routes": [{"channels": ["desk"], "severity": "INFORMATIONAL"}]}
    }
    (tmp_path / "driftguard.yaml").write_text(json.dumps(config))
    environment = {**variables(sandbox_http), "DRIFTGUARD_STORE": f"sqlite:///{tmp_path / 'driftguard.db'}"}
    told: list[tuple[str, str]] = []

    def call(*arguments: str) -> str:
        _, out, err = run(tmp_path, environment, "--config", "driftguard.yaml", *arguments)
        told.append((f"`{' '.join(arguments)}`", out + err))
        return out

    call("scan", "--output", "json")
    change_by_hand(session)
    after = json.loads(call("scan", "--output", "json"))
    call("remediate", "plan", "--out", "plan.json")
    call("evidence", "export", "--framework", "K-ISMS", "--out", "evidence.zip")
    function = next(one for one in after["drifts"] if one["resource_type"] == "AWS::Lambda::Function")

    changed = {d["resource_type"] for d in after["drifts"] if d["status"] == "MODIFIED"}
    assert changed >= {"AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::CodePipeline::Pipeline"}, (
        "a changed secret is still a change"
    )
    values = [(d["ExpectedValue"], d["ActualValue"]) for d in function["differences"]]
    assert values and all(one != other for one, other in values)

    store = open_store(
        f"sqlite:///{tmp_path / 'driftguard.db'}",
        redactor=Redactor(load_key(key_path(environment["DRIFTGUARD_STORE"]))),
    )
    report = store.report()
    assert report is not None and store.deliveries()
    evidence = zipfile.ZipFile(tmp_path / "evidence.zip")
    assert b"AWS::CodeBuild::Project" in evidence.read("resources.jsonl")
    seen = [(name, render(report, name)) for name in formats()]
    seen += [
        (f"{name} of {one.key.type}", orjson.dumps(dict(one.properties)))
        for name, one in [("state", one) for one in store.resources(_everything()).items]
    ]
    store.close()
    types = {name.rpartition(" ")[2] for name, _ in seen}
    assert types >= {one["Type"] for one in template()["Resources"].values()} - {
        "AWS::SecretsManager::Secret"
    }
    bundle = [(f"evidence {name}", evidence.read(name)) for name in evidence.namelist()]
    everything = [*told, *seen, *kept(tmp_path), *bundle]
    found = [
        leak
        for where, text in everything
        for leak in leaks(where, text if isinstance(text, bytes) else text.encode())
    ]
    assert found == []


def _everything() -> Any:
    from driftguard.history.port import Query

    return Query(limit=10_000)


def test_a_leak_would_be_found(tmp_path: Path) -> None:
    one = secret("a test")
    with sqlite3.connect(tmp_path / "x.db") as file:
        file.execute("CREATE TABLE t (x)")
        file.execute("INSERT INTO t VALUES (?)", (f"password is {one}",))
    assert leaks("a file", (tmp_path / "x.db").read_bytes()) == ["a test: in a file"]
    assert leaks("user data", base64.b64encode(f"#!/bin/sh\nexport A={one}\n".encode()))
