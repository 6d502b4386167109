"""Messages that leave the house: signed webhooks and e-mail, and their twin in memory."""

from dispatch.gateways.messages.message import Message, Refused, Uncertain
from dispatch.gateways.messages.twins import Remembered, Trouble
from dispatch.gateways.messages.way import Messages, Network, send

__all__ = ["Message", "Messages", "Network", "Refused", "Remembered", "Trouble", "Uncertain", "send"]
