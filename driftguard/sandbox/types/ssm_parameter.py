"""Parameters of AWS Systems Manager."""

from __future__ import annotations

from driftguard.sandbox.types.base import Adapter, Properties, pick, tag_changes, tag_list


class Parameter(Adapter):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html"""

    type_name = "AWS::SSM::Parameter"
    service = "ssm"
    name_property = "Name"
    name_limit = 1011
    tags_as_map = True

    def create(self, name: str, properties: Properties) -> str:
        tags = tag_list(properties.get("Tags") or {})
        self.client.put_parameter(Name=name, **self._settings(properties), **({"Tags": tags} if tags else {}))
        return name

    def read(self, id: str) -> Properties | None:
        """Description, pattern and tier are write-only in the registry: its handler calls GetParameter alone."""
        found = self.client.get_parameter(Name=id)["Parameter"]
        tags = self.client.list_tags_for_resource(ResourceType="Parameter", ResourceId=id)["TagList"]
        return {
            **pick(found, "Name", "Type", "Value", "DataType"),
            **pick({"Tags": {tag["Key"]: tag["Value"] for tag in tags}}, "Tags"),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.client.put_parameter(Name=id, Overwrite=True, **self._settings(new))
        set_tags, remove = tag_changes(old, new)
        if set_tags:
            self.client.add_tags_to_resource(ResourceType="Parameter", ResourceId=id, Tags=tag_list(set_tags))
        if remove:
            self.client.remove_tags_from_resource(ResourceType="Parameter", ResourceId=id, TagKeys=remove)

    def delete(self, id: str) -> None:
        self.client.delete_parameter(Name=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("describe_parameters").paginate()
        return [row["Name"] for page in pages for row in page["Parameters"]]

    def arn(self, id: str) -> str:
        return str(self.client.get_parameter(Name=id)["Parameter"]["ARN"])

    @staticmethod
    def _settings(properties: Properties) -> Properties:
        return pick(properties, "Type", "Value", "Description", "AllowedPattern", "DataType", "Tier")
