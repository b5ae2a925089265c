"""How fast policies are judged, beside Cloud Custodian's filters and plain JMESPath on the same resources.

Run ``python -m benchmarks.policies``.  Two measurements in one run:

1. the same twenty questions (sixteen open ports, four tags) on the same security groups, asked by compiled
   policies, by jmespath's interpreter and by the filters of Cloud Custodian, which have to find the same faults;
2. the whole catalogue on resources built from the policies' own cases.

Cloud Custodian is installed into an environment of its own under the user's cache (``--without-c7n`` leaves
it out, as does a machine that cannot reach a package index).
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jmespath

from driftguard.model import ComplianceType, Resource, ResourceKey, Source
from driftguard.rules import Catalogue, JudgeContext, Neighbours, load_catalogue
from driftguard.rules.shipped import load_all

GROUPS = 1_000
ROUNDS = 5
PORTS = (20, 21, 22, 23, 25, 110, 135, 143, 445, 1433, 3306, 3389, 5432, 6379, 9200, 27017)
TAGS = ("owner", "cost-center", "environment", "data-class")
CUSTODIAN = Path.home() / ".cache" / "driftguard" / "benchmark-c7n"
_POLICY = """\
id: {id}
title: A question
severity: LOW
resource_types: [AWS::EC2::SecurityGroup]
assert: "{expression}"
message: It is open.
source: https://example.com
cases: [{{name: a, expect: COMPLIANT}}]
"""
_OPEN = (
    "!any(SecurityGroupIngress, &CidrIp == '0.0.0.0/0' && (IpProtocol == '-1'"
    " || FromPort <= `{port}` && ToPort >= `{port}`))"
)
_PLAIN_OPEN = (
    "length(SecurityGroupIngress[?CidrIp == '0.0.0.0/0' && (IpProtocol == '-1'"
    " || FromPort <= `{port}` && ToPort >= `{port}`)]) == `0`"
)
_TAGGED = "any(Tags, &Key == '{tag}')"
_PLAIN_TAGGED = "length(Tags[?Key == '{tag}']) > `0`"


def groups(count: int) -> list[dict[str, Any]]:
    """Security groups with one to twelve rules, some of them open to everybody."""
    chance = random.Random(11)
    found = []
    for number in range(count):
        rules = []
        for _ in range(chance.randint(1, 12)):
            first = chance.choice((22, 80, 443, 1024, 3306, 5432, 8080))
            world = chance.random() < 0.08
            rules.append(
                {
                    "IpProtocol": "-1" if chance.random() < 0.02 else "tcp",
                    "FromPort": first,
                    "ToPort": first + chance.choice((0, 0, 0, 10, 1000)),
                    "CidrIp": "0.0.0.0/0" if world else f"10.{chance.randint(0, 255)}.0.0/16",
                }
            )
        tags = [{"Key": tag, "Value": "x"} for tag in TAGS if chance.random() < 0.9]
        found.append({"GroupId": f"sg-{number}", "SecurityGroupIngress": rules, "Tags": tags})
    return found


def resource(type_name: str, identifier: str, properties: dict[str, Any]) -> Resource:
    """A live resource with these properties."""
    key = ResourceKey(account="111111111111", region="eu-west-1", type=type_name, identifier=identifier)
    return Resource(key=key, properties=properties, source=Source.CONFIG, name=identifier)


def best(work: Callable[[], int]) -> tuple[float, int]:
    """CPU seconds of the fastest of some rounds, and what the work answered."""
    fastest, answer = float("inf"), 0
    for _ in range(ROUNDS):
        before = time.process_time()
        answer = work()
        fastest = min(fastest, time.process_time() - before)
    return fastest, answer


def twenty_questions(folder: Path) -> Catalogue:
    """The questions as policy files."""
    questions = [(f"PORT_{port}", _OPEN.format(port=port)) for port in PORTS]
    questions += [(f"TAG_{tag.replace('-', '_')}", _TAGGED.format(tag=tag)) for tag in TAGS]
    for name, expression in questions:
        text = _POLICY.format(id=name, expression=expression)
        (folder / f"{name.lower()}.yaml").write_text(text, encoding="utf-8")
    return load_catalogue([folder])


def driftguard_run(catalogue: Catalogue, items: list[dict[str, Any]]) -> tuple[float, int]:
    """Seconds and faults; the verdicts as a scan asks for them."""
    resources = [resource("AWS::EC2::SecurityGroup", item["GroupId"], item) for item in items]
    context = JudgeContext(neighbours=Neighbours(resources))

    def work() -> int:
        faults = 0
        for one in resources:
            for _, (compliance, _) in catalogue.verdicts(one, context):
                faults += compliance is ComplianceType.NON_COMPLIANT
        return faults

    return best(work)


def jmespath_run(items: list[dict[str, Any]]) -> tuple[float, int]:
    """The same with jmespath's own interpreter, expressions compiled before."""
    texts = [_PLAIN_OPEN.format(port=port) for port in PORTS] + [
        _PLAIN_TAGGED.format(tag=tag) for tag in TAGS
    ]
    expressions = [jmespath.compile(text) for text in texts]
    return best(lambda: sum(not expression.search(item) for item in items for expression in expressions))


# Run by Cloud Custodian's own interpreter: resources in its describe shape, its filters, the same questions.
_CUSTODIAN_SCRIPT = """
import json, sys, time
from c7n.resources import load_resources
load_resources(("aws.security-group",))
from c7n.policy import PolicyCollection
from c7n.config import Config
data = json.load(open(sys.argv[1]))
config = Config.empty(region="eu-west-1", account_id="111111111111")
collection = PolicyCollection.from_data({"policies": data["policies"]}, config)
filters = [policy.resource_manager.filters for policy in collection]
managers = [policy.resource_manager for policy in collection]
fastest, faults = float("inf"), 0
for _ in range(data["rounds"]):
    copies = [json.loads(data["items"]) for _ in managers]
    before = time.process_time()
    faults = sum(len(manager.filter_resources(copy)) for manager, copy in zip(managers, copies))
    fastest = min(fastest, time.process_time() - before)
print(json.dumps({"seconds": fastest, "faults": faults}))
"""


def custodian_run(items: list[dict[str, Any]]) -> tuple[float, int] | None:
    """The same with Cloud Custodian's filters; None where it cannot be installed."""
    python = CUSTODIAN / "bin" / "python"
    if not python.exists():
        venv.create(CUSTODIAN, with_pip=True)
    try:
        if subprocess.run([python, "-c", "import c7n"], capture_output=True, check=False).returncode:
            subprocess.run(
                [python, "-m", "pip", "install", "-q", "c7n"], capture_output=True, check=True, timeout=600
            )
        document = {
            "policies": _custodian_policies(),
            "rounds": ROUNDS,
            "items": json.dumps(_described(items)),
        }
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(document, file)
            file.flush()
            done = subprocess.run(
                [python, "-c", _CUSTODIAN_SCRIPT, file.name],
                capture_output=True,
                text=True,
                check=True,
                timeout=600,
            )
    except (subprocess.SubprocessError, OSError) as error:
        print(f"Cloud Custodian could not be run: {getattr(error, 'stderr', '') or error}", file=sys.stderr)
        return None
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    return answer["seconds"], answer["faults"]


def _custodian_policies() -> list[dict[str, Any]]:
    ports: list[dict[str, Any]] = [
        {
            "name": f"port-{port}",
            "resource": "aws.security-group",
            "filters": [{"type": "ingress", "Ports": [port], "Cidr": {"value": "0.0.0.0/0"}}],
        }
        for port in PORTS
    ]
    return ports + [
        {"name": f"tag-{tag}", "resource": "aws.security-group", "filters": [{f"tag:{tag}": "absent"}]}
        for tag in TAGS
    ]


def _described(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups as EC2's DescribeSecurityGroups answers them."""
    return [
        {
            "GroupId": item["GroupId"],
            "GroupName": item["GroupId"],
            "OwnerId": "111111111111",
            "Tags": item["Tags"],
            "IpPermissions": [
                {
                    "IpProtocol": rule["IpProtocol"],
                    **(
                        {}
                        if rule["IpProtocol"] == "-1"
                        else {"FromPort": rule["FromPort"], "ToPort": rule["ToPort"]}
                    ),
                    "IpRanges": [{"CidrIp": rule["CidrIp"]}],
                    "Ipv6Ranges": [],
                    "UserIdGroupPairs": [],
                    "PrefixListIds": [],
                }
                for rule in item["SecurityGroupIngress"]
            ],
            "IpPermissionsEgress": [],
        }
        for item in items
    ]


def whole_catalogue() -> tuple[float, int]:
    """Seconds and evaluations of every policy on the cases of them all, judged as live resources."""
    catalogue = load_all()
    resources = [
        resource(case.type or policy.resource_types[0], f"r-{number}", dict(case.properties))
        for policy in catalogue.policies
        for number, case in enumerate(policy.cases)
        if "*" not in policy.resource_types
    ]
    context = JudgeContext(neighbours=Neighbours(resources), account_facts={})
    for one in resources:
        catalogue.verdicts(one, context)
    return best(lambda: sum(len(catalogue.verdicts(one, context)) for one in resources))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--without-c7n", action="store_true")
    arguments = parser.parse_args()
    items = groups(GROUPS)
    pairs = GROUPS * (len(PORTS) + len(TAGS))
    with tempfile.TemporaryDirectory() as folder:
        rows = {"driftguard": driftguard_run(twenty_questions(Path(folder)), items)}
    rows["jmespath"] = jmespath_run(items)
    custodian = None if arguments.without_c7n else custodian_run(items)
    if custodian is not None:
        rows["Cloud Custodian"] = custodian
    base = rows["driftguard"][0]
    print(f"{GROUPS} security groups, {len(PORTS) + len(TAGS)} questions, best of {ROUNDS}")
    for name, (seconds, faults) in rows.items():
        per = seconds / pairs * 1e6
        print(
            f"{name:16} {per:8.2f} us/evaluation {pairs / seconds:12,.0f}/s {faults:6} faults {seconds / base:7.1f}x"
        )
    seconds, count = whole_catalogue()
    print(
        f"whole catalogue  {seconds / count * 1e6:8.2f} us/evaluation {count / seconds:12,.0f}/s {count} evaluations"
    )


if __name__ == "__main__":
    main()
