"""EC2: instances, volumes and launch templates."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import Properties, changed, pick
from driftguard.sandbox.types.ec2_base import Ec2Adapter, tags_of


class LaunchTemplate(Ec2Adapter):
    """``LaunchTemplateData`` is write-only in the registry schema: AWS never reads it back here."""

    type_name = "AWS::EC2::LaunchTemplate"
    name_property = "LaunchTemplateName"
    name_limit = 128
    tag_property = None
    describe = (
        "describe_launch_templates",
        "LaunchTemplateIds",
        "LaunchTemplates",
        "LaunchTemplateId",
    )

    def create(self, name: str, properties: Properties) -> str:
        call = {"LaunchTemplateName": name, "LaunchTemplateData": properties["LaunchTemplateData"]}
        if properties.get("TagSpecifications"):
            call["TagSpecifications"] = properties["TagSpecifications"]
        return str(self.client.create_launch_template(**call)["LaunchTemplate"]["LaunchTemplateId"])

    def read(self, id: str) -> Properties | None:
        found = self.found(id)
        if found is None:
            return None
        return {
            **pick(found, "LaunchTemplateId", "LaunchTemplateName"),
            "LatestVersionNumber": str(found["LatestVersionNumber"]),
            "DefaultVersionNumber": str(found["DefaultVersionNumber"]),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "LaunchTemplateData"):
            self.client.create_launch_template_version(
                LaunchTemplateId=id, LaunchTemplateData=new["LaunchTemplateData"]
            )

    def delete(self, id: str) -> None:
        self.client.delete_launch_template(LaunchTemplateId=id)


class Volume(Ec2Adapter):
    type_name = "AWS::EC2::Volume"
    kind = "volume"
    describe = ("describe_volumes", "VolumeIds", "Volumes", "VolumeId")

    def create(self, name: str, properties: Properties) -> str:
        call = pick(
            properties,
            "AvailabilityZone",
            "Encrypted",
            "KmsKeyId",
            "SnapshotId",
            "VolumeType",
            "Iops",
            "Size",
        )
        return str(self.client.create_volume(**call, **self.tagged(properties))["VolumeId"])

    def read(self, id: str) -> Properties | None:
        found = self.found(id)
        if found is None:
            return None
        shown = pick(
            found, "VolumeId", "AvailabilityZone", "Encrypted", "KmsKeyId", "SnapshotId", "VolumeType", "Iops"
        )
        return {**shown, "Size": found["Size"], **tags_of(found)}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "Size", "VolumeType", "Iops"):
            self.client.modify_volume(VolumeId=id, **pick(new, "Size", "VolumeType", "Iops"))
        self.retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_volume(VolumeId=id)


class Instance(Ec2Adapter):
    type_name = "AWS::EC2::Instance"
    kind = "instance"
    unordered = ("Tags", "SecurityGroupIds")
    describe = ("describe_instances", "InstanceIds", "Reservations", "InstanceId")

    def create(self, name: str, properties: Properties) -> str:
        call = pick(
            properties,
            "ImageId",
            "InstanceType",
            "KeyName",
            "SubnetId",
            "SecurityGroupIds",
            "EbsOptimized",
            "UserData",
            "DisableApiTermination",
        )
        if "IamInstanceProfile" in properties:
            call["IamInstanceProfile"] = {"Name": properties["IamInstanceProfile"]}
        if "Monitoring" in properties:
            call["Monitoring"] = {"Enabled": properties["Monitoring"]}
        if "MetadataOptions" in properties:
            call["MetadataOptions"] = properties["MetadataOptions"]
        made = self.client.run_instances(MinCount=1, MaxCount=1, **call, **self.tagged(properties))
        return str(made["Instances"][0]["InstanceId"])

    def found(self, id: str) -> dict[str, Any] | None:
        reservations = self.client.describe_instances(InstanceIds=[id])["Reservations"]
        found = [i for r in reservations for i in r["Instances"] if i["State"]["Name"] != "terminated"]
        return dict(found[0]) if found else None

    def read(self, id: str) -> Properties | None:
        found = self.found(id)
        if found is None:
            return None
        shown = pick(found, "InstanceId", "ImageId", "InstanceType", "KeyName", "SubnetId", "EbsOptimized")
        if profile := found.get("IamInstanceProfile", {}).get("Arn"):
            shown["IamInstanceProfile"] = profile.rsplit("/", 1)[-1]
        shown["SecurityGroupIds"] = [g["GroupId"] for g in found.get("SecurityGroups", [])]
        shown["Monitoring"] = found.get("Monitoring", {}).get("State") == "enabled"
        shown["DisableApiTermination"] = self._attribute(id, "disableApiTermination")
        # Only what is not the default is shown, as for an instance that nobody gave any.
        if found.get("MetadataOptions", {}).get("HttpTokens") == "required":
            shown["MetadataOptions"] = {"HttpTokens": "required"}
        shown.update(_addresses(found))
        return {**shown, **tags_of(found)}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "InstanceType"):
            self.client.stop_instances(InstanceIds=[id])
            self.client.modify_instance_attribute(InstanceId=id, InstanceType={"Value": new["InstanceType"]})
            self.client.start_instances(InstanceIds=[id])
        if changed(old, new, "SecurityGroupIds"):
            self.client.modify_instance_attribute(InstanceId=id, Groups=new["SecurityGroupIds"])
        if changed(old, new, "DisableApiTermination"):
            wanted = bool(new.get("DisableApiTermination", False))
            self.client.modify_instance_attribute(InstanceId=id, DisableApiTermination={"Value": wanted})
        self.retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.terminate_instances(InstanceIds=[id])

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("describe_instances").paginate()
        return [
            instance["InstanceId"]
            for page in pages
            for reservation in page["Reservations"]
            for instance in reservation["Instances"]
            if instance["State"]["Name"] != "terminated"
        ]

    def _attribute(self, id: str, name: str) -> bool:
        answer = self.client.describe_instance_attribute(InstanceId=id, Attribute=name)
        return bool(answer[name[0].upper() + name[1:]]["Value"])


def _addresses(found: dict[str, Any]) -> Properties:
    shown = pick(found, "PrivateDnsName", "PublicDnsName", "VpcId")
    if found.get("PrivateIpAddress"):
        shown["PrivateIp"] = found["PrivateIpAddress"]
    if found.get("PublicIpAddress"):
        shown["PublicIp"] = found["PublicIpAddress"]
    return {**shown, "AvailabilityZone": found["Placement"]["AvailabilityZone"]}
