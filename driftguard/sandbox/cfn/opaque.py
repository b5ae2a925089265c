"""Types that exist only inside a stack and have nothing to show: kept as they are declared."""

from __future__ import annotations

from typing import Any, ClassVar

from driftguard.sandbox.types.base import Adapter, Properties


class _Opaque(Adapter):
    """Lives in a store of the account and region, and is never checked for drift."""

    tag_property: ClassVar[str | None] = None

    def _store(self) -> dict[str, Any]:
        return self.context.store(f"cfn.opaque.{self.type_name}")

    def create(self, name: str, properties: Properties) -> str:
        self._store()[name] = properties
        return name

    def read(self, id: str) -> Properties | None:
        found: Properties | None = self._store().get(id)
        return found

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self._store()[id] = new

    def delete(self, id: str) -> None:
        self._store().pop(id, None)


class CdkMetadata(_Opaque):
    """https://docs.aws.amazon.com/cdk/v2/guide/usage-data.html"""

    type_name = "AWS::CDK::Metadata"


class WaitConditionHandle(_Opaque):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-waitconditionhandle.html"""

    type_name = "AWS::CloudFormation::WaitConditionHandle"


OPAQUE = frozenset({CdkMetadata.type_name, WaitConditionHandle.type_name})
