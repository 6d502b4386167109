"""Notices, alarms and inboxes: who must be told what, each once."""

from dispatch.services.notify.alarms import (
    clear_alarms,
    clear_together,
    open_alarms,
    raise_alarm,
    raise_alarms,
    see_alarm,
)
from dispatch.services.notify.inbox import inbox_of, link_token, mark_read, unread_count
from dispatch.services.notify.incoming import find_sender, take_once
from dispatch.services.notify.letters import (
    APPOINTMENT,
    APPOINTMENT_OFFER,
    APPOINTMENT_OVER,
    Letter,
    write_letter,
    write_letters,
)
from dispatch.services.notify.tell import PerformerNotice, tell_performer, tell_performers, tell_user, write_notices

__all__ = [
    "APPOINTMENT",
    "APPOINTMENT_OFFER",
    "APPOINTMENT_OVER",
    "Letter",
    "PerformerNotice",
    "clear_alarms",
    "clear_together",
    "find_sender",
    "inbox_of",
    "link_token",
    "mark_read",
    "open_alarms",
    "raise_alarm",
    "raise_alarms",
    "see_alarm",
    "take_once",
    "tell_performer",
    "tell_performers",
    "tell_user",
    "unread_count",
    "write_letter",
    "write_letters",
    "write_notices",
]
