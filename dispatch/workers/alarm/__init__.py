"""The receiver of alarm devices: SIA DC-09 over TCP and UDP, answered only after the commit."""

from dispatch.workers.alarm.judging import Waiting, judge
from dispatch.workers.alarm.limits import Door, Limits, Refusals
from dispatch.workers.alarm.server import Receiver, main

__all__ = ["Door", "Limits", "Receiver", "Refusals", "Waiting", "judge", "main"]
