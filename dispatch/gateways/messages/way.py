"""Which way messages go: the network, or a twin."""

from typing import Any

from dispatch.gateways.messages import mail, webhook
from dispatch.gateways.messages.message import Message, Refused
from dispatch.rules.notify.delivery import Channel

SENDERS = {Channel.WEBHOOK: webhook.post, Channel.EMAIL: mail.post}


class Network:
    """The real way out."""

    @classmethod
    def send(cls, message: Message) -> str:
        """Send by the message's channel; raises Refused for one that has no way out."""
        sender = SENDERS.get(Channel(message.channel))
        if sender is None:
            raise Refused
        return sender(message)


class Messages:
    """Which way messages go: the network, or a twin (tests, simulation)."""

    way: Any = Network


def send(message: Message) -> str:
    """Send one message; returns the receiver's reference. Raises Refused, Unavailable, Uncertain."""
    reference: str = Messages.way.send(message)
    return reference
