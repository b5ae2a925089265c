"""Looking again, for remediation: the world a plan is made from, and one resource before and after a step."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import orjson

from driftguard.aws import Place, Target
from driftguard.compare.patch import apply_patch
from driftguard.compare.tables import defaults
from driftguard.errors import AwsError, CredentialsError, GoneError
from driftguard.live import ACCOUNT, cloud_control, read_account, service_reads
from driftguard.model import (
    ComplianceType,
    DeclaredResource,
    Drift,
    DriftStatus,
    Finding,
    Json,
    Resource,
    ResourceKey,
    Snapshot,
)
from driftguard.model.remediation import ActionKind, Step
from driftguard.remediation.away import whole_resource
from driftguard.remediation.material import Material, TemplateText
from driftguard.remediation.values import ABSENT, at, settings_patch
from driftguard.rules import JudgeContext, Neighbours, facts_of
from driftguard.scan import account_facts
from driftguard.scan.discreet import known_secrets
from driftguard.scan.drifts import Comparer, Rules
from driftguard.scan.job import Job
from driftguard.scan.progress import Silent
from driftguard.scan.read import read
from driftguard.scan.readings import Memory, Readings
from driftguard.schema import split_pointer

_GLOBAL_REGION = "us-east-1"
_AT_ONCE = 8
_MOST_RELATED = 100
_RELATED = re.compile(r"(?:related|resources|resource_of)\('(AWS::\w+::\w+)'")


class Again:
    """One fresh reading of the accounts concerned, and single resources read again on demand.

    Whole accounts are read, never single stacks: what other stacks write into a resource is only known then.
    """

    def __init__(self, job: Job, accounts: Iterable[str]) -> None:
        self._job = job
        self._secrets: frozenset[str] = frozenset()
        self._accounts = frozenset(accounts)

    @cached_property
    def readings(self) -> Readings:
        settings = self._job.settings
        narrowed = settings.model_copy(
            update={
                "scan": settings.scan.model_copy(update={"native_drift": False}),
                "policies": settings.policies.model_copy(update={"aws_config_results": False}),
            }
        )
        return read(
            self._job.aws,
            self._targets,
            narrowed,
            now=self._job.clock(),
            progress=Silent(),
            cancelled=lambda: False,
            repository=self._job.repository,
            baselines=self._job.baselines,
            facts=facts_of(self._job.catalogue.policies),
        )

    @cached_property
    def _targets(self) -> tuple[Target, ...]:
        return tuple(one for one in self._job.aws.targets() if one.account in self._accounts)

    @cached_property
    def declared(self) -> Mapping[ResourceKey, DeclaredResource]:
        return {one.key: one for one in self.readings.declared if one.key is not None}

    def region_of(self, key: ResourceKey) -> str:
        """Where a resource is spoken to: IAM and its like in us-east-1, or the first region of the scope."""
        if key.region != "global":
            return key.region
        regions = [one.region for one in self._targets if one.account == key.account]
        return _GLOBAL_REGION if _GLOBAL_REGION in regions or not regions else regions[0]

    def place(self, key: ResourceKey) -> Place:
        """The place of a resource, with the role that only reads."""
        return self._job.aws.place(key.account, self.region_of(key))

    def read(self, key: ResourceKey) -> Resource | None:
        """The resource as it is now, ``None`` when AWS says that it is gone.  Raises `AwsError`."""
        known = self.readings.snapshot.resources.get(key)
        try:
            if key.type == ACCOUNT:
                facts = (
                    one
                    for one in read_account(self.place(key), facts_of(self._job.catalogue.policies))
                    if isinstance(one, Resource)
                )
                return account_facts.split({one.key: one for one in facts}).get(key)
            if key.type in service_reads.TYPES and key in self.declared:
                return service_reads.read(self.place(key), self.declared[key], key)
            if not cloud_control.readable(self.place(key), key.type):
                return known
            found = cloud_control.read(self.place(key), key.type, key.identifier)
        except GoneError:
            return None
        return replace(
            found,
            key=key,
            name=found.name or (known.name if known else None),
            arn=found.arn or (known.arn if known else None),
            tags={**(known.tags if known else {}), **found.tags},
        )

    def drift(self, declared: DeclaredResource, live: Resource | None) -> Drift:
        """The comparison of one declared resource with ``live``."""
        snapshot = self.readings.snapshot
        resources = {live.key: live} if live is not None else {}
        deleted = frozenset() if live is not None or declared.key is None else frozenset({declared.key})
        readings = replace(
            self.readings,
            declared=[declared],
            snapshot=Snapshot(taken_at=snapshot.taken_at, resources=resources, deleted=deleted),
            native=(),
        )
        keys = [declared.key] if declared.key is not None else []
        memory = Memory(witnesses=self._job.store.witnesses(keys))
        settings = self._job.settings.scan
        rules = Rules(ignore=settings.ignore, undeclared=settings.undeclared, unmanaged=False)
        return next(iter(Comparer(readings, memory, rules, self._job.redactor.properties).drifts()))

    def judge(self, step: Step, live: Resource | None) -> tuple[bool | None, str]:
        """Whether the fault of a step is gone, ``None`` when it cannot be told; and a sentence."""
        if live is None and step.deletes:
            return True, "The resource does not exist any more, as planned."
        if whole_resource(step):
            return False, "The resource still exists."
        if step.action is ActionKind.REVERT_DRIFT:
            return self._judge_stack(step)
        fixed, said = self._judge_fault(step, live)
        for policy in step.also if fixed else ():
            met, why = self._judge_policy(policy, live)
            if not met:
                return met, f"{said} {why}"
            said = f"{said} {why}"
        return fixed, said

    def _judge_stack(self, step: Step) -> tuple[bool | None, str]:
        """Every resource that the change set was for, by a new reading: what was made again has another name."""
        fresh = Again(self._job, {step.key.account})
        names = set(step.parameters["LogicalResourceIds"])
        found = [
            one
            for one in fresh.declared.values()
            if one.stack_id == step.stack_id and one.logical_id in names
        ]
        if len(found) < len(names):
            return None, f"Stack {step.stack} does not show all of {', '.join(sorted(names))} yet."
        for declared in found:
            assert declared.key is not None
            fixed, said = fresh.judge_drift(declared, fresh.read(declared.key))
            if not fixed:
                return fixed, f"{declared.logical_id}: {said}"
        return True, f"{', '.join(sorted(names))}: as the template declares."

    def _judge_fault(self, step: Step, live: Resource | None) -> tuple[bool | None, str]:
        if step.policy:
            return self._judge_policy(step.policy, live)
        declared = self.declared.get(step.key)
        if declared is None:
            return None, "No stack declares the resource any more, so there is nothing to compare it with."
        return self.judge_drift(declared, live)

    def judge_drift(self, declared: DeclaredResource, live: Resource | None) -> tuple[bool | None, str]:
        """Whether a resource is as it is declared, and a sentence."""
        drift = _restored(self.drift(declared, live))
        if drift.status is DriftStatus.IN_SYNC and not drift.drifted:
            return True, "The resource is as its template declares it."
        if not drift.drifted:
            return None, f"The resource could not be compared ({drift.status})."
        places = [one.path for one in drift.differences] or [v.path for v in drift.undeclared if v.confirmed]
        return False, f"It still differs ({drift.status}) at {', '.join(places) or 'the resource itself'}."

    def accept(self, step: Step, live: Resource) -> None:
        """The witness of the resource takes over what an approved step set, and nothing else."""
        witness = self._job.store.witnesses([step.key]).get(step.key)
        if witness is None:
            return
        now = self._job.redactor.properties(step.key.type, live.properties)
        wanted = {change.path: at(now, change.path) for change in step.expected if change.path}
        state = apply_patch(settings_patch(wanted, witness.properties), witness.properties)
        self._job.store.put_witnesses(
            {step.key: state}, actor="driftguard", reason=f"set by {step.title}", at=witness.accepted_at
        )

    def _judge_policy(self, policy: str, live: Resource | None) -> tuple[bool | None, str]:
        if live is None:
            return None, "The resource does not exist any more."
        members = [
            one
            for key, one in self.readings.snapshot.resources.items()
            if key.account == live.key.account and key != live.key
        ]
        fixed, said = self._judged(policy, live, members)
        related = self._related(policy, live) if fixed is False else []
        if related:
            # The verdict hangs on other resources, which the step may have made.
            kinds = {one.type for one in related}
            fixed, said = self._judged(
                policy, live, [*(one for one in members if one.type not in kinds), *related]
            )
        return fixed, said

    def _judged(self, policy: str, live: Resource, members: Sequence[Resource]) -> tuple[bool | None, str]:
        context = JudgeContext(
            now=self._job.clock(),
            neighbours=Neighbours([*members, live]),
            account_facts=account_facts.around(live.key, {one.key: one for one in (*members, live)}),
            environment=self.readings.environments.get(live.key.account, ""),
        )
        for verdict in self._job.catalogue.evaluate(live, context):
            if policy in (verdict.policy, *verdict.aliases):
                if verdict.compliance is ComplianceType.INSUFFICIENT_DATA:
                    return None, verdict.message
                fixed = verdict.compliance is not ComplianceType.NON_COMPLIANT
                return fixed, f"{policy} is {verdict.compliance}. {verdict.message}".strip()
        return None, f"{policy} is not judged on {live.key.type}."

    def _related(self, name: str, live: Resource) -> list[Resource]:
        """The resources of the types that a policy looks at beside its own, as they are now."""
        policy = self._job.catalogue.get(name)
        place = self.place(live.key)
        found: list[Resource] = []
        for kind in sorted(set(_RELATED.findall(policy.asserts.text)) if policy is not None else ()):
            try:
                names = [identifier for identifier, _ in place.cloud_control.list(kind)]
                wanted = [one for one in names if one == live.key.identifier] or names[-_MOST_RELATED:]
                found += [cloud_control.read(place, kind, one) for one in wanted]
            except CredentialsError:
                raise
            except AwsError:
                continue  # the verdict from the first reading stands
        return found

    # -- planning

    def material(self, findings: Sequence[Finding]) -> Material:
        """All that `driftguard.remediation.plan` looks at."""
        keys = list(dict.fromkeys(finding.key for finding in findings))
        fresh, unread = self._fresh(keys)
        declared = [self.declared[key] for key in keys if key in self.declared]
        known = known_secrets(fresh, declared, self._job.redactor).values()
        self._secrets = frozenset().union(*known)
        drifts = {
            key: self.drift(self.declared[key], fresh.get(key))
            for key in keys
            if key in self.declared and key not in unread
        }
        blamed = {one.key: one.changed_by for one in findings if one.changed_by is not None}
        stacks = {one.stack_id: one for one in self.readings.stacks}
        wanted = {
            one.stack_id for key in keys if (one := self.declared.get(key)) is not None and one.stack_id
        }
        return Material(
            now=self._job.clock(),
            findings=findings,
            drifts={key: replace(one, changed_by=blamed.get(key)) for key, one in drifts.items()},
            resources=fresh,
            declared=self.declared,
            stacks=stacks,
            inventory=Counter((key.account, key.type) for key in self._job.store.state_hashes()),
            templates={stack_id: text for stack_id in wanted if (text := self.template(stack_id))},
            secret=self._is_secret,
            meets=self._meets,
            moved={stack_id: self._moved(stack_id) for stack_id in wanted},
            unread=unread,
        )

    def _fresh(
        self, keys: Sequence[ResourceKey]
    ) -> tuple[dict[ResourceKey, Resource], dict[ResourceKey, str]]:
        found: dict[ResourceKey, Resource] = {}
        unread: dict[ResourceKey, str] = {}
        assert self.readings is not None  # read before the threads share it

        def one(key: ResourceKey) -> None:
            try:
                resource = self.read(key)
            except CredentialsError:
                raise
            except AwsError as error:
                unread[key] = str(error)
                return
            if resource is not None:
                found[key] = resource

        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="again") as pool:
            list(pool.map(one, keys))
        return found, unread

    def template(self, stack_id: str) -> TemplateText | None:
        """The template of a stack: the repository's file where there is one, or as it was deployed."""
        stack = next((one for one in self.readings.stacks if one.stack_id == stack_id), None)
        if stack is None:
            return None
        repository = self._job.repository
        source = repository.for_stack(stack.name, stack.account, stack.region) if repository else None
        try:
            if source is not None:
                return TemplateText(file=source.file, text=Path(source.file).read_text("utf-8"), yours=True)
            place = self._job.aws.place(stack.account, stack.region)
            body = place.cloudformation.template(stack_id, "Original")
        except (AwsError, OSError):
            return None
        if isinstance(body, str):
            return TemplateText(file=f"{stack.name}.yaml", text=body)
        text = orjson.dumps(body, option=orjson.OPT_INDENT_2).decode() + "\n"
        return TemplateText(file=f"{stack.name}.json", text=text)

    def _meets(self, policy: str, resource: Resource) -> bool:
        """Whether a policy would hold on a resource in a state that it does not have yet."""
        members = [
            one
            for key, one in self.readings.snapshot.resources.items()
            if key.account == resource.key.account and key != resource.key
        ]
        return self._judged(policy, resource, members)[0] is True

    def _moved(self, stack_id: str) -> tuple[str, ...]:
        """What autoscaling or a deployment has moved in a stack: a change set for its drift would move it back."""
        found = []
        for declared in self.readings.declared:
            if declared.stack_id != stack_id or not declared.tolerated or declared.key is None:
                continue
            live = self.readings.snapshot.resources.get(declared.key)
            places = (one.path for one in declared.tolerated) if live is not None else ()
            if any(
                ABSENT not in (now := at(live.properties, place), was := at(declared.properties, place))
                and now != was
                for place in places
                if live is not None
            ):
                found.append(declared.logical_id)
        return tuple(found)

    def _is_secret(self, kind: str, place: str, value: Json) -> bool:
        return bool(self._job.redactor.at(kind, place, value, self._secrets) != value)


def _restored(drift: Drift) -> Drift:
    """The drift without values that were absent once and stand at their documented default now.

    Some values cannot be taken away again: a bucket's acceleration is ``Suspended`` at best.
    """
    kind = drift.key.type
    left = tuple(
        one
        for one in drift.undeclared
        if not (one.was_absent and one.value in defaults(kind, split_pointer(one.path)))
    )
    return replace(drift, undeclared=left)
