"""Writing knowledge: a new item, a new version of one, withdrawing it; the older text stays as it was."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.access import Organisation
from dispatch.models.catalogue import KnowledgeItem, KnowledgeVersion, Service
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.knowledge import LONGEST_SOURCE, KnowledgeText, checked
from dispatch.rules.catalogue.search import pinyin_sort_key
from dispatch.services.access import audit
from dispatch.services.catalogue.kinds import seen_from
from dispatch.services.catalogue.knowledge.reading import PUBLISHED, WITHDRAWN, Knowledge, find_knowledge_by_id
from dispatch.services.catalogue.versions import bump

LONGEST_CODE = 60


class KnowledgeKnown(Conflict):
    """已经有这个编号的知识条目,请换一个编号,或者去改那一条"""


class KnowledgeChanged(Conflict):
    """这条知识刚刚被别人改过,请看过新的内容再改"""


def create_knowledge(session: Session, code: str, text: KnowledgeText, *, actor: Actor, now: datetime) -> Knowledge:
    """Publish a new item, kept by the actor's organisation (a centre's by what it is the centre of); audited.

    Raises Invalid naming the field, KnowledgeKnown for a code that is taken there.
    """
    owner_id = keeper(session, actor)
    if not code or len(code) > LONGEST_CODE or not code.isascii() or not code.replace("_", "").isalnum():
        raise Invalid("code", "编号请用字母、数字和下划线，最多%(longest)s个", longest=LONGEST_CODE)
    text = checked(text)
    check_kinds(session, owner_id, text.kinds)
    item = KnowledgeItem(organisation_id=owner_id, code=code, version=1, created_at=now, **found_by(text))
    try:
        with session.begin_nested():
            session.add(item)
            session.flush()
            session.add(version_row(item, text, actor=actor, now=now))
    except IntegrityError as error:
        raise KnowledgeKnown from error
    noted(session, "catalogue.create_knowledge", item, actor)
    return find_knowledge_by_id(session, item.id, actor=actor)


def keeper(session: Session, actor: Actor) -> int:
    """The organisation for which an actor writes; raises Invalid for one without."""
    if actor.organisation_id is None:
        raise Invalid("organisation_id", "请说明由哪个热线中心受理")
    stands_at = session.get_one(Organisation, actor.organisation_id)
    if stands_at.kind == "centre" and stands_at.parent_id is not None:
        return stands_at.parent_id
    return stands_at.id


def may_edit_knowledge(item: KnowledgeItem, actor: Actor) -> bool:
    """Whether the organisation that keeps an item is in the actor's reach: what is inherited is only read."""
    return actor.scope.everything or item.organisation_id in actor.scope.organisations


def revise_knowledge(
    session: Session, item_id: int, text: KnowledgeText, *, version: int, actor: Actor, now: datetime
) -> Knowledge:
    """Publish a new version of an item, also of a withdrawn one; `version` is the one that was read.

    Raises NotFound, NotAllowed for what is only inherited, KnowledgeChanged when another version stands by now,
    Invalid naming the field.
    """
    item = locked(session, item_id, version, actor)
    text = checked(text)
    check_kinds(session, item.organisation_id, text.kinds)
    item.version = version + 1
    for name, value in found_by(text).items():
        setattr(item, name, value)
    item.state, item.withdrawn_at, item.withdraw_reason = PUBLISHED, None, None
    session.add(version_row(item, text, actor=actor, now=now))
    session.flush()
    noted(session, "catalogue.revise_knowledge", item, actor)
    return find_knowledge_by_id(session, item.id, actor=actor)


def withdraw_knowledge(
    session: Session, item_id: int, *, reason: str, version: int, actor: Actor, now: datetime
) -> Knowledge:
    """Take an item out of use, with a reason; it stays to be read where it was cited. Said twice is said once."""
    item = locked(session, item_id, version, actor)
    if not reason.strip():
        raise Invalid("reason", "请写明原因")
    if len(reason) > LONGEST_SOURCE:
        raise Invalid("reason", "内容太长，最多%(longest)s个字", longest=LONGEST_SOURCE)
    if item.state != WITHDRAWN:
        item.state, item.withdrawn_at, item.withdraw_reason = WITHDRAWN, now, reason.strip()
        session.flush()
        noted(session, "catalogue.withdraw_knowledge", item, actor)
    return find_knowledge_by_id(session, item.id, actor=actor)


def locked(session: Session, item_id: int, version: int, actor: Actor) -> KnowledgeItem:
    """The item, locked and read fresh, as it was read before; raises NotFound, NotAllowed, KnowledgeChanged."""
    find_knowledge_by_id(session, item_id, actor=actor)
    item = session.get(KnowledgeItem, item_id, with_for_update=True, populate_existing=True)
    if item is None:
        raise NotFound
    if not may_edit_knowledge(item, actor):
        raise NotAllowed
    if item.version != version:
        raise KnowledgeChanged
    return item


def found_by(text: KnowledgeText) -> dict[str, Any]:
    """The columns by which an item is found."""
    return {
        "title": text.title,
        "sort_key": pinyin_sort_key(text.title),
        "kinds": list(text.kinds),
        "words": list(text.words),
    }


def version_row(item: KnowledgeItem, text: KnowledgeText, *, actor: Actor, now: datetime) -> KnowledgeVersion:
    """What an item says from now on."""
    return KnowledgeVersion(
        item_id=item.id,
        version=item.version,
        title=text.title,
        body=text.body,
        source=text.source,
        valid_from=text.valid_from,
        valid_until=text.valid_until,
        written_by=actor.user_id,
        published_at=now,
    )


def check_kinds(session: Session, organisation_id: int, codes: tuple[str, ...]) -> None:
    """Every kind that an item concerns is known to its keeper; raises Invalid."""
    query = select(Service.code).where(Service.code.in_(codes), Service.is_active, seen_from(organisation_id))
    if set(codes) - set(session.scalars(query)):
        raise Invalid("kinds", "没有这项服务,请重新选择")


def noted(session: Session, action: str, item: KnowledgeItem, actor: Actor) -> None:
    """A change is seen by every process and stands in the audit trail."""
    bump(session, item.organisation_id)
    audit.record(
        session,
        action,
        "knowledge_items",
        item.id,
        actor=actor,
        organisation_id=item.organisation_id,
        fields={"version": str(item.version)},
    )
