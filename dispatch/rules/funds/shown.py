"""What of an entry is shown: what was handed to one person never says on which ground they were given it.

Source: rules.md §6 (four grounds of eligibility are health and hardship of a person; the statement counts them by
purpose and hides small counts). An entry of a hand-out can be followed to a card, so its ground is shown as `aid` to
everybody; the sums by purpose are in the statements.
"""

from typing import Final

from dispatch.rules.funds.labels import PURPOSE_LABELS
from dispatch.rules.funds.terms import GROUNDS, EntryKind, Purpose

AID: Final = "aid"
AID_LABEL: Final = "救助困难群众"


def purpose_shown(kind: str, purpose: str | None) -> str | None:
    """The purpose of an entry as it leaves the house: `aid` for a hand-out on any of the grounds."""
    return AID if kind == EntryKind.HAND_OUT and purpose in GROUNDS else purpose


def purpose_label(kind: str, purpose: str | None) -> str:
    """The same in Chinese; empty without one."""
    shown = purpose_shown(kind, purpose)
    if shown is None:
        return ""
    return AID_LABEL if shown == AID else PURPOSE_LABELS[Purpose(shown)]
