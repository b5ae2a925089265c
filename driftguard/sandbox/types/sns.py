"""Amazon SNS topics."""

from __future__ import annotations

from driftguard.sandbox.types.base import Adapter, Properties, as_text, document, pick, tag_changes, tag_list

_TEXTS = ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")
_FLAGS = ("ContentBasedDeduplication", "FifoTopic")


class Topic(Adapter):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html"""

    type_name = "AWS::SNS::Topic"
    service = "sns"
    name_property = "TopicName"
    name_limit = 256
    unordered = ("Subscription", "Tags")

    def create(self, name: str, properties: Properties) -> str:
        attributes = {n: str(properties[n]) for n in _TEXTS if n in properties}
        attributes |= {n: str(properties[n]).lower() for n in _FLAGS if n in properties}
        arn = self.client.create_topic(Name=name, Attributes=attributes, Tags=properties.get("Tags", []))[
            "TopicArn"
        ]
        for subscription in properties.get("Subscription") or []:
            self.client.subscribe(TopicArn=arn, **pick(subscription, "Protocol", "Endpoint"))
        if "ArchivePolicy" in properties:
            self._set(arn, "ArchivePolicy", as_text(properties["ArchivePolicy"]))
        return str(arn)

    def read(self, id: str) -> Properties:
        found = self.client.get_topic_attributes(TopicArn=id)["Attributes"]
        tags = tag_list(self.client.list_tags_for_resource(ResourceArn=id).get("Tags"))
        subscriptions = self.client.list_subscriptions_by_topic(TopicArn=id)["Subscriptions"]
        return {
            "TopicArn": id,
            "TopicName": id.rsplit(":", 1)[1],
            **{name: found[name] for name in _TEXTS if found.get(name)},
            **{name: found[name] == "true" for name in _FLAGS if found.get(name)},
            **({"ArchivePolicy": document(found["ArchivePolicy"])} if found.get("ArchivePolicy") else {}),
            **pick(
                {"Subscription": [pick(s, "Endpoint", "Protocol") for s in subscriptions]}, "Subscription"
            ),
            **({"Tags": tags} if tags else {}),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        for name in (*_TEXTS, "ContentBasedDeduplication"):
            if old.get(name) != new.get(name):
                value = new.get(name, "")
                self._set(id, name, str(value).lower() if isinstance(value, bool) else str(value))
        for subscription in new.get("Subscription") or []:
            if subscription not in (old.get("Subscription") or []):
                self.client.subscribe(TopicArn=id, **pick(subscription, "Protocol", "Endpoint"))
        set_tags, remove = tag_changes(old, new)
        if set_tags:
            self.client.tag_resource(ResourceArn=id, Tags=tag_list(set_tags))
        if remove:
            self.client.untag_resource(ResourceArn=id, TagKeys=remove)

    def delete(self, id: str) -> None:
        self.client.delete_topic(TopicArn=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_topics").paginate()
        return [topic["TopicArn"] for page in pages for topic in page["Topics"]]

    def arn(self, id: str) -> str:
        return id

    def _set(self, arn: str, name: str, value: str) -> None:
        self.client.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
