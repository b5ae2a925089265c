"""AWS Config conformance packs: read, and sorted by who can judge each rule.

https://docs.aws.amazon.com/config/latest/developerguide/conformance-packs.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from driftguard.errors import PolicyError, Where
from driftguard.rules.catalogue import Catalogue
from driftguard.settings.nesting import too_deep
from driftguard.settings.policies import Override

PROCESS_CHECK = "AWS_CONFIG_PROCESS_CHECK"
_IDENTIFIERS = Path(__file__).parent / "data" / "managed_rules.txt"
_MAX_BYTES = 5_000_000
_MAX_DEPTH = 100


class Judge(StrEnum):
    """Who gives the verdict."""

    DRIFTGUARD = "driftguard"
    AWS_CONFIG = "AWS Config"
    MANUAL = "manual"
    UNKNOWN = "unknown"
    """Neither a managed rule that AWS documents nor one of our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRule:
    """One rule of a pack.  ``parameters`` hold what the pack sets; ``problem`` says what could not be kept."""

    name: str
    identifier: str
    judge: Judge
    policy: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """An imported pack.  ``skipped`` are rules that the pack's own conditions leave out."""

    name: str
    rules: tuple[PackRule, ...]
    skipped: tuple[str, ...] = ()
    remediations: int = 0

    def counts(self) -> dict[str, int]:
        return {judge.value: sum(rule.judge is judge for rule in self.rules) for judge in Judge}

    def overrides(self) -> tuple[Override, ...]:
        """The pack's parameters as overrides of our policies."""
        return tuple(
            Override.model_validate({"policy": rule.policy, "parameters": dict(rule.parameters)})
            for rule in self.rules
            if rule.policy is not None and rule.parameters
        )


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


@cache
def managed_rules() -> frozenset[str]:
    """The identifiers of the managed rules that AWS documents."""
    return frozenset(_IDENTIFIERS.read_text(encoding="utf-8").split())


def read_pack(path: Path, catalogue: Catalogue, parameters: Mapping[str, str] | None = None) -> Pack:
    """Read a pack; ``parameters`` replace its defaults.  Raises `PolicyError` when it is no pack."""
    try:
        text = path.read_text(encoding="utf-8")
        if len(text) > _MAX_BYTES:
            raise PolicyError("the file is larger than a conformance pack can be.", where=Where(str(path)))
        deep = too_deep(text, _MAX_DEPTH)
        if deep is not None:
            raise PolicyError(
                "the file is nested too deeply.",
                where=Where(str(path), deep.line + 1),
                fix="Write it flatter.",
            )
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is safe YAML
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise PolicyError(f"the file is not YAML: {error.problem}.", where=Where(str(path), line)) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise PolicyError(f"the file cannot be read: {error}.", where=Where(str(path))) from None
    resources = document.get("Resources") if isinstance(document, dict) else None
    if not isinstance(resources, dict):
        raise PolicyError(
            "the file is no conformance pack.", where=Where(str(path), 1), fix="It needs a Resources section."
        )
    return _Reading(document, catalogue, parameters or {}).pack(path.stem, resources)


class _Reading:
    def __init__(self, document: dict[str, Any], catalogue: Catalogue, given: Mapping[str, str]) -> None:
        declared = document.get("Parameters") or {}
        self._values = {
            name: spec.get("Default") for name, spec in declared.items() if isinstance(spec, dict)
        }
        self._values.update(given)
        self._conditions: dict[str, Any] = document.get("Conditions") or {}
        self._catalogue = catalogue

    def pack(self, name: str, resources: Mapping[str, Any]) -> Pack:
        rules: list[PackRule] = []
        skipped: list[str] = []
        remediations = 0
        for logical_id, body in resources.items():
            if not isinstance(body, dict):
                continue
            if body.get("Type") == "AWS::Config::RemediationConfiguration":
                remediations += 1
            if body.get("Type") not in ("AWS::Config::ConfigRule", "AWS::Config::OrganizationConfigRule"):
                continue
            condition = body.get("Condition")
            if isinstance(condition, str) and not self._truth(self._conditions.get(condition)):
                skipped.append(logical_id)
                continue
            rules.append(self._rule(logical_id, body.get("Properties") or {}))
        return Pack(name=name, rules=tuple(rules), skipped=tuple(skipped), remediations=remediations)

    def _rule(self, logical_id: str, properties: Mapping[str, Any]) -> PackRule:
        source = properties.get("Source") or {}
        identifier = str(source.get("SourceIdentifier", "")) if source.get("Owner") == "AWS" else ""
        name = str(properties.get("ConfigRuleName") or logical_id)
        description = str(properties.get("Description") or "")
        given = self._value(properties.get("InputParameters")) or {}
        parameters = {
            key: value
            for key, value in ((key, self._value(value)) for key, value in given.items())
            if value not in (None, "")
        }
        policy = self._catalogue.get(identifier) if identifier else None
        problem = ""
        if identifier == PROCESS_CHECK:
            judge = Judge.MANUAL
        elif policy is not None:
            judge = Judge.DRIFTGUARD
            try:
                values = policy.values(parameters)
                lacking = [one for one in policy.required if values.get(one) is None]
                if lacking:
                    judge, problem = Judge.AWS_CONFIG, f"the pack sets no {', '.join(lacking)}"
            except PolicyError as error:
                judge, problem = Judge.AWS_CONFIG, error.message
        elif identifier in managed_rules() or source.get("Owner") in ("CUSTOM_LAMBDA", "CUSTOM_POLICY"):
            judge = Judge.AWS_CONFIG
        else:
            judge = Judge.UNKNOWN
        return PackRule(
            name=name,
            identifier=identifier or str(source.get("Owner", "")),
            judge=judge,
            policy=policy.id if policy is not None and judge is Judge.DRIFTGUARD else None,
            parameters=parameters,
            description=description,
            problem=problem,
        )

    # -- the few functions that packs use -----------------------------------------------------------

    def _value(self, value: Any) -> Any:
        if not isinstance(value, dict) or len(value) != 1:
            return value
        name, argument = next(iter(value.items()))
        if name == "Ref":
            return None if argument == "AWS::NoValue" else self._values.get(argument)
        if name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
            chosen = argument[1] if self._truth(self._conditions.get(argument[0])) else argument[2]
            return self._value(chosen)
        return value

    def _truth(self, condition: Any) -> bool:
        """A condition; one that cannot be read keeps its rule, so that nothing is dropped silently."""
        if not isinstance(condition, dict) or len(condition) != 1:
            return True
        name, argument = next(iter(condition.items()))
        if name == "Condition":
            return self._truth(self._conditions.get(argument))
        if name == "Fn::Not" and isinstance(argument, list):
            return not self._truth(argument[0])
        if name in ("Fn::And", "Fn::Or") and isinstance(argument, list):
            return (all if name == "Fn::And" else any)(self._truth(one) for one in argument)
        if name == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
            left, right = (self._value(one) for one in argument)
            return str("" if left is None else left) == str("" if right is None else right)
        return True
