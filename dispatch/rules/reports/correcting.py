"""Why a statement has another version: in words that stand beside it.

Source: rules.md §6 (a correction is a new version with a note). What was booked in a period stays (decision 0009, 3):
a mistake that is found later is reversed on the day on which it is found, so the period keeps its sums, closes with
what the next one opens with, and says that a part of it was undone later.
"""

from collections.abc import Mapping
from typing import Any, Final

CORRECTION: Final = "按最新记录更正"
UNDONE: Final = "本期有记录后来被冲正（记在冲正当日）"
PARTS: Final = {
    "undone_later": UNDONE,
    "funds": "收支",
    "gifts": "捐赠明细",
    "beneficiaries": "领取人数",
    "beneficiaries_in_all": "领取人数",
    "inspections": "保质期检查",
    "names": "基金名称",
    "journal": "账册摘要",
}
"""What a statement consists of, by the words in which a change of it is told."""


def why(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The note of a version: what of it differs from the one before."""
    changed = dict.fromkeys(words for part, words in PARTS.items() if before.get(part) != after.get(part))
    return f"{CORRECTION}：{'、'.join(changed)}" if changed else CORRECTION
