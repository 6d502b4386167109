"""Alarm devices (电子保姆): the register, what they report, whom to call, what is watched."""

from dispatch.services.care.alarms.calling import Alarm, alarm_of, calls_of, order_changed, record_call
from dispatch.services.care.alarms.contacts import ContactDraft, ShownContact, add_contact, chain_of, end_contact
from dispatch.services.care.alarms.hearing import Heed, Report, Standing, hear, key_of, lock_devices, note_heard
from dispatch.services.care.alarms.refusing import Reason, clock_is_right, refuse
from dispatch.services.care.alarms.register import (
    DeviceDraft,
    DeviceTaken,
    ListedDevice,
    StaleDevice,
    ask_recovery,
    begin_test,
    events_of,
    find_device,
    install_device,
    list_devices,
    models,
    recover_device,
    register_device,
    shown_device,
)
from dispatch.services.care.alarms.watching import review, watch

__all__ = [
    "Alarm",
    "ContactDraft",
    "DeviceDraft",
    "DeviceTaken",
    "Heed",
    "ListedDevice",
    "Reason",
    "Report",
    "ShownContact",
    "StaleDevice",
    "Standing",
    "add_contact",
    "alarm_of",
    "ask_recovery",
    "begin_test",
    "calls_of",
    "chain_of",
    "clock_is_right",
    "end_contact",
    "events_of",
    "find_device",
    "hear",
    "install_device",
    "key_of",
    "list_devices",
    "lock_devices",
    "models",
    "note_heard",
    "order_changed",
    "record_call",
    "recover_device",
    "refuse",
    "register_device",
    "review",
    "shown_device",
    "watch",
]
