"""From a JMESPath expression to Python source.

The parser is jmespath's own; each node of its tree is translated to a few statements, so that an
evaluation costs dictionary lookups and comparisons and no interpreter.  Only the nodes named here can be
translated, names go in as string literals and values as constants, so that nothing of an expression is
ever run as code.

Two forms come from one tree.  The *plain* one is for resources without holes; the *careful* one decides
with three values (see `driftguard.rules.values`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driftguard.rules.functions import FUNCTIONS, Function

Node = Mapping[str, Any]
MAX_NODES = 2000
_KEYWORDS = ("True", "False", "None")


class EmitError(Exception):
    """The expression says something that has no translation; the text is one sentence for its author."""


class Emitter:
    """Writes one Python function ``judge(p, c)``: properties and context in, the expression's value out."""

    def __init__(self, *, careful: bool, parameters: Mapping[str, Any]) -> None:
        self.careful = careful
        self.parameters = parameters
        self.constants: dict[str, Any] = {}
        self._lines: list[str] = []
        self._booleans: set[str] = set()
        self._depth = 1
        self._count = 0

    def source(self, node: Node, name: str = "judge") -> str:
        """The whole function; `constants` must be in its globals."""
        self._lines, self._depth = [], 1
        result = self._visit(node, "p")
        self._line(f"return {result}")
        return "\n".join([f"def {name}(p, c):", *self._lines, ""])

    def verdict(self, applies: Node | None, asserts: Node) -> str:
        """A function that answers None where ``applies`` is not true, else whether ``asserts`` is.  Plain only."""
        self._lines, self._depth = [], 1
        if applies is not None:
            self._line(f"if not {self._truthy(self._visit(applies, 'p'))}: return None")
        self._line(f"return True if {self._truthy(self._visit(asserts, 'p'))} else False")
        return "\n".join(["def judge(p, c):", *self._lines, ""])

    def _line(self, text: str) -> None:
        self._lines.append("  " * self._depth + text)

    def _new(self) -> str:
        self._count += 1
        if self._count > MAX_NODES:
            raise EmitError("the expression is too long.")
        return f"v{self._count}"

    def _set(self, text: str, *, boolean: bool = False) -> str:
        name = self._new()
        self._line(f"{name} = {text}")
        if boolean:
            self._booleans.add(name)
        return name

    def _truthy(self, name: str) -> str:
        """JMESPath truth in plain Python: 0 is true."""
        if name in _KEYWORDS or name in self._booleans:
            return name
        return f"({name} or {name}.__class__ is int or {name}.__class__ is float)"

    def _constant(self, value: Any) -> str:
        if value is None or value.__class__ is bool:
            return repr(value)
        if value.__class__ is str:
            return repr(value)
        if value.__class__ is int:
            return f"({value!r})"
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def _visit(self, node: Node, cur: str) -> str:
        method = getattr(self, f"_{node['type']}", None)
        if method is None:
            raise EmitError(f"JMESPath's {node['type']} is not supported in policies.")
        name: str = method(node, cur)
        return name

    # -- values ------------------------------------------------------------------------------------

    def _field(self, node: Node, cur: str) -> str:
        other = f"hole_field({cur})" if self.careful else "None"
        return self._set(f"{cur}.get({node['value']!r}) if {cur}.__class__ is dict else {other}")

    def _identity(self, _node: Node, cur: str) -> str:
        return cur

    _current = _identity

    def _literal(self, node: Node, _cur: str) -> str:
        return self._constant(node["value"])

    def _subexpression(self, node: Node, cur: str) -> str:
        for child in node["children"]:
            cur = self._visit(child, cur)
        return cur

    _index_expression = _subexpression
    _pipe = _subexpression

    def _index(self, node: Node, cur: str) -> str:
        other = f"hole_field({cur})" if self.careful else "None"
        at = node["value"]
        inside = f"len({cur}) > {at}" if at >= 0 else f"len({cur}) >= {-at}"
        return self._set(f"({cur}[{at}] if {inside} else None) if {cur}.__class__ is list else {other}")

    def _slice(self, node: Node, cur: str) -> str:
        text = ":".join("" if part is None else repr(part) for part in node["children"])
        other = f"hole_field({cur})" if self.careful else "None"
        return self._set(f"{cur}[{text}] if {cur}.__class__ is list else {other}")

    def _multi_select_list(self, node: Node, cur: str) -> str:
        out = self._set("None")
        self._line(f"if {cur} is not None:")
        self._depth += 1
        parts = [self._visit(child, cur) for child in node["children"]]
        self._line(f"{out} = [{', '.join(parts)}]")
        self._depth -= 1
        return out

    def _multi_select_dict(self, node: Node, cur: str) -> str:
        out = self._set("None")
        self._line(f"if {cur} is not None:")
        self._depth += 1
        parts = [
            f"{child['value']!r}: {self._visit(child['children'][0], cur)}" for child in node["children"]
        ]
        self._line(f"{out} = {{{', '.join(parts)}}}")
        self._depth -= 1
        return out

    # -- lists -------------------------------------------------------------------------------------

    def _loop(self, source: str, out: str, cls: str = "list") -> str:
        """Open ``for`` over the list ``source``; the answer is the element's name."""
        self._line(f"if {source}.__class__ is {cls}:")
        self._depth += 1
        self._line(f"{out} = []")
        item = self._new()
        values = f"{source}.values()" if cls == "dict" else source
        self._line(f"for {item} in {values}:")
        self._depth += 1
        return item

    def _end_loop(self, source: str, out: str) -> None:
        self._depth -= 2
        if self.careful:
            self._line("else:")
            self._line(f"  {out} = hole_field({source})")

    def _append(self, out: str, value: str, why: str) -> None:
        self._line(f"if {value} is not None:")
        if self.careful:
            self._line(f"  {out}.append({value} if {why} is None else Maybe({value}, {why}))")
        else:
            self._line(f"  {out}.append({value})")

    def _open(self, item: str) -> str:
        """Careful form: unwrap a `Maybe` element, remembering why it is one."""
        if not self.careful:
            return "None"
        why = self._set(f"{item}.why if {item}.__class__ is Maybe else None")
        self._line(f"if {why} is not None: {item} = {item}.value")
        return why

    def _projection(self, node: Node, cur: str) -> str:
        base = self._visit(node["children"][0], cur)
        out = self._set("None")
        item = self._loop(base, out)
        why = self._open(item)
        self._append(out, self._visit(node["children"][1], item), why)
        self._end_loop(base, out)
        return out

    def _value_projection(self, node: Node, cur: str) -> str:
        base = self._visit(node["children"][0], cur)
        out = self._set("None")
        item = self._loop(base, out, "dict")
        why = self._open(item)
        self._append(out, self._visit(node["children"][1], item), why)
        self._end_loop(base, out)
        return out

    def _filter_projection(self, node: Node, cur: str) -> str:
        base = self._visit(node["children"][0], cur)
        out = self._set("None")
        item = self._loop(base, out)
        why = self._open(item)
        passed = self._visit(node["children"][2], item)
        if self.careful:
            said = self._set(f"truth({passed})")
            self._line(f"if {said} is not False:")
            self._depth += 1
            self._line(f"if {said} is not True and {why} is None: {why} = {said}")
        else:
            self._line(f"if {self._truthy(passed)}:")
            self._depth += 1
        self._append(out, self._visit(node["children"][1], item), why)
        self._depth -= 1
        self._end_loop(base, out)
        return out

    def _flatten(self, node: Node, cur: str) -> str:
        base = self._visit(node["children"][0], cur)
        return self._set(f"flatten({base})")

    # -- logic -------------------------------------------------------------------------------------

    def _and_expression(self, node: Node, cur: str) -> str:
        return self._either(node, cur, stop=False)

    def _or_expression(self, node: Node, cur: str) -> str:
        return self._either(node, cur, stop=True)

    def _either(self, node: Node, cur: str, *, stop: bool) -> str:
        left = self._visit(node["children"][0], cur)
        out = self._set(left)
        if self.careful:
            said = self._set(f"truth({left})")
            self._line(f"if {said} is not {stop}:")
            self._depth += 1
            right = self._visit(node["children"][1], cur)
            # The left side is a hole: only the right side's stopping value decides.
            self._line(f"if {said} is {not stop} or truth({right}) is {stop}: {out} = {right}")
            self._line(f"else: {out} = {said}")
        else:
            self._line(f"if {'not ' if stop else ''}{self._truthy(left)}:")
            self._depth += 1
            right = self._visit(node["children"][1], cur)
            self._line(f"{out} = {right}")
            if left in self._booleans and right in self._booleans:
                self._booleans.add(out)
        self._depth -= 1
        return out

    def _not_expression(self, node: Node, cur: str) -> str:
        value = self._visit(node["children"][0], cur)
        if self.careful:
            return self._set(f"negate({value})")
        return self._set(f"not {self._truthy(value)}", boolean=True)

    def _comparator(self, node: Node, cur: str) -> str:
        how = node["value"]
        left, right = (self._visit(child, cur) for child in node["children"])
        if how not in ("eq", "ne"):
            if self.careful:
                return self._set(f"ordered({how!r}, {left}, {right})")
            sign = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}[how]
            # Whole numbers first: they are nearly all that is ever ordered.
            sides = [name for name in (left, right) if not name.startswith("(")]
            whole = " and ".join(f"{name}.__class__ is int" for name in sides) or "True"
            return self._set(f"{left} {sign} {right} if {whole} else ordered({how!r}, {left}, {right})")
        if self.careful:
            return self._set(f"{'same' if how == 'eq' else 'differ'}({left}, {right})")
        literal = next((n for n in node["children"] if n["type"] == "literal"), None)
        value = literal["value"] if literal else ...
        if (value is None or value.__class__ is bool) and left.isidentifier() and left not in _KEYWORDS:
            return self._set(f"{left} {'is' if how == 'eq' else 'is not'} {right}", boolean=True)
        if value.__class__ is str:
            return self._set(f"{left} {'==' if how == 'eq' else '!='} {right}", boolean=True)
        return self._set(f"{'' if how == 'eq' else 'not '}equal({left}, {right})", boolean=True)

    # -- functions ---------------------------------------------------------------------------------

    def _expref(self, node: Node, cur: str) -> str:
        """A nested function of one value."""
        name = self._new()
        item = self._new()
        self._line(f"def {name}({item}):")
        self._depth += 1
        self._line(f"return {self._visit(node['children'][0], item)}")
        self._depth -= 1
        return name

    def _function_expression(self, node: Node, cur: str) -> str:
        name, children = node["value"], node["children"]
        if name in ("any", "all"):
            return self._quantifier(name, children, cur)
        if name == "param":
            return self._parameter(children)
        function = FUNCTIONS.get(name)
        if function is None:
            raise EmitError(f"there is no function {name}().")
        function.check(children, EmitError)
        if name == "root":
            return self._visit(children[0]["children"][0], "p")
        arguments = [self._visit(child, cur) for child in children]
        return self._call(function, arguments)

    def _call(self, function: Function, arguments: list[str]) -> str:
        bound = f"f_{function.name}"
        self.constants[bound] = function.run
        if function.context:
            arguments = ["c", *arguments]
        joined = ", ".join(arguments)
        if self.careful and not function.sees_holes:
            return self._set(f"guarded({bound}, {joined})")
        return self._set(f"{bound}({joined})", boolean=function.boolean and not self.careful)

    def _parameter(self, children: list[Node]) -> str:
        if len(children) != 1 or children[0]["type"] != "literal":
            raise EmitError("param() takes one name in single quotes.")
        name = children[0]["value"]
        if name not in self.parameters:
            known = ", ".join(sorted(self.parameters)) or "none"
            raise EmitError(f"param('{name}') is not declared under `parameters` (declared: {known}).")
        return self._constant(self.parameters[name])

    def _quantifier(self, name: str, children: list[Node], cur: str) -> str:
        """``any(list, &expr)`` and ``all(list, &expr)``; null is an empty list, a single value a list of one."""
        if len(children) != 2 or children[1]["type"] != "expref":
            raise EmitError(f"{name}() takes a list and an expression: {name}(List, &Expression).")
        stop = name == "any"
        base = self._visit(children[0], cur)
        if self.careful:
            body = self._visit(children[1], cur)
            return self._set(f"quantify({base}, {body}, {stop})")
        base = self._set(f"{base} if {base}.__class__ is list else [] if {base} is None else [{base}]")
        out = self._set(repr(not stop), boolean=True)
        item = self._new()
        self._line(f"for {item} in {base}:")
        self._depth += 1
        value = self._visit(children[1]["children"][0], item)
        self._line(f"if {'' if stop else 'not '}{self._truthy(value)}:")
        self._line(f"  {out} = {stop}")
        self._line("  break")
        self._depth -= 1
        return out
