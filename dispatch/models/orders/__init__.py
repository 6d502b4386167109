"""Orders with history, assignments, offers, decision records, work reports, callers, callbacks, complaints."""

from dispatch.models.orders.answering import KnowledgeUse
from dispatch.models.orders.callers import OrderCaller
from dispatch.models.orders.complaints import Complaint
from dispatch.models.orders.dispatching import Assignment, DecisionRecord, Offer, OfferRecipient
from dispatch.models.orders.following import Callback, Escalation, EscalationRecipient
from dispatch.models.orders.order import LegalEdge, Order, OrderEvent
from dispatch.models.orders.requests import OrderRequest, Supervision

__all__ = [
    "Assignment",
    "Callback",
    "Complaint",
    "DecisionRecord",
    "Escalation",
    "EscalationRecipient",
    "KnowledgeUse",
    "LegalEdge",
    "Offer",
    "OfferRecipient",
    "Order",
    "OrderCaller",
    "OrderEvent",
    "OrderRequest",
    "Supervision",
]
