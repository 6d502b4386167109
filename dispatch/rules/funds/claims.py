"""Named accounts of the journal: what of a fund is kept for one person (a voucher), or owed to a firm that took it.

Source: rules.md §4 (named voucher account per person; never below zero; not transferable; the remainder returns to
the fund); decision 0010, 12. A named account is a dimension of its fund, as a giver's wish is: so what is kept for
somebody still lies where it lay, is owed to nobody else, and the balance of the journal is what is left.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from dispatch.rules.funds.terms import EntryKind


class EarmarkKind(StrEnum):
    """What an earmark stands for: a giver's wish, a person's voucher, or a firm that has taken vouchers."""

    WISH = "wish"
    VOUCHER = "voucher"
    PAYEE = "payee"


STEPS: Final = {
    EntryKind.GRANT: (EarmarkKind.WISH, EarmarkKind.VOUCHER),
    EntryKind.REDEEM: (EarmarkKind.VOUCHER, EarmarkKind.PAYEE),
    EntryKind.LAPSE: (EarmarkKind.VOUCHER, EarmarkKind.WISH),
}
"""From what to what fen go by the kinds of entries that are the vouchers' own; what has no earmark counts as a wish."""


def is_allowed(kind: EntryKind, custody: Sequence[tuple[EarmarkKind, int]], *, is_approved: bool) -> bool:
    """Whether an entry of this kind may touch what it touches: the earmarks of its custody lines with their amounts.

    The vouchers' own kinds go from one sort to the next, a firm is paid what two people agreed on, a reversal takes
    back whatever was; everything else stays away from named accounts.
    """
    if kind in STEPS:
        return [sort for sort, _ in sorted(custody, key=lambda one: one[1])] == list(STEPS[kind])
    if kind is EntryKind.REVERSAL:
        return True
    sorts = {sort for sort, _ in custody}
    return sorts <= {EarmarkKind.WISH} or (kind is EntryKind.SPEND and is_approved and sorts == {EarmarkKind.PAYEE})
