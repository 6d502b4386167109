"""A calendar as a file that Apple, Google and Outlook read (RFC 5545, names of RFC 7986)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, Timezone, TimezoneStandard

from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.care.entries import VISIT, Entry

PRODUCT = "-//houqing//dispatch care//ZH"
ASK_AGAIN = timedelta(hours=4)
OFFSET = timedelta(hours=8)
SINCE_SUMMER_TIME = datetime(1991, 9, 15, 1)  # noqa: DTZ001 - local, as a zone's own rules are written


def written(entries: Iterable[Entry]) -> bytes:
    """The file: one zone, one event an entry.

    Without METHOD: it would be a message of RFC 5546 then, which names an organiser.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", VISIT)
    calendar.add("x-wr-calname", VISIT)
    calendar.add("x-wr-timezone", SHANGHAI.key)
    calendar.add("refresh-interval", ASK_AGAIN, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", f"PT{ASK_AGAIN // timedelta(hours=1)}H")
    calendar.add_component(zone())
    for entry in entries:
        calendar.add_component(event_of(entry))
    return bytes(calendar.to_ical())


def zone() -> Timezone:
    """Asia/Shanghai as it has been since the last summer time (1991): eight hours, always."""
    made, always = Timezone(), TimezoneStandard()
    made.add("tzid", SHANGHAI.key)
    always.add("dtstart", SINCE_SUMMER_TIME)
    always.add("tzoffsetfrom", OFFSET)
    always.add("tzoffsetto", OFFSET)
    always.add("tzname", "CST")
    made.add_component(always)
    return made


def event_of(entry: Entry) -> Event:
    """One event: a window in Shanghai's time, else the whole day. Its stamp is its last change: same is same."""
    event = Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", entry.changed_at.astimezone(UTC))
    event.add("last-modified", entry.changed_at.astimezone(UTC))
    event.add("sequence", entry.sequence)
    event.add("summary", entry.words)
    event.add("status", "CANCELLED" if entry.is_off else "CONFIRMED")
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT" if entry.window is None or entry.is_off else "OPAQUE")
    if entry.where:
        event.add("location", entry.where)
    if entry.window is None:
        event.add("dtstart", entry.day)
        event.add("dtend", entry.day + timedelta(days=1))
    else:
        event.add("dtstart", entry.window[0].astimezone(SHANGHAI))
        event.add("dtend", entry.window[1].astimezone(SHANGHAI))
    return event
