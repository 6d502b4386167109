"""Life: what touches several programmes in one transaction: a death, a move, and taking back what was wrong."""

from dispatch.services.life.leaving import record_death, record_move
from dispatch.services.life.restoring import (
    NothingToWithdraw,
    OwnWithdrawal,
    Restored,
    approve_withdrawal,
    ask_withdrawal,
    effects_of,
    programmes_left,
)
from dispatch.services.life.telling import tell

__all__ = [
    "NothingToWithdraw",
    "OwnWithdrawal",
    "Restored",
    "approve_withdrawal",
    "ask_withdrawal",
    "effects_of",
    "programmes_left",
    "record_death",
    "record_move",
    "tell",
]
