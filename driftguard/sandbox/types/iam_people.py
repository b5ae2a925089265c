"""IAM: users and groups."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import Adapter, Properties, as_text, document, pick, tag_changes, tag_list


class _Holder(Adapter):
    """A user or a group: a name, a path, attached and inline policies."""

    service = "iam"
    kind = ""
    argument = ""
    name_limit = 64
    unordered = ("Tags", "ManagedPolicyArns", "Policies", "Groups")

    def _call(self, verb: str, suffix: str, **arguments: Any) -> Any:
        return getattr(self.client, f"{verb}_{self.kind}{suffix}")(**arguments)

    def _policies(self, id: str) -> Properties:
        who = {self.argument: id}
        attached = self.client.get_paginator(f"list_attached_{self.kind}_policies").paginate(**who)
        arns = [p["PolicyArn"] for page in attached for p in page["AttachedPolicies"]]
        inline = [
            {
                "PolicyName": name,
                "PolicyDocument": document(
                    self._call("get", "_policy", **who, PolicyName=name)["PolicyDocument"]
                ),
            }
            for name in self._call("list", "_policies", **who)["PolicyNames"]
        ]
        return pick({"ManagedPolicyArns": arns, "Policies": inline}, "ManagedPolicyArns", "Policies")

    def update(self, id: str, old: Properties, new: Properties) -> None:
        who = {self.argument: id}
        before, after = set(old.get("ManagedPolicyArns", ())), set(new.get("ManagedPolicyArns", ()))
        for arn in sorted(after - before):
            self._call("attach", "_policy", **who, PolicyArn=arn)
        for arn in sorted(before - after):
            self._call("detach", "_policy", **who, PolicyArn=arn)
        for policy in new.get("Policies", ()):
            body = as_text(policy["PolicyDocument"])
            self._call("put", "_policy", **who, PolicyName=policy["PolicyName"], PolicyDocument=body)
        kept = {policy["PolicyName"] for policy in new.get("Policies", ())}
        for policy in old.get("Policies", ()):
            if policy["PolicyName"] not in kept:
                self._call("delete", "_policy", **who, PolicyName=policy["PolicyName"])

    def delete(self, id: str) -> None:
        self.update(id, self.read(id) or {}, {})
        self._call("delete", "", **{self.argument: id})

    def arn(self, id: str) -> str | None:
        found = self.read_or_none(id)
        return found["Arn"] if found else None


class User(_Holder):
    type_name = "AWS::IAM::User"
    name_property = "UserName"
    kind, argument = "user", "UserName"

    def create(self, name: str, properties: Properties) -> str:
        call = pick(properties, "Path", "Tags", "PermissionsBoundary")
        self.client.create_user(UserName=name, **call)
        if password := properties.get("LoginProfile", {}).get("Password"):
            self.client.create_login_profile(UserName=name, Password=password)
        self.update(name, {"Tags": properties.get("Tags", [])}, properties)
        return name

    def read(self, id: str) -> Properties | None:
        user = self.client.get_user(UserName=id)["User"]
        groups = [g["GroupName"] for g in self.client.list_groups_for_user(UserName=id)["Groups"]]
        tags = tag_list(self.client.list_user_tags(UserName=id)["Tags"])
        boundary = user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        more = {"Groups": groups, "Tags": tags, "PermissionsBoundary": boundary}
        return {
            "UserName": id,
            **pick(user, "Path", "Arn"),
            **self._policies(id),
            **pick(more, "Groups", "Tags", "PermissionsBoundary"),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        super().update(id, old, new)
        before, after = set(old.get("Groups", ())), set(new.get("Groups", ()))
        for group in sorted(after - before):
            self.client.add_user_to_group(UserName=id, GroupName=group)
        for group in sorted(before - after):
            self.client.remove_user_from_group(UserName=id, GroupName=group)
        added, removed = tag_changes(old, new)
        if added:
            self.client.tag_user(UserName=id, Tags=tag_list(added))
        if removed:
            self.client.untag_user(UserName=id, TagKeys=removed)

    def delete(self, id: str) -> None:
        for key in self.client.list_access_keys(UserName=id)["AccessKeyMetadata"]:
            self.client.delete_access_key(UserName=id, AccessKeyId=key["AccessKeyId"])
        super().delete(id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_users").paginate()
        return [user["UserName"] for page in pages for user in page["Users"]]


class Group(_Holder):
    type_name = "AWS::IAM::Group"
    name_property = "GroupName"
    name_limit = 128
    tag_property = None
    kind, argument = "group", "GroupName"

    def create(self, name: str, properties: Properties) -> str:
        self.client.create_group(GroupName=name, **pick(properties, "Path"))
        self.update(name, {}, properties)
        return name

    def read(self, id: str) -> Properties | None:
        group = self.client.get_group(GroupName=id)["Group"]
        return {"GroupName": id, **pick(group, "Path", "Arn"), **self._policies(id)}

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_groups").paginate()
        return [group["GroupName"] for page in pages for group in page["Groups"]]
