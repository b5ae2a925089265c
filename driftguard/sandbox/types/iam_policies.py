"""IAM: policies of every kind, and instance profiles."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import Adapter, Properties, as_text, changed, document, pick

# What an inline policy can hang on: property, argument and the three calls' suffix.
_HOLDERS = (("Roles", "RoleName", "role"), ("Users", "UserName", "user"), ("Groups", "GroupName", "group"))


class InlinePolicy(Adapter):
    """AWS::IAM::Policy: one inline policy put on several roles, users and groups.

    AWS has no such object.  The id names the policy and, after ``|``, whom it was put on, so that it can
    be found again; AWS generates an opaque one (its form is undocumented, this one is invented).
    """

    type_name = "AWS::IAM::Policy"
    service = "iam"
    tag_property = None
    unordered = ("Roles", "Users", "Groups")

    def create(self, name: str, properties: Properties) -> str:
        self._put(properties)
        holders = [f"{key}={n}" for key, _, _ in _HOLDERS for n in properties.get(key, ())]
        return "|".join([properties["PolicyName"], *holders])

    def read(self, id: str) -> Properties | None:
        policy, *holders = id.split("|")
        shown: Properties = {"Id": id, "PolicyName": policy}
        for key, argument, kind in _HOLDERS:
            for holder in (h.partition("=")[2] for h in holders if h.startswith(f"{key}=")):
                body = self._get(kind, argument, holder, policy)
                if body is not None:
                    shown.setdefault("PolicyDocument", body)
                    shown.setdefault(key, []).append(holder)
        return shown if "PolicyDocument" in shown else None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self._put(new)

    def delete(self, id: str) -> None:
        policy, *holders = id.split("|")
        for key, argument, kind in _HOLDERS:
            for holder in (h.partition("=")[2] for h in holders if h.startswith(f"{key}=")):
                if self._get(kind, argument, holder, policy) is not None:
                    getattr(self.client, f"delete_{kind}_policy")(**{argument: holder, "PolicyName": policy})

    def _put(self, properties: Properties) -> None:
        body = as_text(properties["PolicyDocument"])
        for key, argument, kind in _HOLDERS:
            for holder in properties.get(key, ()):
                put = getattr(self.client, f"put_{kind}_policy")
                put(**{argument: holder, "PolicyName": properties["PolicyName"], "PolicyDocument": body})

    def _get(self, kind: str, argument: str, holder: str, policy: str) -> Any:
        get = getattr(self.client, f"get_{kind}_policy")
        try:
            return document(get(**{argument: holder, "PolicyName": policy})["PolicyDocument"])
        except self.client.exceptions.NoSuchEntityException:
            return None


class RolePolicy(Adapter):
    """The id is the policy's name and the role's, joined by ``|`` as the schema's identifier is."""

    type_name = "AWS::IAM::RolePolicy"
    service = "iam"
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        body = as_text(properties.get("PolicyDocument", {}))
        role, policy = properties["RoleName"], properties["PolicyName"]
        self.client.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=body)
        return f"{policy}|{role}"

    def read(self, id: str) -> Properties | None:
        policy, _, role = id.partition("|")
        found = self.client.get_role_policy(RoleName=role, PolicyName=policy)
        body = document(found["PolicyDocument"])
        return {"PolicyName": policy, "RoleName": role, "PolicyDocument": body}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create("", new)

    def delete(self, id: str) -> None:
        policy, _, role = id.partition("|")
        self.client.delete_role_policy(RoleName=role, PolicyName=policy)

    def identifier(self, id: str) -> str | None:
        return id


class ManagedPolicy(Adapter):
    type_name = "AWS::IAM::ManagedPolicy"
    service = "iam"
    name_property = "ManagedPolicyName"
    name_limit = 128
    tag_property = None
    unordered = ("Roles", "Users", "Groups")

    def create(self, name: str, properties: Properties) -> str:
        made = self.client.create_policy(
            PolicyName=name,
            PolicyDocument=as_text(properties["PolicyDocument"]),
            **pick(properties, "Path", "Description"),
        )
        arn = str(made["Policy"]["Arn"])
        self._attach(arn, {}, properties)
        return arn

    def read(self, id: str) -> Properties | None:
        policy = self.client.get_policy(PolicyArn=id)["Policy"]
        version = self.client.get_policy_version(PolicyArn=id, VersionId=policy["DefaultVersionId"])
        entities = self.client.list_entities_for_policy(PolicyArn=id)
        shown = {
            "ManagedPolicyName": policy["PolicyName"],
            "PolicyArn": id,
            "PolicyDocument": document(version["PolicyVersion"]["Document"]),
            **pick(policy, "Path", "Description", "DefaultVersionId", "AttachmentCount", "PolicyId"),
        }
        for key, name, _ in _HOLDERS:
            holders = [entity[name] for entity in entities[f"Policy{key}"]]
            shown.update({key: holders} if holders else {})
        return shown

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "PolicyDocument"):
            versions = self.client.list_policy_versions(PolicyArn=id)["Versions"]
            spare = [v["VersionId"] for v in versions if not v["IsDefaultVersion"]]
            if len(versions) >= 5:  # IAM keeps five versions of a managed policy
                self.client.delete_policy_version(PolicyArn=id, VersionId=spare[-1])
            body = as_text(new["PolicyDocument"])
            self.client.create_policy_version(PolicyArn=id, PolicyDocument=body, SetAsDefault=True)
        self._attach(id, old, new)

    def delete(self, id: str) -> None:
        self._attach(id, self.read(id) or {}, {})
        for version in self.client.list_policy_versions(PolicyArn=id)["Versions"]:
            if not version["IsDefaultVersion"]:
                self.client.delete_policy_version(PolicyArn=id, VersionId=version["VersionId"])
        self.client.delete_policy(PolicyArn=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_policies").paginate(Scope="Local")
        return [policy["Arn"] for page in pages for policy in page["Policies"]]

    def arn(self, id: str) -> str | None:
        return id

    def _attach(self, arn: str, old: Properties, new: Properties) -> None:
        for key, argument, kind in _HOLDERS:
            before, after = set(old.get(key, ())), set(new.get(key, ()))
            for holder in sorted(after - before):
                getattr(self.client, f"attach_{kind}_policy")(**{argument: holder, "PolicyArn": arn})
            for holder in sorted(before - after):
                getattr(self.client, f"detach_{kind}_policy")(**{argument: holder, "PolicyArn": arn})


class InstanceProfile(Adapter):
    type_name = "AWS::IAM::InstanceProfile"
    service = "iam"
    name_property = "InstanceProfileName"
    name_limit = 128
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        self.client.create_instance_profile(InstanceProfileName=name, Path=properties.get("Path", "/"))
        for role in properties.get("Roles", ()):
            self.client.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
        return name

    def read(self, id: str) -> Properties | None:
        profile = self.client.get_instance_profile(InstanceProfileName=id)["InstanceProfile"]
        roles = [role["RoleName"] for role in profile["Roles"]]
        return {"InstanceProfileName": id, **pick(profile, "Path", "Arn"), "Roles": roles}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        for role in old.get("Roles", ()):
            self.client.remove_role_from_instance_profile(InstanceProfileName=id, RoleName=role)
        for role in new.get("Roles", ()):
            self.client.add_role_to_instance_profile(InstanceProfileName=id, RoleName=role)

    def delete(self, id: str) -> None:
        self.update(id, self.read(id) or {}, {})
        self.client.delete_instance_profile(InstanceProfileName=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_instance_profiles").paginate()
        return [p["InstanceProfileName"] for page in pages for p in page["InstanceProfiles"]]

    def arn(self, id: str) -> str | None:
        found = self.read_or_none(id)
        return found["Arn"] if found else None
