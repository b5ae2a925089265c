"""The form of a policy file: what a person writes, checked by pydantic.

Everything here is text from people; `driftguard.rules.load` makes a `Policy` of it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from driftguard.model import ComplianceType, Severity


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


ParameterType = Literal["string", "integer", "number", "boolean", "list", "json"]


class Parameter(_Part):
    """A parameter, named as AWS Config names it.  Without ``default`` it is required, unless ``optional``."""

    type: ParameterType = Field("string", description="How the value is understood; AWS Config gives texts.")
    default: Any = Field(None, description="The value when nobody sets one.")
    optional: bool = Field(False, description="May stay unset: the expression then sees null.")
    description: str = Field("", description="What it means.")
    allowed: tuple[Any, ...] = Field((), description="The values that it may have.")


class RelatedResource(_Part):
    """Another resource of a case."""

    type: str
    id: str = "Other"
    properties: dict[str, Any] = Field(default_factory=dict)


class TemplateParameter(_Part):
    """A parameter of the template of a case, which the deployment gives."""

    no_echo: bool = False
    default: bool = False


class Case(_Part):
    """One example of a policy with the verdict that it must get."""

    name: str
    expect: ComplianceType
    type: str | None = Field(None, description="The resource type; default: the policy's first.")
    properties: dict[str, Any] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)
    attributes: dict[str, Any] = Field(default_factory=dict, description="DeletionPolicy and its like.")
    related: tuple[RelatedResource, ...] = ()
    template_parameters: dict[str, TemplateParameter] = Field(default_factory=dict)
    account: dict[str, Any] | None = Field(None, description="Account facts.")
    parameters: dict[str, Any] = Field(default_factory=dict)
    live: bool = Field(False, description="Judge as a live resource, not as one of a template.")
    now: str | None = Field(None, description="The moment of judging, ISO 8601.")


class PolicyFile(_Part):
    """One policy."""

    id: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_\-]{2,127}$", description="AWS Config's identifier if there is one."
    )
    aliases: tuple[str, ...] = Field((), description="Other names of the same policy.")
    suppressed_by: tuple[str, ...] = Field(
        (), description="Other names whose suppression counts for it: cfn-nag rules, sister policies."
    )
    title: str = Field(min_length=3, max_length=200)
    title_ko: str = Field("", description="The title in Korean.")
    description: str = ""
    description_ko: str = Field("", description="The description in Korean.")
    severity: Severity
    resource_types: tuple[str, ...] = Field(min_length=1)
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    applies_when: str | None = Field(None, description="Where this is not true the policy is NOT_APPLICABLE.")
    asserts: str = Field(alias="assert", description="What must be true.")
    message: str = Field(min_length=3, description="Said of a resource that fails; {name} is a parameter.")
    message_ko: str = Field("", description="The message in Korean, with the same {name}s.")
    path: str = Field("", pattern=r"^(/.*)?$", description="The property that decides, as a JSON pointer.")
    judges: Literal["both", "template", "live"] = Field("both", description="Where it can be judged.")
    source: str = Field(pattern=r"^https://", description="The document that the policy follows.")
    frameworks: dict[str, tuple[str, ...]] | Literal["custom"] | None = Field(
        None, description="Framework -> controls, `custom`, or nothing when policies/frameworks names it."
    )
    remedy: str | None = Field(None, description="The SSM document or remedy that answers a finding.")
    cases: tuple[Case, ...] = Field(min_length=1)

    @field_validator("severity", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value
