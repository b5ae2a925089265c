"""IAM roles."""

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
)


class Role(Adapter):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html"""

    type_name = "AWS::IAM::Role"
    service = "iam"
    name_property = "RoleName"
    unordered = ("ManagedPolicyArns", "Policies", "Tags")

    def create(self, name: str, properties: Properties) -> str:
        self.client.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=as_text(properties["AssumeRolePolicyDocument"]),
            Path=properties.get("Path", "/"),
            **pick(properties, "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags"),
        )
        self._policies(name, {}, properties)
        return name

    def read(self, id: str) -> Properties:
        role = self.client.get_role(RoleName=id)["Role"]
        attached = self.client.list_attached_role_policies(RoleName=id)["AttachedPolicies"]
        inline = self.client.list_role_policies(RoleName=id)["PolicyNames"]
        boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return {
            **pick(role, "RoleName", "RoleId", "Arn", "Path", "Description", "MaxSessionDuration"),
            "AssumeRolePolicyDocument": document(role["AssumeRolePolicyDocument"]),
            "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached],
            "Policies": [
                {
                    "PolicyName": name,
                    "PolicyDocument": document(
                        self.client.get_role_policy(RoleName=id, PolicyName=name)["PolicyDocument"]
                    ),
                }
                for name in inline
            ],
            **({"PermissionsBoundary": boundary} if boundary else {}),
            **pick({"Tags": tag_list(role.get("Tags"))}, "Tags"),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "AssumeRolePolicyDocument"):
            trust = as_text(new["AssumeRolePolicyDocument"])
            self.client.update_assume_role_policy(RoleName=id, PolicyDocument=trust)
        if changed(old, new, "Description", "MaxSessionDuration"):
            seconds = int(new.get("MaxSessionDuration", 3600))
            self.client.update_role(
                RoleName=id, Description=new.get("Description", ""), MaxSessionDuration=seconds
            )
        if changed(old, new, "PermissionsBoundary"):
            if boundary := new.get("PermissionsBoundary"):
                self.client.put_role_permissions_boundary(RoleName=id, PermissionsBoundary=boundary)
            else:
                self.client.delete_role_permissions_boundary(RoleName=id)
        self._policies(id, old, new)
        set_tags, remove = tag_changes(old, new)
        if set_tags:
            self.client.tag_role(RoleName=id, Tags=tag_list(set_tags))
        if remove:
            self.client.untag_role(RoleName=id, TagKeys=remove)

    def delete(self, id: str) -> None:
        # Only what CloudFormation itself has attached would go on AWS; the rest makes the delete fail
        # there. Here everything attached goes, so that a changed role does not block a stack's deletion.
        for policy in self.client.list_attached_role_policies(RoleName=id)["AttachedPolicies"]:
            self.client.detach_role_policy(RoleName=id, PolicyArn=policy["PolicyArn"])
        for name in self.client.list_role_policies(RoleName=id)["PolicyNames"]:
            self.client.delete_role_policy(RoleName=id, PolicyName=name)
        self.client.delete_role(RoleName=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_roles").paginate()
        return [role["RoleName"] for page in pages for role in page["Roles"]]

    def arn(self, id: str) -> str:
        return str(self.client.get_role(RoleName=id)["Role"]["Arn"])

    def _policies(self, name: str, old: Properties, new: Properties) -> None:
        before, after = (list(p.get("ManagedPolicyArns") or []) for p in (old, new))
        for arn in after:
            if arn not in before:
                self.client.attach_role_policy(RoleName=name, PolicyArn=arn)
        for arn in before:
            if arn not in after:
                self.client.detach_role_policy(RoleName=name, PolicyArn=arn)
        inline_before, inline_after = (
            {policy["PolicyName"]: policy["PolicyDocument"] for policy in p.get("Policies") or []}
            for p in (old, new)
        )
        for policy, content in inline_after.items():
            if inline_before.get(policy) != content:
                self.client.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=as_text(content))
        for policy in inline_before:
            if policy not in inline_after:
                self.client.delete_role_policy(RoleName=name, PolicyName=policy)
