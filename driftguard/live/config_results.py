"""What AWS Config's own rules say of the resources of one account and region.

https://docs.aws.amazon.com/config/latest/APIReference/API_GetComplianceDetailsByConfigRule.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from driftguard.aws import Place
from driftguard.aws.gaps import gap_of
from driftguard.errors import AwsError, CredentialsError, GoneError
from driftguard.live.account import ACCOUNT
from driftguard.live.mapping import cloudformation_type
from driftguard.model import (
    ComplianceType,
    Evaluation,
    Gap,
    PolicySummary,
    Resource,
    ResourceKey,
    Severity,
    key_region,
)

JUDGE = "AWS Config"
RULE_TYPE = "AWS::Config::ConfigRule"
_JUDGED = ("COMPLIANT", "NON_COMPLIANT")
_MANAGED = "https://docs.aws.amazon.com/config/latest/developerguide/{}.html"
_OWN = "https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules.html"


@dataclass(slots=True)
class ConfigResults:
    """The verdicts of one place.

    ``evaluations`` carry AWS Config's verdict, the severity MEDIUM (AWS Config has none) and the managed
    rule's identifier, or the rule's own name, as their policy; ``rules`` describe those policies.
    ``untold`` are the policies that AWS Config has not judged (yet), so that a missing verdict means
    nothing.  With ``gaps`` the same goes for all of them.
    """

    evaluations: list[Evaluation] = field(default_factory=list)
    rules: dict[str, PolicySummary] = field(default_factory=dict)
    untold: set[str] = field(default_factory=set)
    gaps: list[Gap] = field(default_factory=list)


def read_config_results(
    place: Place,
    resources: Iterable[Resource],
    *,
    takes: Callable[[str], bool],
    wants: Callable[[str], bool] = lambda _: True,
    strangers: bool = True,
) -> ConfigResults:
    """Read the results of every rule whose policy ``takes`` accepts, on resources of the types that ``wants`` accepts.

    ``resources`` tell which resource a result is about.  One that is not among them keeps the id that AWS
    Config gives, or is left out without ``strangers``.  What is refused is a gap.  Raises `CredentialsError`.
    """
    found = ConfigResults()
    names = _Names(place, resources)
    for policy, rule in _rules(place, takes, found):
        name = str(rule["ConfigRuleName"])
        try:
            for result in place.config.compliance_of_rule(name):
                evaluation = _evaluation(policy, name, result, names)
                if evaluation is None or not wants(evaluation.key.type):
                    continue
                if strangers or evaluation.key in names.known:
                    found.evaluations.append(evaluation)
        except (CredentialsError, GoneError) as error:
            if isinstance(error, CredentialsError):
                raise
            found.untold.add(policy)  # somebody deleted the rule while it was being read
        except AwsError as error:
            found.gaps.append(
                gap_of(error, place.account, place.region, type_name=RULE_TYPE, identifier=name)
            )
    return found


def _rules(
    place: Place, takes: Callable[[str], bool], found: ConfigResults
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rules to read: those that AWS Config has judged; the others are noted in ``found``."""
    try:
        rules = [(policy_of(rule), rule) for rule in place.config.rules()]
        rules = [(policy, rule) for policy, rule in rules if takes(policy)]
        if not rules:
            return
        verdicts = {
            row["ConfigRuleName"]: (row.get("Compliance") or {}).get("ComplianceType", "")
            for row in place.config.compliance_by_rule()
        }
    except AwsError as error:
        found.gaps.append(gap_of(error, place.account, place.region, type_name=RULE_TYPE))
        return
    for policy, rule in rules:
        found.rules.setdefault(policy, _summary(policy, rule))
        verdict = verdicts.get(rule["ConfigRuleName"])
        if verdict in _JUDGED:
            yield policy, rule
        elif verdict != "NOT_APPLICABLE":
            found.untold.add(policy)


def policy_of(rule: Mapping[str, Any]) -> str:
    """The policy that a rule is: a managed rule's identifier; a custom or Guard rule's own name."""
    source = rule.get("Source") or {}
    managed = source.get("Owner") == "AWS" and source.get("SourceIdentifier")
    return str(managed or rule["ConfigRuleName"])


def _summary(policy: str, rule: Mapping[str, Any]) -> PolicySummary:
    managed = policy != rule["ConfigRuleName"]
    types = (rule.get("Scope") or {}).get("ComplianceResourceTypes") or ()
    description = " ".join(str(rule.get("Description") or "").split())
    return PolicySummary(
        id=policy,
        title=f"AWS Config: {rule['ConfigRuleName']}",
        severity=Severity.MEDIUM,
        resource_types=tuple(map(cloudformation_type, types)),
        description=description,
        source=_MANAGED.format(policy.lower().replace("_", "-")) if managed else _OWN,
    )


def _evaluation(policy: str, rule: str, result: Mapping[str, Any], names: _Names) -> Evaluation | None:
    qualifier = (result.get("EvaluationResultIdentifier") or {}).get("EvaluationResultQualifier") or {}
    kind, name = qualifier.get("ResourceType"), qualifier.get("ResourceId")
    if not kind or not name or qualifier.get("EvaluationMode", "DETECTIVE") != "DETECTIVE":
        return None
    compliance = ComplianceType(result.get("ComplianceType", "INSUFFICIENT_DATA"))
    said = " ".join(str(result.get("Annotation") or "").split())
    if not said and compliance is ComplianceType.NON_COMPLIANT:
        said = "The rule gives no reason."
    return Evaluation(
        policy=policy,
        key=names.key(str(kind), str(name)),
        compliance=compliance,
        severity=Severity.MEDIUM,
        message=f"AWS Config rule {rule}: {said}" if said else "",
        judge=JUDGE,
    )


class _Names:
    """From AWS Config's type and id of a resource to its key."""

    def __init__(self, place: Place, resources: Iterable[Resource]) -> None:
        self._place = place
        self.known: set[ResourceKey] = set()
        self._exact: dict[tuple[str, str], ResourceKey] = {}
        self._loose: dict[tuple[str, str], set[ResourceKey]] = {}
        for one in resources:
            self.known.add(one.key)
            if one.config_id:
                self._exact[one.type, one.config_id] = one.key
            for name in filter(None, {one.key.identifier, one.arn, one.name}):
                self._loose.setdefault((one.type, name), set()).add(one.key)

    def key(self, config_type: str, config_id: str) -> ResourceKey:
        """The key; by another name of the resource only where a single one has it."""
        type_name = ACCOUNT if config_type == ACCOUNT else cloudformation_type(config_type)
        exact = self._exact.get((type_name, config_id))
        if exact is not None:
            return exact
        near = self._loose.get((type_name, config_id), set())
        if len(near) == 1:
            return next(iter(near))
        return ResourceKey(
            partition=self._place.partition,
            account=self._place.account,
            region=key_region(type_name, self._place.region),
            type=type_name,
            identifier=config_id,
        )
