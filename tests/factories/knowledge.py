"""Items of knowledge in the database."""

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.knowledge import KnowledgeText
from dispatch.services import catalogue
from dispatch.services.catalogue import Knowledge

BODY = "带身份证到社区便民窗口。\n工作日上午8:30—12:00。"


def make_text(**changes: Any) -> KnowledgeText:
    """What an item says."""
    values: dict[str, Any] = {
        "title": "老年卡办理",
        "body": BODY,
        "source": "示例",
        "valid_from": date(2026, 1, 1),
        "kinds": ("drain_clearing",),
        "words": ("老年证", "老人乘车卡"),
    }
    return KnowledgeText(**(values | changes))


def make_knowledge(
    session: Session, actor: Actor, now: datetime, *, code: str = "elder_card", **changes: Any
) -> Knowledge:
    """An item that its keeper has published."""
    return catalogue.create_knowledge(session, code, make_text(**changes), actor=actor, now=now)
