"""The words of the journal: commodities, owners, holdings, purposes and the kinds of entries with their shapes.

Source: rules.md §6 (one balanced ledger for yuan, 斤 and 件, by fund × earmark × owner; four grounds of eligibility);
decision 0009.
"""

from enum import StrEnum
from typing import Final


class Commodity(StrEnum):
    """What is counted, in its smallest unit; 1 斤 = 500 g exactly."""

    FEN = "fen"
    GRAM = "gram"
    PIECE = "piece"


class Owner(StrEnum):
    """To whom what a fund holds belongs: the community, a partner, or gifts of overseas Chinese (侨爱)."""

    OWN = "own"
    PARTNER = "partner"
    OVERSEAS = "overseas"


class HoldingKind(StrEnum):
    """Where something is: on a bank account, in a till, on a shelf, or on its way."""

    BANK = "bank"
    TILL = "till"
    STOCK = "stock"
    TRANSIT = "transit"


class Purpose(StrEnum):
    """For what something is held and spent: the four grounds, the programmes, the house's own costs, or anything."""

    SERIOUS_ILLNESS = "serious_illness"
    SEVERE_DISABILITY = "severe_disability"
    LONE_ELDER = "lone_elder"
    SUDDEN_HARDSHIP = "sudden_hardship"
    YEARLY_ROUND = "yearly_round"
    RELIEF = "relief"
    VOUCHER = "voucher"
    PARTY_CARE = "party_care"
    RUNNING = "running"
    ANY = "any"


GROUNDS: Final = (
    Purpose.SERIOUS_ILLNESS,
    Purpose.SEVERE_DISABILITY,
    Purpose.LONE_ELDER,
    Purpose.SUDDEN_HARDSHIP,
)
"""患大病特困人员、重残无业人员、孤寡老人、因受灾或特发事件造成生活困难家庭."""


class Shape(StrEnum):
    """What an entry does to what is owed to the purposes (custody)."""

    RAISES = "raises"
    LOWERS = "lowers"
    MOVES = "moves"
    CONVERTS = "converts"
    PACKS = "packs"
    EXCHANGES = "exchanges"
    EARMARKS = "earmarks"
    REVERSES = "reverses"


class EntryKind(StrEnum):
    """The kinds of entries."""

    OPENING = "opening"
    GIFT = "gift"
    INTEREST = "interest"
    SURPLUS = "surplus"
    SPEND = "spend"
    HAND_OUT = "hand_out"
    PARCEL = "parcel"
    SHIPMENT = "shipment"
    DISPOSAL = "disposal"
    SHORTAGE = "shortage"
    GIVEN_BACK = "given_back"
    PURCHASE = "purchase"
    KIT = "kit"
    SALE = "sale"
    TRANSFER = "transfer"
    EARMARK_CHANGE = "earmark_change"
    GRANT = "grant"
    REDEEM = "redeem"
    LAPSE = "lapse"
    REVERSAL = "reversal"


SHAPES: Final[dict[EntryKind, Shape]] = {
    EntryKind.OPENING: Shape.RAISES,
    EntryKind.GIFT: Shape.RAISES,
    EntryKind.INTEREST: Shape.RAISES,
    EntryKind.SURPLUS: Shape.RAISES,
    EntryKind.SPEND: Shape.LOWERS,
    EntryKind.HAND_OUT: Shape.LOWERS,
    EntryKind.PARCEL: Shape.LOWERS,
    EntryKind.SHIPMENT: Shape.LOWERS,
    EntryKind.DISPOSAL: Shape.LOWERS,
    EntryKind.SHORTAGE: Shape.LOWERS,
    EntryKind.GIVEN_BACK: Shape.LOWERS,
    EntryKind.PURCHASE: Shape.CONVERTS,
    EntryKind.KIT: Shape.PACKS,
    EntryKind.SALE: Shape.EXCHANGES,
    EntryKind.TRANSFER: Shape.MOVES,
    EntryKind.EARMARK_CHANGE: Shape.EARMARKS,
    EntryKind.GRANT: Shape.EARMARKS,
    EntryKind.REDEEM: Shape.EARMARKS,
    EntryKind.LAPSE: Shape.EARMARKS,
    EntryKind.REVERSAL: Shape.REVERSES,
}

FOR_A_PURPOSE: Final = frozenset(
    {EntryKind.SPEND, EntryKind.HAND_OUT, EntryKind.PARCEL, EntryKind.SHIPMENT, EntryKind.GRANT}
)
"""Kinds by which something reaches somebody: they name the purpose, and it must stand in the fund and the earmark."""


def fits(purpose: str, purposes: tuple[str, ...] | list[str]) -> bool:
    """Whether something that is held for these purposes may be spent for this one."""
    return Purpose.ANY in purposes or purpose in purposes
