"""Certificate Manager: certificates."""

from __future__ import annotations

from driftguard.sandbox.types.base import Adapter, Properties, pick, tag_changes, tag_list


class Certificate(Adapter):
    """``ValidationMethod`` is write-only."""

    type_name = "AWS::CertificateManager::Certificate"
    service = "acm"
    unordered = ("Tags", "SubjectAlternativeNames")

    def create(self, name: str, properties: Properties) -> str:
        call = pick(
            properties, "DomainName", "SubjectAlternativeNames", "ValidationMethod", "KeyAlgorithm", "Tags"
        )
        return str(self.client.request_certificate(**call)["CertificateArn"])

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_certificate(CertificateArn=id)["Certificate"]
        tags = tag_list(self.client.list_tags_for_certificate(CertificateArn=id)["Tags"])
        # ACM puts the domain name itself into the list of alternative names.
        names = [n for n in found.get("SubjectAlternativeNames", []) if n != found["DomainName"]]
        shown = {"CertificateArn": id, "DomainName": found["DomainName"]}
        return {
            **shown,
            **pick({"SubjectAlternativeNames": names, "Tags": tags}, "SubjectAlternativeNames", "Tags"),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        added, removed = tag_changes(old, new)
        if added:
            self.client.add_tags_to_certificate(CertificateArn=id, Tags=tag_list(added))
        if removed:
            tags = [{"Key": key} for key in removed]
            self.client.remove_tags_from_certificate(CertificateArn=id, Tags=tags)

    def delete(self, id: str) -> None:
        self.client.delete_certificate(CertificateArn=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_certificates").paginate()
        return [c["CertificateArn"] for page in pages for c in page["CertificateSummaryList"]]

    def arn(self, id: str) -> str | None:
        return id
