"""What the desk may answer by itself: found as it is typed, read with its versions, written, withdrawn, seeded."""

from dispatch.services.catalogue.knowledge.reading import (
    Knowledge,
    KnowledgeOutdated,
    KnowledgeWithdrawn,
    cite_knowledge,
    find_knowledge,
    find_knowledge_by_id,
    knowledge_versions,
    list_knowledge,
    search_knowledge,
)
from dispatch.services.catalogue.knowledge.seeding import seed_knowledge
from dispatch.services.catalogue.knowledge.writing import (
    KnowledgeChanged,
    KnowledgeKnown,
    create_knowledge,
    may_edit_knowledge,
    revise_knowledge,
    withdraw_knowledge,
)

__all__ = [
    "Knowledge",
    "KnowledgeChanged",
    "KnowledgeKnown",
    "KnowledgeOutdated",
    "KnowledgeWithdrawn",
    "cite_knowledge",
    "create_knowledge",
    "find_knowledge",
    "find_knowledge_by_id",
    "knowledge_versions",
    "list_knowledge",
    "may_edit_knowledge",
    "revise_knowledge",
    "search_knowledge",
    "seed_knowledge",
    "withdraw_knowledge",
]
