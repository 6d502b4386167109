"""What a new community starts with: the kinds, the line teams, the policies and the knowledge, read from data."""

from config.seed.reading import (
    KnowledgeItem,
    LineTeam,
    Policy,
    Question,
    ServiceKind,
    knowledge_items,
    line_teams,
    policies,
    service_kinds,
)

__all__ = [
    "KnowledgeItem",
    "LineTeam",
    "Policy",
    "Question",
    "ServiceKind",
    "knowledge_items",
    "line_teams",
    "policies",
    "service_kinds",
]
