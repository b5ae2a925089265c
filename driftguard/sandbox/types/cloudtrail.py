"""CloudTrail: trails."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import Adapter, Properties, changed, pick, tag_changes, tag_list

# CloudFormation's name, and that of CreateTrail and UpdateTrail.
_ARGUMENTS = {
    "S3BucketName": "S3BucketName",
    "S3KeyPrefix": "S3KeyPrefix",
    "SnsTopicName": "SnsTopicName",
    "IncludeGlobalServiceEvents": "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail": "IsMultiRegionTrail",
    "IsOrganizationTrail": "IsOrganizationTrail",
    "EnableLogFileValidation": "EnableLogFileValidation",
    "KMSKeyId": "KmsKeyId",
    "CloudWatchLogsLogGroupArn": "CloudWatchLogsLogGroupArn",
    "CloudWatchLogsRoleArn": "CloudWatchLogsRoleArn",
}


class Trail(Adapter):
    type_name = "AWS::CloudTrail::Trail"
    service = "cloudtrail"
    name_property = "TrailName"
    name_limit = 128

    def create(self, name: str, properties: Properties) -> str:
        tags = {"TagsList": properties["Tags"]} if properties.get("Tags") else {}
        self.client.create_trail(Name=name, **_arguments(properties), **tags)
        if properties["IsLogging"]:
            self.client.start_logging(Name=name)
        if properties.get("EventSelectors"):
            self.client.put_event_selectors(TrailName=name, EventSelectors=properties["EventSelectors"])
        return name

    def read(self, id: str) -> Properties | None:
        found = self._found(id)
        if found is None:
            return None
        arn = found["TrailARN"]
        described = self.client.list_tags(ResourceIdList=[arn])["ResourceTagList"]
        tags = tag_list(described[0].get("TagsList")) if described else []
        shown = pick({**found, "KMSKeyId": found.get("KmsKeyId")}, *_ARGUMENTS)
        shown["EnableLogFileValidation"] = found["LogFileValidationEnabled"]
        shown["IsLogging"] = self.client.get_trail_status(Name=id)["IsLogging"]
        if selectors := self._selectors(id):
            shown["EventSelectors"] = selectors
        return {"TrailName": id, "Arn": arn, **shown, **({"Tags": tags} if tags else {})}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, *_ARGUMENTS):
            self.client.update_trail(Name=id, **_arguments(new))
        if changed(old, new, "IsLogging"):
            (self.client.start_logging if new["IsLogging"] else self.client.stop_logging)(Name=id)
        if changed(old, new, "EventSelectors") and new.get("EventSelectors"):
            self.client.put_event_selectors(TrailName=id, EventSelectors=new["EventSelectors"])
        added, removed = tag_changes(old, new)
        arn = self.arn(id)
        if added:
            self.client.add_tags(ResourceId=arn, TagsList=tag_list(added))
        if removed:
            self.client.remove_tags(ResourceId=arn, TagsList=[{"Key": key} for key in removed])

    def delete(self, id: str) -> None:
        self.client.delete_trail(Name=id)

    def list_ids(self) -> list[str]:
        trails = self.client.describe_trails(includeShadowTrails=False)["trailList"]
        return [trail["Name"] for trail in trails]

    def arn(self, id: str) -> str | None:
        found = self._found(id)
        return str(found["TrailARN"]) if found else None

    def _selectors(self, id: str) -> list[dict[str, Any]]:
        """The selectors that somebody set: what records management events alone is every trail's default."""
        found = self.client.get_event_selectors(TrailName=id).get("EventSelectors") or []
        return [one for one in found if one.get("DataResources")]

    def _found(self, id: str) -> dict[str, Any] | None:
        """The trail if it is at home in this region; other regions only see its shadow."""
        trails = self.client.describe_trails(trailNameList=[id], includeShadowTrails=False)["trailList"]
        # moto answers every trail, whatever names are asked for.
        mine = (t for t in trails if t["Name"] == id and t["HomeRegion"] == self.context.region)
        return next(mine, None)


def _arguments(properties: Properties) -> Properties:
    return {call: properties[name] for name, call in _ARGUMENTS.items() if name in properties}
