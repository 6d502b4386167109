"""The knowledge that a new district starts with, from the files of config/seed: examples, marked as such."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.seed import knowledge_items
from config.seed.reading import KnowledgeItem as SeedItem
from dispatch.models.catalogue import KnowledgeItem
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.knowledge import KnowledgeText, checked
from dispatch.services.access import audit
from dispatch.services.catalogue.knowledge.writing import check_kinds, found_by, version_row
from dispatch.services.catalogue.versions import bump


def seed_knowledge(session: Session, organisation_id: int, *, actor: Actor, now: datetime) -> int:
    """Enter every item of the seed whose code the organisation has not got yet; returns how many were new.

    What operators have changed or withdrawn stays.
    """
    query = select(KnowledgeItem.code).where(KnowledgeItem.organisation_id == organisation_id)
    known = set(session.scalars(query))
    texts = {one.code: text_of(one) for one in knowledge_items() if one.code not in known}
    if not texts:
        return 0
    check_kinds(session, organisation_id, tuple({kind for text in texts.values() for kind in text.kinds}))
    items = [
        KnowledgeItem(organisation_id=organisation_id, code=code, version=1, created_at=now, **found_by(text))
        for code, text in texts.items()
    ]
    session.add_all(items)
    session.flush()
    session.add_all([version_row(item, texts[item.code], actor=actor, now=now) for item in items])
    session.flush()
    bump(session, organisation_id)
    audit.record(
        session,
        "catalogue.seed_knowledge",
        "knowledge_items",
        None,
        actor=actor,
        organisation_id=organisation_id,
        fields={"count": str(len(items))},
    )
    return len(items)


def text_of(one: SeedItem) -> KnowledgeText:
    """What an item of the seed says, checked as if somebody had written it."""
    return checked(
        KnowledgeText(
            title=one.title,
            body=one.body,
            source=one.source,
            valid_from=one.valid_from,
            kinds=one.kinds,
            words=one.words,
        )
    )
