"""Which template of a repository belongs to which deployed stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from driftguard.declared.deployment import DeployedStack, Deployment
from driftguard.declared.repository import load_repository
from driftguard.errors import ConfigError

ACCOUNT, REGION = "123456789012", "eu-west-1"


def stack_id(name: str) -> str:
    return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/1"


def stack(name: str, parent: str = "", children: dict[str, str] | None = None) -> DeployedStack:
    description = {"StackId": stack_id(name), "StackName": name, "StackStatus": "CREATE_COMPLETE"}
    if parent:
        description["ParentId"] = stack_id(parent)
    listed = [
        {"LogicalResourceId": logical, "PhysicalResourceId": stack_id(child)}
        for logical, child in (children or {}).items()
    ]
    return DeployedStack(description=description, resources=tuple(listed))


def deployment(*stacks: DeployedStack) -> Deployment:
    return Deployment(account=ACCOUNT, region=REGION, stacks=stacks)


def write(folder: Path, name: str, resources: dict[str, Any]) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"Resources": resources}))


def nested(url: Any) -> dict[str, Any]:
    return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}


TOPIC = {"T": {"Type": "AWS::SNS::Topic"}}


def matched(folder: Path, *stacks: DeployedStack, mapping: dict[str, str] | None = None) -> dict[str, str]:
    found = load_repository(folder, mapping).matched(deployment(*stacks))
    names = {stack.stack_id: stack.name for stack in stacks}
    return {names[key]: Path(template.file).name for key, template in found.items()}


def test_names_mapping_and_nested_addresses_tell(tmp_path: Path) -> None:
    write(
        tmp_path,
        "shop.template.json",
        {"Net": nested("./parts/net.json"), "Db": nested({"Fn::Sub": "https://b/${X}/db.json"})},
    )
    write(tmp_path, "parts/net.json", TOPIC)
    write(tmp_path, "parts/db.json", TOPIC)
    write(tmp_path, "odd.json", TOPIC)
    write(tmp_path, "lost.json", TOPIC)
    stacks = (
        stack("shop", children={"Net": "shop-Net-1A", "Db": "shop-Db-2B"}),
        stack("shop-Net-1A", parent="shop"),
        stack("shop-Db-2B", parent="shop"),
        stack("prod-odd-eu"),
        stack("unknown"),
    )
    assert matched(tmp_path, *stacks, mapping={"*-odd-*": "odd.json"}) == {
        "shop": "shop.template.json",
        "shop-Net-1A": "net.json",
        "shop-Db-2B": "db.json",
        "prod-odd-eu": "odd.json",
    }
    repository = load_repository(tmp_path)
    used = repository.matched(deployment(*stacks)).values()
    assert [Path(file).name for file in repository.unmatched(used)] == ["lost.json", "odd.json"]


def test_two_files_of_one_name_prove_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a/shop.json", TOPIC)
    write(tmp_path, "b/shop.json", TOPIC)
    assert matched(tmp_path, stack("shop")) == {}


def test_a_manifest_of_cdk_names_stack_account_and_nested_templates(tmp_path: Path) -> None:
    (tmp_path / "cdk.out").write_text('{"version": "36.0.0"}')
    write(
        tmp_path,
        "App.template.json",
        {
            "Inner": {
                **nested({"Fn::Join": ["", ["https://", "x"]]}),
                "Metadata": {"aws:asset:path": "inner.nested.template.json"},
            }
        },
    )
    write(tmp_path, "inner.nested.template.json", TOPIC)
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{ACCOUNT}/{REGION}",
        "properties": {"templateFile": "App.template.json", "stackName": "app-prod"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": {"App": artifact}}))
    stacks = (
        stack("app-prod", children={"Inner": "app-prod-Inner-1"}),
        stack("app-prod-Inner-1", parent="app-prod"),
    )
    assert matched(tmp_path, *stacks) == {
        "app-prod": "App.template.json",
        "app-prod-Inner-1": "inner.nested.template.json",
    }
    elsewhere = Deployment(account="999999999999", region=REGION, stacks=stacks[:1])
    assert load_repository(tmp_path).matched(elsewhere) == {}


def test_a_folder_or_file_that_is_not_there_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        load_repository(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="no such template"):
        load_repository(tmp_path, {"shop": "shop.yaml"})
