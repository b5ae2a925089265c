"""Systems Manager: documents."""

from __future__ import annotations

from driftguard.sandbox.types.base import (
    Adapter,
    Properties,
    as_text,
    changed,
    document,
    pick,
    tag_changes,
    tag_list,
    unless,
)


class Document(Adapter):
    type_name = "AWS::SSM::Document"
    service = "ssm"
    name_property = "Name"
    name_limit = 128

    def create(self, name: str, properties: Properties) -> str:
        tags = {"Tags": properties["Tags"]} if properties.get("Tags") else {}
        self.client.create_document(
            Name=name,
            Content=as_text(properties["Content"]),
            DocumentType=properties.get("DocumentType", "Command"),
            DocumentFormat=properties.get("DocumentFormat", "JSON"),
            **pick(properties, "TargetType", "VersionName"),
            **tags,
        )
        return name

    def read(self, id: str) -> Properties | None:
        found = self.client.get_document(Name=id, DocumentVersion="$LATEST")
        tags = tag_list(self.client.list_tags_for_resource(ResourceType="Document", ResourceId=id)["TagList"])
        return {
            "Name": id,
            **pick(found, "DocumentType", "DocumentFormat", "VersionName"),
            "Content": document(found["Content"]),
            **({"Tags": tags} if tags else {}),
        }

    def read_or_none(self, id: str) -> Properties | None:
        return unless(lambda: self.read(id), "InvalidDocument")

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "Content"):
            made = self.client.update_document(
                Name=id,
                Content=as_text(new["Content"]),
                DocumentFormat=new.get("DocumentFormat", "JSON"),
                DocumentVersion="$LATEST",
            )
            version = made["DocumentDescription"]["DocumentVersion"]
            self.client.update_document_default_version(Name=id, DocumentVersion=version)
        added, removed = tag_changes(old, new)
        if added:
            self.client.add_tags_to_resource(ResourceType="Document", ResourceId=id, Tags=tag_list(added))
        if removed:
            self.client.remove_tags_from_resource(ResourceType="Document", ResourceId=id, TagKeys=removed)

    def delete(self, id: str) -> None:
        self.client.delete_document(Name=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_documents").paginate(
            Filters=[{"Key": "Owner", "Values": ["Self"]}]
        )
        return [found["Name"] for page in pages for found in page["DocumentIdentifiers"]]
