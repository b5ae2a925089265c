"""The chart as Helm renders it and the compose file, against the schemas that Kubernetes and Compose publish."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft201909Validator

from driftguard.settings import load_settings
from tests.published_files import COMPOSE, HELM, KUBERNETES, published, there

DEPLOY = Path(__file__).parents[3] / "deploy"
KINDS = {
    "ConfigMap": "io.k8s.api.core.v1.ConfigMap",
    "Deployment": "io.k8s.api.apps.v1.Deployment",
    "Service": "io.k8s.api.core.v1.Service",
    "ServiceAccount": "io.k8s.api.core.v1.ServiceAccount",
}
EVERYTHING = {
    "image": {"repository": "registry.example.com/driftguard", "digest": f"sha256:{'0' * 64}"},
    "secret": "123",
    "environmentSecret": "no",
    "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111111111111:role/x"}},
    "metrics": {"annotations": {"prometheus.io/scrape": "true"}},
    "config": {"scope": {"accounts": [{"id": "011111111111"}], "regions": ["us-east-1"]}},
}


def rendered(folder: Path, values: dict[str, Any], release: str = "night") -> list[dict[str, Any]]:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("the published helm is a program for Linux on x86-64")
    helm = there(HELM)
    (folder / "values.yaml").write_text(yaml.safe_dump(values))
    answer = subprocess.run(
        [helm, "template", release, DEPLOY / "helm/driftguard", "--values", folder / "values.yaml"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        # Nothing of a person's own settings or plug-ins.
        env={"HOME": str(folder)},
    )
    assert answer.returncode == 0, answer.stderr
    return [one for one in yaml.safe_load_all(answer.stdout) if one]


@pytest.mark.parametrize(
    ("values", "release"),
    [({}, "night"), (EVERYTHING, "night"), ({"image": {"tag": "1.10"}}, "yes")],
    ids=["as it is", "every value", "names that YAML takes for others"],
)
def test_kubernetes_takes_what_the_chart_renders(
    values: dict[str, Any], release: str, tmp_path: Path
) -> None:
    documents = rendered(tmp_path, values, release)
    assert sorted(one["kind"] for one in documents) == sorted([*KINDS, "Deployment"])
    for file in KUBERNETES:
        definitions = json.loads(published(file))["$defs"]
        for document in documents:
            schema = {"$ref": f"#/$defs/{KINDS[document['kind']]}", "$defs": definitions}
            faults = [
                f"{file.name} {document['kind']} {fault.json_path}: {fault.message}"
                for fault in Draft7Validator(schema).iter_errors(document)
            ]
            assert faults == []
    names = {one["metadata"]["name"] for one in documents}
    assert names == {release, f"{release}-config", f"{release}-web", f"{release}-worker"}


def test_the_rendered_pods_run_as_nobody_and_find_what_they_mount(tmp_path: Path) -> None:
    documents = rendered(tmp_path, EVERYTHING)
    [config] = [one["data"]["config.yaml"] for one in documents if one["kind"] == "ConfigMap"]
    (tmp_path / "config.yaml").write_text(config)
    [account] = load_settings(str(tmp_path / "config.yaml"), {}).scope.accounts
    assert account.id == "011111111111", "and not the number that YAML could take it for"
    [service] = [one["spec"]["selector"] for one in documents if one["kind"] == "Service"]
    chosen = 0
    for deployment in (one["spec"] for one in documents if one["kind"] == "Deployment"):
        labels = deployment["template"]["metadata"]["labels"]
        assert deployment["selector"]["matchLabels"].items() <= labels.items()
        chosen += service.items() <= labels.items()
        pod = deployment["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True and not pod["automountServiceAccountToken"]
        volumes = {one["name"] for one in pod["volumes"]}
        for container in (*pod["containers"], *pod["initContainers"]):
            assert {one["name"] for one in container["volumeMounts"]} <= volumes
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["image"] == f"registry.example.com/driftguard@sha256:{'0' * 64}"
    assert chosen == 1, "the service leads to the pages and not to the workers"


def test_the_compose_file_is_what_compose_takes() -> None:
    schema = json.loads(published(COMPOSE))
    document = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())
    checker = Draft201909Validator(schema)
    assert [f"{fault.json_path}: {fault.message}" for fault in checker.iter_errors(document)] == []
    document["services"]["web"]["read_onyl"] = True
    assert list(checker.iter_errors(document)), "the schema knows every member of a service"
