"""When a message may leave the house again, and when a human is told instead.

Source: promise.md, “a limit that is said aloud” and design 5: a webhook's receiver dedupes, e-mail does not.
"""

import re
from enum import StrEnum

from dispatch.rules.queue import MOST_ATTEMPTS

MOST_SENDINGS_WITHOUT_DEDUPE = 2


class Channel(StrEnum):
    """How a notice reaches its receiver."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    APP = "app"


class AfterCrash(StrEnum):
    """What to do with a message that was being sent when its sender ended without a word."""

    SEND_AGAIN = "send_again"
    GIVE_UP_UNKNOWN = "give_up_unknown"


_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}", re.ASCII)


def is_email(text: str) -> bool:
    """Whether a text can be the address of a mail box."""
    return _EMAIL.fullmatch(text) is not None


DEDUPES = frozenset({Channel.WEBHOOK})


def after_crash(channel: Channel, attempts: int) -> AfterCrash:
    """Whether a message that may have arrived is sent again after `attempts` sendings.

    A receiver that dedupes gets the same bytes again; any other one gets a message at most twice.
    """
    if channel in DEDUPES or attempts < MOST_SENDINGS_WITHOUT_DEDUPE:
        return AfterCrash.SEND_AGAIN
    return AfterCrash.GIVE_UP_UNKNOWN


def is_last_try(job_attempts: int) -> bool:
    """Whether a failure of this try of the job ends it: the desk is alarmed and nothing is tried again.

    The wait between the tries is that of every job (rules/queue.back_off_seconds).
    """
    return job_attempts >= MOST_ATTEMPTS
