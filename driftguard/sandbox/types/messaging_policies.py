"""SQS and SNS: resource policies and subscriptions."""

from __future__ import annotations

import hashlib

from driftguard.sandbox.types.base import Adapter, Properties, as_text, changed, document, pick


class QueuePolicy(Adapter):
    """One policy document put on several queues.

    The id is opaque in AWS.  Ours is short; which queues it stands on is kept beside it, since no API of
    SQS tells.  The document itself is always read from the queue.
    """

    type_name = "AWS::SQS::QueuePolicy"
    service = "sqs"
    tag_property = None
    unordered = ("Queues",)

    def create(self, name: str, properties: Properties) -> str:
        id = _opaque(properties["Queues"])
        self.context.store("types.sqs.policies")[id] = list(properties["Queues"])
        self._put(properties)
        return id

    def read(self, id: str) -> Properties | None:
        queues = self.context.store("types.sqs.policies").get(id, [])
        shown: list[str] = []
        body = None
        for queue in queues:
            found = self.client.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])
            if policy := found.get("Attributes", {}).get("Policy"):
                shown.append(queue)
                body = body or document(policy)
        return {"Id": id, "Queues": shown, "PolicyDocument": body} if shown else None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        for queue in set(old.get("Queues", ())) - set(new["Queues"]):
            self.client.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
        self.context.store("types.sqs.policies")[id] = list(new["Queues"])
        self._put(new)

    def delete(self, id: str) -> None:
        for queue in self.context.store("types.sqs.policies").pop(id, []):
            self.client.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})

    def _put(self, properties: Properties) -> None:
        text = as_text(properties["PolicyDocument"])
        for queue in properties["Queues"]:
            self.client.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": text})


class TopicPolicy(Adapter):
    """One policy document put on several topics; see :class:`QueuePolicy`."""

    type_name = "AWS::SNS::TopicPolicy"
    service = "sns"
    tag_property = None
    unordered = ("Topics",)

    def create(self, name: str, properties: Properties) -> str:
        id = _opaque(properties["Topics"])
        self.context.store("types.sns.policies")[id] = list(properties["Topics"])
        self._put(properties)
        return id

    def read(self, id: str) -> Properties | None:
        topics = self.context.store("types.sns.policies").get(id, [])
        bodies = [self.client.get_topic_attributes(TopicArn=t)["Attributes"].get("Policy") for t in topics]
        if not bodies:
            return None
        return {"Id": id, "Topics": topics, "PolicyDocument": document(bodies[0])}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.context.store("types.sns.policies")[id] = list(new["Topics"])
        self._put(new)

    def delete(self, id: str) -> None:
        """SNS has no call for it: the topic keeps the document, as it does when CloudFormation deletes."""
        self.context.store("types.sns.policies").pop(id, None)

    def _put(self, properties: Properties) -> None:
        text = as_text(properties["PolicyDocument"])
        for topic in properties["Topics"]:
            self.client.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=text)


class QueueInlinePolicy(Adapter):
    """The policy of one queue, found by the queue."""

    type_name = "AWS::SQS::QueueInlinePolicy"
    service = "sqs"
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        self._put(properties["Queue"], as_text(properties["PolicyDocument"]))
        return str(properties["Queue"])

    def read(self, id: str) -> Properties | None:
        found = self.client.get_queue_attributes(QueueUrl=id, AttributeNames=["Policy"])
        policy = found.get("Attributes", {}).get("Policy")
        return {"Queue": id, "PolicyDocument": document(policy)} if policy else None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self._put(id, as_text(new["PolicyDocument"]))

    def delete(self, id: str) -> None:
        self._put(id, "")

    def _put(self, queue: str, text: str) -> None:
        self.client.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": text})


class TopicInlinePolicy(Adapter):
    """The policy of one topic, found by the topic; every topic has one from its first day."""

    type_name = "AWS::SNS::TopicInlinePolicy"
    service = "sns"
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        topic = str(properties["TopicArn"])
        self.update(topic, {}, properties)
        return topic

    def read(self, id: str) -> Properties | None:
        policy = self.client.get_topic_attributes(TopicArn=id)["Attributes"].get("Policy")
        return {"TopicArn": id, "PolicyDocument": document(policy)} if policy else None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        text = as_text(new["PolicyDocument"])
        self.client.set_topic_attributes(TopicArn=id, AttributeName="Policy", AttributeValue=text)

    def delete(self, id: str) -> None:
        """SNS has no call for it: the topic keeps the document."""


class Subscription(Adapter):
    type_name = "AWS::SNS::Subscription"
    service = "sns"
    tag_property = None

    _FLAGS = ("RawMessageDelivery",)
    _DOCUMENTS = ("FilterPolicy", "DeliveryPolicy", "RedrivePolicy")

    def create(self, name: str, properties: Properties) -> str:
        made = self.client.subscribe(
            **pick(properties, "TopicArn", "Protocol", "Endpoint"), ReturnSubscriptionArn=True
        )
        arn = str(made["SubscriptionArn"])
        self.update(arn, {}, properties)
        return arn

    def read(self, id: str) -> Properties | None:
        found = self.client.get_subscription_attributes(SubscriptionArn=id)["Attributes"]
        shown = {"Arn": id, **pick(found, "TopicArn", "Protocol", "Endpoint", "FilterPolicyScope")}
        for name in self._FLAGS:
            shown[name] = str(found.get(name, "false")).lower() == "true"
        for name in self._DOCUMENTS:
            if found.get(name):
                shown[name] = document(found[name])
        return shown

    def update(self, id: str, old: Properties, new: Properties) -> None:
        for name in (*self._FLAGS, *self._DOCUMENTS, "FilterPolicyScope"):
            if changed(old, new, name):
                value = new.get(name, "" if name not in self._FLAGS else False)
                text = str(value).lower() if name in self._FLAGS else as_text(value)
                self.client.set_subscription_attributes(
                    SubscriptionArn=id, AttributeName=name, AttributeValue=text
                )

    def delete(self, id: str) -> None:
        self.client.unsubscribe(SubscriptionArn=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_subscriptions").paginate()
        return [s["SubscriptionArn"] for page in pages for s in page["Subscriptions"]]

    def arn(self, id: str) -> str | None:
        return id


def _opaque(targets: list[str]) -> str:
    """An opaque id, as AWS gives one; its form is invented."""
    return hashlib.sha256("|".join(targets).encode()).hexdigest()[:20]
