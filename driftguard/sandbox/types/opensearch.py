"""OpenSearch: domains."""

from __future__ import annotations

from driftguard.sandbox.types.base import Adapter, Properties, pick, tag_changes, tag_list

_NAMES = (
    "EngineVersion",
    "ClusterConfig",
    "EBSOptions",
    "DomainEndpointOptions",
    "EncryptionAtRestOptions",
    "NodeToNodeEncryptionOptions",
)
_MODIFIABLE = _NAMES[1:]


class Domain(Adapter):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-opensearchservice-domain.html"""

    type_name = "AWS::OpenSearchService::Domain"
    service = "opensearch"
    name_property = "DomainName"
    lower_case_name = True
    name_limit = 28

    def create(self, name: str, properties: Properties) -> str:
        tags = properties.get("Tags") or []
        self.client.create_domain(DomainName=name, TagList=tags, **pick(properties, *_NAMES))
        return name

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_domain(DomainName=id)["DomainStatus"]
        if found.get("Deleted"):
            return None
        tags = tag_list(self.client.list_tags(ARN=found["ARN"])["TagList"])
        return {
            "DomainName": id,
            "Arn": found["ARN"],
            **pick(found, *_NAMES),
            **({"Tags": tags} if tags else {}),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        call = {name: new[name] for name in _MODIFIABLE if name in new and new[name] != old.get(name)}
        if call:
            self.client.update_domain_config(DomainName=id, **call)
        added, removed = tag_changes(old, new)
        if added:
            self.client.add_tags(ARN=self.arn(id), TagList=tag_list(added))
        if removed:
            self.client.remove_tags(ARN=self.arn(id), TagKeys=removed)

    def delete(self, id: str) -> None:
        self.client.delete_domain(DomainName=id)

    def list_ids(self) -> list[str]:
        return [one["DomainName"] for one in self.client.list_domain_names()["DomainNames"]]

    def arn(self, id: str) -> str:
        where = self.context
        return f"arn:{where.partition}:es:{where.region}:{where.account}:domain/{id}"
