"""The love supermarket: goods, facilities, lots and how they move; who may be given something, and by which card."""

from dispatch.models.market.campaigns import (
    Agreement,
    Appeal,
    AppealPrint,
    ChatSession,
    MediaReport,
    Partner,
)
from dispatch.models.market.counter import (
    GoodsPoints,
    HandOut,
    HandOutLine,
    HouseholdMonth,
)
from dispatch.models.market.gifts import Gift, GiftLine, GiftReversal
from dispatch.models.market.giving import (
    Donor,
    Pledge,
)
from dispatch.models.market.keeping import (
    Count,
    CountLine,
    Disposal,
    Inspection,
    InspectionTick,
    Recall,
)
from dispatch.models.market.moves import (
    LotBalance,
    Movement,
    StockMove,
)
from dispatch.models.market.people import (
    AidApplication,
    Beneficiary,
    Benefit,
    Card,
)
from dispatch.models.market.rounds import Round, RoundBill, RoundEntry
from dispatch.models.market.sales import Sale, SaleLine
from dispatch.models.market.shipments import Shipment, ShipmentLine
from dispatch.models.market.stock import (
    Facility,
    Goods,
    Handover,
    Keeper,
    Lot,
    LotPart,
    RuleBook,
)

__all__ = [
    "Agreement",
    "AidApplication",
    "Appeal",
    "AppealPrint",
    "Beneficiary",
    "Benefit",
    "Card",
    "ChatSession",
    "Count",
    "CountLine",
    "Disposal",
    "Donor",
    "Facility",
    "Gift",
    "GiftLine",
    "GiftReversal",
    "Goods",
    "GoodsPoints",
    "HandOut",
    "HandOutLine",
    "Handover",
    "HouseholdMonth",
    "Inspection",
    "InspectionTick",
    "Keeper",
    "Lot",
    "LotBalance",
    "LotPart",
    "MediaReport",
    "Movement",
    "Partner",
    "Pledge",
    "Recall",
    "Round",
    "RoundBill",
    "RoundEntry",
    "RuleBook",
    "Sale",
    "SaleLine",
    "Shipment",
    "ShipmentLine",
    "StockMove",
]
