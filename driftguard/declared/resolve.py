"""A template and what is known about its stack, into declared resources.

The order is CloudFormation's: includes, loops, SAM, then functions.
"""

from __future__ import annotations

from collections.abc import Mapping

from driftguard.declared import expand
from driftguard.declared.context import ResolveContext, Resolved, Unresolved
from driftguard.declared.evaluate import Evaluator, function_of
from driftguard.declared.positions import Locations, Path, join_pointer, source_of
from driftguard.declared.residual import residual
from driftguard.declared.template import INCLUDE, LANGUAGE_EXTENSIONS, SAM, Template, TemplateKind
from driftguard.declared.text import NO_VALUE, first_hole
from driftguard.errors import TemplateError
from driftguard.model import DeclaredResource, Json, Unknown

_HARMLESS = {SAM, LANGUAGE_EXTENSIONS, INCLUDE}
_AWS_OWN = ("AWS::", "aws:")
"""AWS's other transforms add resources of their own and leave the declared ones as they are."""
_OWN_SHAPE = {"Type", "Properties", "Metadata"}


def resolve(template: Template, context: ResolveContext | None = None) -> Resolved:
    """Every resource of ``template`` with its functions replaced by what they mean in ``context``.

    Raises `TemplateError` when the template, or a parameter value, is one that CloudFormation refuses.
    """
    return _Resolution(template, context or ResolveContext()).run()


def expanded(template: Template, context: ResolveContext) -> tuple[Mapping[str, Json], expand.Origins]:
    """The document with includes and loops done and SAM translated, and where its resources came from."""
    document: Mapping[str, Json] = template.document
    origins: expand.Origins = {}
    if INCLUDE in template.transforms or _calls_include(document):
        document = expand.include(template, document)
    if expand.has_loops({key: document.get(key) for key in ("Resources", "Conditions", "Outputs")}):
        if LANGUAGE_EXTENSIONS not in template.transforms:
            raise TemplateError(
                "Fn::ForEach needs the transform AWS::LanguageExtensions.",
                where=template.where(("Resources",)),
            )
        evaluator = Evaluator(template, document, context)
        loops = expand.Loops(template, evaluator.value)
        document = loops.expand(document)
        origins = loops.origins
    if template.kind is TemplateKind.SAM:
        from driftguard.declared.sam import translate

        before = dict(document["Resources"])
        document = translate(template, document, context)
        _trace(origins, before, document["Resources"])
    return document, origins


def macros_of(template: Template) -> list[str]:
    """The template-wide macros of an account's own: any of them may change anything."""
    return [name for name in template.transforms if name not in _HARMLESS and not name.startswith(_AWS_OWN)]


def makes_resources(template: Template) -> bool:
    """Whether a transform of AWS that is not done here may add resources to the template."""
    return any(name not in _HARMLESS and name.startswith(_AWS_OWN) for name in template.transforms)


def _calls_include(value: Json) -> bool:
    if isinstance(value, Mapping):
        return "Fn::Transform" in value or any(_calls_include(item) for item in value.values())
    return isinstance(value, list) and any(_calls_include(item) for item in value)


def _trace(origins: expand.Origins, before: Mapping[str, Json], after: Mapping[str, Json]) -> None:
    """A resource that SAM made stands where the resource stands that its logical id begins with."""
    sources = sorted(before, key=len, reverse=True)
    for logical_id in after:
        if logical_id not in before:
            source = next((name for name in sources if logical_id.startswith(name)), None)
            path = ("Resources",) if source is None else ("Resources", source)
            origins[logical_id] = origins.get(source or "", path)


class _Resolution:
    def __init__(self, template: Template, context: ResolveContext) -> None:
        self._template = template
        self._context = context
        self._document, self._origins = expanded(template, context)
        self._evaluator = Evaluator(template, self._document, context)
        self._unknown: list[Unresolved] = []
        self._detours: dict[Path, Path] = {}
        self._logical_id = ""
        self._macros = macros_of(template)

    def run(self) -> Resolved:
        resources: list[DeclaredResource] = []
        absent: list[str] = []
        for logical_id, body in self._evaluator.resources.items():
            if logical_id.startswith(expand.LOOP):
                reason = f"the collection of {logical_id} cannot be known, so what it makes is not listed"
                self._unknown.append(self._entry((logical_id,), reason, body))
            elif logical_id == "Fn::Transform":
                reason = "what the macro makes cannot be known, so it is not listed"
                self._unknown.append(self._entry((logical_id,), reason, body))
            elif not isinstance(body, Mapping) or not isinstance(body.get("Type"), str):
                raise TemplateError(
                    f"the resource {logical_id} has no Type.",
                    where=self._template.where(self._base(logical_id)),
                )
            elif self._is_absent(logical_id, body):
                absent.append(logical_id)
            else:
                resources.append(self._resource(logical_id, body))
        outputs, exports = self._outputs()
        return Resolved(
            resources=tuple(resources),
            absent=tuple(absent),
            outputs=outputs,
            export_names=exports,
            unknown=tuple(self._unknown),
            conditions={
                name: self._evaluator.conditions.named(name)
                for name in self._document.get("Conditions") or {}
            },
            document=self._document,
            origins=self._origins,
        )

    # -- one resource ---------------------------------------------------------------------------------

    def _is_absent(self, logical_id: str, body: Mapping[str, Json]) -> bool:
        name = body.get("Condition")
        if name is None:
            return False
        known = isinstance(name, str)
        truth = self._evaluator.conditions.named(name) if known else Unknown("its Condition is not a name")
        if isinstance(truth, Unknown):
            self._unknown.append(self._entry((logical_id, "Condition"), truth.reason, name))
            return False
        return not truth

    def _resource(self, logical_id: str, body: Mapping[str, Json]) -> DeclaredResource:
        context = self._context
        self._logical_id, self._detours = logical_id, {}
        properties = self._properties(logical_id, body.get("Properties"))
        metadata = body.get("Metadata")
        metadata = metadata if isinstance(metadata, Mapping) else {}
        construct = metadata.get("aws:cdk:path")
        positions = self._template.positions
        return DeclaredResource(
            type=body["Type"],
            logical_id=logical_id,
            properties=properties,
            account=context.account_id or "",
            region=context.region or "",
            partition=context.effective_partition or "aws",
            stack_id=context.stack_id,
            stack_name=context.stack_name,
            physical_id=context.physical_ids.get(logical_id),
            construct_path=construct if isinstance(construct, str) else None,
            metadata=metadata,
            attributes={
                key: self._evaluator.value(value) for key, value in body.items() if key not in _OWN_SHAPE
            },
            locations=Locations(
                positions,
                self._base(logical_id),
                properties,
                self._detours,
                document=self._template.document,
            )
            if positions is not None
            else {},
        )

    def _properties(self, logical_id: str, node: Json) -> Mapping[str, Json]:
        if node is None:
            return {}
        if not isinstance(node, Mapping):
            raise TemplateError(
                f"the Properties of {logical_id} have to be a map.",
                where=self._template.where((*self._base(logical_id), "Properties")),
            )
        if self._macros:
            reason = f"the macro {', '.join(self._macros)} may change this"
            self._note((), reason, node)
            return {key: Unknown(reason) for key in node}
        value = self._value(node, ())
        if isinstance(value, Mapping):
            return value
        hole = first_hole(value) or Unknown("the properties are not a map")
        if value is NO_VALUE:
            return {}
        # The map as a whole is unknown; each name that it may hold is, so that none is thought checked.
        return {key: Unknown(hole.reason) for key in _possible_names(node)}

    # -- values ---------------------------------------------------------------------------------------

    def _value(self, node: Json, path: Path) -> Json:
        if isinstance(node, Mapping):
            name = function_of(node)
            if name == "Fn::If":
                return self._if(node, path)
            if name is not None:
                return self._known(self._evaluator.call(name, node[name]), node, path)
            opaque = self._evaluator.opaque(node)
            if opaque is not None:
                return self._known(opaque, node, path)
            result: dict[str, Json] = {}
            for key, item in node.items():
                value = self._value(item, (*path, key))
                if value is not NO_VALUE:
                    result[key] = value
            return result
        if isinstance(node, list):
            return self._list(node, path)
        if isinstance(node, str) and ("{{resolve:" in node or self._context.masked):
            return self._known(node, node, path)
        return node

    def _list(self, node: list[Json], path: Path) -> list[Json]:
        result: list[Json] = []
        source = source_of(path, self._detours)
        for index, item in enumerate(node):
            place = (*path, len(result))
            if len(result) != index:
                self._detours[place] = (*source, index)
            value = self._value(item, place)
            if value is not NO_VALUE:
                result.append(value)
        return result

    def _if(self, node: Mapping[str, Json], path: Path) -> Json:
        argument = node["Fn::If"]
        chosen = self._evaluator.branch(argument)
        if isinstance(chosen, Unknown):
            return self._known(self._evaluator.call("Fn::If", argument), node, path)
        self._detours[path] = (*source_of(path, self._detours), "Fn::If", chosen)
        return self._value(argument[chosen], path)

    def _known(self, value: Json, node: Json, path: Path) -> Json:
        """The final form of an evaluated value; a hole in it is noted with what is left of the node."""
        if value is NO_VALUE:
            return value
        value = self._evaluator.final(value)
        hole = first_hole(value)
        if hole is not None:
            self._note(path, hole.reason, node)
        return value

    # -- what could not be known ----------------------------------------------------------------------

    def _note(self, path: Path, reason: str, node: Json) -> None:
        pointer = join_pointer((self._logical_id, "Properties", *path))
        source = (*self._base(self._logical_id), "Properties", *source_of(path, self._detours))
        self._unknown.append(
            Unresolved(
                path=pointer,
                reason=reason,
                expression=residual(self._evaluator, node),
                positions=self._template.positions,
                source=source,
            )
        )

    def _entry(self, path: Path, reason: str, expression: Json) -> Unresolved:
        source = (*self._base(str(path[0])), *path[1:])
        return Unresolved(
            path=join_pointer(path),
            reason=reason,
            expression=expression,
            positions=self._template.positions,
            source=source,
        )

    def _base(self, logical_id: str) -> Path:
        return self._origins.get(logical_id, ("Resources", logical_id))

    # -- outputs --------------------------------------------------------------------------------------

    def _outputs(self) -> tuple[dict[str, Json], dict[str, Json]]:
        values: dict[str, Json] = {}
        exports: dict[str, Json] = {}
        for name, body in (self._document.get("Outputs") or {}).items():
            if not isinstance(body, Mapping) or name.startswith(expand.LOOP):
                continue
            condition = body.get("Condition")
            truth = self._evaluator.conditions.named(condition) if isinstance(condition, str) else True
            if truth is False:
                continue
            value = self._evaluator.final(self._evaluator.value(body.get("Value")))
            values[name] = Unknown(truth.reason) if isinstance(truth, Unknown) else value
            export = body.get("Export")
            if isinstance(export, Mapping):
                exports[name] = self._evaluator.value(export.get("Name"))
        return values, exports


def _possible_names(node: Json) -> list[str]:
    """The property names that an undecided map may hold."""
    if isinstance(node, Mapping):
        name = function_of(node)
        if name == "Fn::If" and isinstance(node[name], list):
            return list(dict.fromkeys(key for item in node[name][1:] for key in _possible_names(item)))
        return [key for key in node if not key.startswith("Fn::") and key != "Ref"]
    return []
