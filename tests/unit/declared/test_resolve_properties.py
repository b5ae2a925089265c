"""What holds for any template: resolving is idempotent, order means nothing, nothing crashes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from driftguard.cli.commands.resolve import answer_of
from driftguard.declared.context import ResolveContext
from driftguard.declared.resolve import resolve
from driftguard.declared.template import load_template
from driftguard.errors import TemplateError

CONTEXT = ResolveContext(
    region="eu-west-1", account_id="123456789012", availability_zones={"eu-west-1": ("a", "b")}
)
PARAMETERS = {
    "Text": {"Type": "String", "Default": "a-b,c"},
    "List": {"Type": "CommaDelimitedList", "Default": "x,y"},
    "Number": {"Type": "Number", "Default": 1},
    "Missing": {"Type": "String"},
}
CONDITIONS = {
    "True1": {"Fn::Equals": [{"Ref": "Number"}, 1]},
    "False1": {"Fn::Not": [{"Condition": "True1"}]},
    "Maybe": {"Fn::Equals": [{"Ref": "Missing"}, "x"]},
}
NAMES = st.sampled_from(
    ["Text", "List", "Number", "Missing", "AWS::Region", "AWS::StackId", "AWS::NoValue", "R", "Nobody"]
)
SCALARS = st.one_of(
    st.text(max_size=6),
    st.integers(-3, 3),
    st.booleans(),
    st.sampled_from(["${Text}", "${!x}", "${R.Arn}", "?"]),
)


def _functions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=3)
    return st.one_of(
        st.builds(lambda n: {"Ref": n}, NAMES),
        st.builds(lambda n: {"Fn::GetAtt": [n, "Arn"]}, NAMES),
        st.builds(lambda a, b: {"Fn::Sub": f"{a}-${{{b}}}"}, st.sampled_from(["x", "${!y}", ""]), NAMES),
        st.builds(lambda v: {"Fn::Sub": ["${v}/${Text}", {"v": v}]}, inner),
        st.builds(lambda items: {"Fn::Join": ["-", items]}, lists),
        st.builds(lambda v: {"Fn::Split": ["-", v]}, inner),
        st.builds(lambda i, items: {"Fn::Select": [i, items]}, st.integers(0, 2), lists),
        st.builds(lambda c, a, b: {"Fn::If": [c, a, b]}, st.sampled_from(list(CONDITIONS)), inner, inner),
        st.builds(lambda v: {"Fn::Base64": v}, inner),
        st.builds(lambda v: {"Fn::ToJsonString": {"k": v}}, inner),
        st.builds(lambda v: {"Fn::Length": v}, lists),
        lists,
        st.dictionaries(st.sampled_from(["A", "B", "C"]), inner, max_size=3),
    )


VALUES = st.recursive(SCALARS, _functions, max_leaves=8)


def _document(properties: Any) -> dict[str, Any]:
    return {
        "Transform": "AWS::LanguageExtensions",
        "Parameters": PARAMETERS,
        "Conditions": CONDITIONS,
        "Resources": {"T": {"Type": "A::B::C", "Properties": properties}, "R": {"Type": "A::B::R"}},
    }


def _answer(document: dict[str, Any]) -> dict[str, Any]:
    return answer_of(resolve(load_template(json.dumps(document)), CONTEXT))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["P", "Q", "S"]), VALUES, max_size=3))
def test_resolving_the_answer_again_changes_nothing(properties: Any) -> None:
    once = _answer(_document(properties))["resources"]["T"]["Properties"]
    twice = _answer(_document(once))["resources"]["T"]["Properties"]
    assert twice == once


def _shuffled(value: Any, order: bool) -> Any:
    if isinstance(value, dict):
        items = sorted(value.items(), reverse=order)
        return {key: _shuffled(item, order) for key, item in items}
    return [_shuffled(item, order) for item in value] if isinstance(value, list) else value


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["P", "Q", "S"]), VALUES, max_size=3))
def test_the_order_of_keys_means_nothing(properties: Any) -> None:
    # A JSON string that Fn::ToJsonString makes keeps the order of its source, as AWS's does.
    document = json.loads(json.dumps(_document(properties)).replace("Fn::ToJsonString", "Fn::Base64"))
    one, other = (_answer(_shuffled(document, order)) for order in (True, False))
    assert one["resources"] == other["resources"]
    assert sorted(item["path"] for item in one["unknown"]) == sorted(
        item["path"] for item in other["unknown"]
    )


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | SCALARS,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "Ref",
                        "Fn::Sub",
                        "Fn::Join",
                        "Fn::If",
                        "Fn::Select",
                        "Fn::Split",
                        "Fn::FindInMap",
                        "Fn::Cidr",
                        "Fn::GetAtt",
                        "Fn::And",
                        "Fn::Equals",
                        "Fn::ForEach::X",
                        "Fn::Transform",
                        "Fn::ImportValue",
                        "Condition",
                        "A",
                    ]
                ),
                inner,
                max_size=2,
            )
        ),
        max_leaves=10,
    )
)
def test_malformed_arguments_never_crash(value: Any) -> None:
    for document in (
        _document({"P": value}),
        {**_document({}), "Conditions": {"C": value}, "Outputs": {"O": {"Value": value, "Condition": "C"}}},
        {**_document({}), "Parameters": {"P": value}, "Mappings": {"M": value}},
        {"Transform": value, "Resources": {"T": value, "R": {"Type": "A::B::R", "Properties": value}}},
    ):
        try:
            _answer(document)
        except TemplateError as error:
            assert error.where is not None


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="{}[]:,-!&*#?|>'\"% \n\tabRef1:Fn", max_size=60))
def test_any_text_is_a_template_or_a_template_error(text: str) -> None:
    try:
        resolve(load_template(text + "\n"))
    except TemplateError as error:
        assert error.where is not None
