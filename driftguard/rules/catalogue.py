"""The catalogue: all policies, those that are selected, and their verdicts on a resource."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from driftguard.errors import PolicyError
from driftguard.model import ComplianceType, Evaluation, PolicySummary, Resource, Severity, Source
from driftguard.rules.judge import Verdict, judge, prepare
from driftguard.rules.load import ANY_TYPE, duplicate, load_policy, policy_files
from driftguard.rules.policy import Policy, Variant
from driftguard.rules.relations import JudgeContext
from driftguard.settings.policies import Override


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Policies and the errors of the files that could not be loaded."""

    policies: tuple[Policy, ...]
    errors: tuple[PolicyError, ...] = ()
    overrides: tuple[Override, ...] = ()
    excluded: tuple[str, ...] = ()
    """Names that somebody does not want to hear of, wildcards allowed."""
    shelf: tuple[Policy, ...] = ()
    """All policies that there are, those that were not selected included; empty: the same as ``policies``."""
    controls: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict, repr=False)
    """Policy id -> framework -> controls, for policies that are not ours as well."""
    _variants: dict[Any, Variant] = field(default_factory=dict, repr=False, compare=False)
    _by_type: dict[str, tuple[Policy, ...]] = field(default_factory=dict, repr=False, compare=False)

    _by_place: dict[tuple[str, bool], tuple[Variant, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def get(self, name: str) -> Policy | None:
        """The policy with this id or alias."""
        return next((one for one in self.policies if name == one.id or name in one.aliases), None)

    def judged(self) -> Callable[[str], bool]:
        """Whether live resources are judged by the policy of a name, or nobody wants to hear of it."""
        asleep = {one.id for one in self.dormant}
        awake = (one for one in self.policies if one.id not in asleep and one.judges != "template")
        silent = (
            one
            for one in self.shelf or self.policies
            if any(_named(one, pattern) for pattern in self.excluded)
        )
        names = frozenset(name for one in (*awake, *silent) for name in (one.id, *one.aliases))
        return lambda name: (
            name in names or any(fnmatch.fnmatchcase(name, pattern) for pattern in self.excluded)
        )

    def known(self, name: str) -> Policy | None:
        """The policy with this id or alias, whether it was selected or not."""
        return next((one for one in self.shelf or self.policies if name in (one.id, *one.aliases)), None)

    def of_type(self, type_name: str) -> tuple[Policy, ...]:
        """The policies that judge resources of the type."""
        if type_name not in self._by_type:
            self._by_type[type_name] = tuple(
                one
                for one in self.policies
                if type_name in one.resource_types or ANY_TYPE in one.resource_types
            )
        return self._by_type[type_name]

    def summaries(self) -> dict[str, PolicySummary]:
        return {policy.id: policy.summary() for policy in self.policies}

    def words(self) -> dict[str, PolicySummary]:
        """The summaries of every policy that was loaded: one that is not selected any more is still spoken of."""
        return {policy.id: policy.summary() for policy in self.shelf or self.policies}

    @property
    def dormant(self) -> tuple[Policy, ...]:
        """Policies that wait for a required parameter; nothing is judged by them."""
        return tuple(one for one in self.policies if self._default(one).missing and not self._tuned(one))

    def select(
        self,
        *,
        include: Collection[str] = (),
        exclude: Collection[str] = (),
        overrides: Sequence[Override] = (),
        only: Collection[str] | None = None,
    ) -> Catalogue:
        """The policies to judge: those in ``only`` (ids of the chosen frameworks; None: all), and those that
        ``include`` names, without those that ``exclude`` names; names may hold wildcards.

        Raises `PolicyError` for a name or an override that fits no policy, or a wrong parameter.
        """
        for pattern in (*include, *exclude, *(one.policy for one in overrides)):
            if not any(_named(policy, pattern) for policy in self.policies):
                raise PolicyError(
                    f"no policy is called {pattern}.", fix="`driftguard policies list` shows them all."
                )
        chosen = [
            policy
            for policy in self.policies
            if (only is None or policy.id in only or any(_named(policy, name) for name in include))
            and not any(_named(policy, name) for name in exclude)
        ]
        for override in overrides:
            for policy in self.policies:
                if _named(policy, override.policy):
                    policy.values(override.parameters)
        return Catalogue(
            policies=tuple(chosen),
            errors=self.errors,
            overrides=(*self.overrides, *overrides),
            excluded=(*self.excluded, *exclude),
            shelf=self.shelf or self.policies,
            controls=self.controls,
        )

    def evaluate(self, resource: Resource, context: JudgeContext | None = None) -> list[Evaluation]:
        """One `Evaluation` for each policy of the resource's type.  Never raises: a policy that fails is
        INSUFFICIENT_DATA with the reason."""
        context = JudgeContext() if context is None else context
        return [
            _evaluation(resource, variant, verdict) for variant, verdict in self.verdicts(resource, context)
        ]

    def verdicts(self, resource: Resource, context: JudgeContext) -> list[tuple[Variant, Verdict]]:
        """The same as bare pairs, for callers that count."""
        live = resource.source is not Source.TEMPLATE
        if not self.overrides:
            variants = self._untuned(resource.type, live)
            if not variants:
                return []
            prepared = prepare(resource, context)
            return [(variant, judge(variant, prepared)) for variant in variants]
        prepared = prepare(resource, context)
        tuned = (
            self._tuned_variant(policy, resource, context)
            for policy in self.of_type(resource.type)
            if _judges(policy, live)
        )
        return [(variant, judge(variant, prepared)) for variant in tuned if variant is not None]

    def _untuned(self, type_name: str, live: bool) -> tuple[Variant, ...]:
        """The variants for a type when nothing is overridden; those that wait for a parameter are left out."""
        found = self._by_place.get((type_name, live))
        if found is None:
            chosen = (self._default(one) for one in self.of_type(type_name) if _judges(one, live))
            found = self._by_place[type_name, live] = tuple(one for one in chosen if not one.missing)
        return found

    def _default(self, policy: Policy) -> Variant:
        found = self._variants.get(policy.id)
        if found is None:
            found = self._variants[policy.id] = Variant(policy, policy.values({}), policy.severity)
        return found

    def _tuned(self, policy: Policy) -> bool:
        return any(_named(policy, one.policy) and one.parameters for one in self.overrides)

    def _tuned_variant(self, policy: Policy, resource: Resource, context: JudgeContext) -> Variant | None:
        """The policy as it is for this resource; None when it is switched off or waits for a parameter."""
        parameters: dict[str, Any] = {}
        severity, enabled = policy.severity, True
        for one in self.overrides:
            if _named(policy, one.policy) and _covers(one, resource, context):
                parameters.update(one.parameters)
                severity = Severity(one.severity.upper()) if one.severity else severity
                enabled = enabled if one.enabled is None else one.enabled
        if not enabled:
            return None
        key = (policy.id, repr(sorted(parameters.items())), severity)
        if key not in self._variants:
            self._variants[key] = Variant(policy, policy.values(parameters), severity)
        found = self._variants[key]
        return None if found.missing else found


def _judges(policy: Policy, live: bool) -> bool:
    return policy.judges == "both" or (policy.judges == "live") is live


def _named(policy: Policy, pattern: str) -> bool:
    return any(name == pattern or fnmatch.fnmatchcase(name, pattern) for name in (policy.id, *policy.aliases))


def _covers(override: Override, resource: Resource, context: JudgeContext) -> bool:
    if override.accounts and resource.key.account not in override.accounts:
        return False
    if override.environments and context.environment not in override.environments:
        return False
    if override.organizational_units and not set(override.organizational_units) & set(
        context.organizational_units
    ):
        return False
    return all(_has_tag(resource.tags, pair) for pair in override.tags)


def _has_tag(tags: Mapping[str, str], pair: str) -> bool:
    name, _, value = pair.partition("=")
    return name in tags and fnmatch.fnmatchcase(tags[name], value or "*")


def _evaluation(resource: Resource, variant: Variant, verdict: Verdict) -> Evaluation:
    compliance, message = verdict
    policy = variant.policy
    return Evaluation(
        policy=policy.id,
        key=resource.key,
        compliance=compliance,
        severity=variant.severity,
        message=message,
        path=policy.path if compliance is not ComplianceType.NOT_APPLICABLE else "",
        parameters=variant.parameters,
        aliases=policy.aliases,
    )


def load_catalogue(
    folders: Iterable[Path | str], frameworks: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None
) -> Catalogue:
    """Every policy below ``folders``.

    ``frameworks`` maps a policy id to the controls of each framework that ask for it (from
    `driftguard.rules.frameworks`).  A wrong file is an entry of ``errors``; two policies of one name are
    an error of the second.
    """
    policies: list[Policy] = []
    errors: list[PolicyError] = []
    taken: dict[str, Policy] = {}
    for path in policy_files(Path(folder) for folder in folders):
        try:
            policy = load_policy(path)
            for name in (policy.id, *policy.aliases):
                if name in taken:
                    raise duplicate(policy, name, taken[name])
        except PolicyError as error:
            errors.append(error)
            continue
        taken.update(dict.fromkeys((policy.id, *policy.aliases), policy))
        more = (frameworks or {}).get(policy.id)
        policies.append(replace(policy, frameworks={**policy.frameworks, **more}) if more else policy)
    return Catalogue(policies=tuple(policies), errors=tuple(errors), controls=frameworks or {})
