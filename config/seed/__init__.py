"""What a new community starts with: the kinds, the line teams, the policies and the knowledge, read from data."""

from config.seed.reading import (
    CareGroup,
    Festival,
    KnowledgeItem,
    LineTeam,
    Policy,
    Question,
    ServiceKind,
    care_groups,
    festivals,
    knowledge_items,
    line_teams,
    policies,
    service_kinds,
)

__all__ = [
    "CareGroup",
    "Festival",
    "KnowledgeItem",
    "LineTeam",
    "Policy",
    "Question",
    "ServiceKind",
    "care_groups",
    "festivals",
    "knowledge_items",
    "line_teams",
    "policies",
    "service_kinds",
]
