"""What can be asked of a question of 三问 and of what was said to it: maker, right answer, right body."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.care.asking import AskKind, EntrySource
from dispatch.services.care import asking
from dispatch.services.care.asking import AskingDraft, EntryDraft
from tests.factories.world import NUMBERS, World

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]


def question(session: Session, world: World, _user_id: int) -> str:
    """A question that is open."""
    now = clock.now(session)
    draft = AskingDraft(AskKind.NEED, f"问需{next(NUMBERS)}", "您需要什么", clock.today(now))
    return str(asking.open_asking(session, world.community.id, draft, actor=SYSTEM, now=now).id)


def said(session: Session, world: World, user_id: int) -> str:
    """What somebody said to one."""
    asked, draft = int(question(session, world, user_id)), EntryDraft("楼道的灯不亮", EntrySource.DESK)
    return str(asking.take_entry(session, asked, draft, actor=SYSTEM, now=clock.now(session)).id)


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


def spoken(_world: World) -> dict[str, Any]:
    """What somebody says, in a form of its own."""
    return {"words": "想要一张长椅", "form_key": f"form-key-of-{next(NUMBERS):08}"}


ID = "<int(min=1, max=9223372036854775807):{}_id>"
ASKING, SAID = f"/solicitations/{ID.format('asking')}", f"/entries/{ID.format('said')}"
PAGE = f"/asking/{ID.format('asking')}"
ANSWERED = {"outcome": "adopted", "answer": "已经安排", "shown": "楼道的灯不亮"}
ASKING_DEEDS: dict[tuple[str, str], Row] = {
    ("POST", f"/api/care{ASKING}/closing"): (question, 200, nothing),
    ("GET", f"/api/care{ASKING}/entries"): (question, 200, nothing),
    ("POST", f"/api/care{ASKING}/entries"): (question, 201, lambda _: {"words": "想要一张长椅"}),
    ("GET", f"/api/care{SAID}"): (said, 200, nothing),
    ("POST", f"/api/care{SAID}/answer"): (said, 200, lambda _: ANSWERED),
    ("GET", PAGE): (question, 200, nothing),
    ("POST", f"{PAGE}/closing"): (question, 303, nothing),
    ("POST", f"{PAGE}/entries"): (question, 303, spoken),
    ("GET", f"/asking{SAID}"): (said, 200, nothing),
    ("POST", f"/asking{SAID}/answer"): (said, 303, lambda _: ANSWERED),
}
