"""What can be asked of a firm that an address names: the firm's maker, the answer and the body that is right."""

from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

from PIL import Image
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import SYSTEM
from dispatch.services import catalogue
from tests.factories.world import NUMBERS, World

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]


def firm(session: Session, world: World, _user_id: int) -> str:
    """A firm of the district, with one paper."""
    it = world.firms[0]
    OWN_PAPER[world.district.id] = catalogue.papers_of_firm(session, it.id)[0].id
    return it.code


def firm_with_a_new_paper(session: Session, world: World, _user_id: int) -> str:
    """A firm of the district with a paper that nobody has given up."""
    it, days = world.firms[0], {"valid_from": date(2026, 1, 1), "valid_until": date(2099, 1, 1)}
    paper = catalogue.NewPaper(kind="上岗证", number=str(next(NUMBERS)), **days)
    NEW_PAPER[world.district.id] = catalogue.add_paper(session, it.id, paper, actor=SYSTEM)
    return it.code


def firm_with_a_scan(session: Session, world: World, user_id: int) -> str:
    """The same, with a scan of it."""
    code, now = firm_with_a_new_paper(session, world, user_id), clock.now(session)
    catalogue.add_scan(session, world.firms[0].id, NEW_PAPER[world.district.id], A_SCAN, actor=SYSTEM, now=now)
    return code


def a_scan() -> bytes:
    """A small picture."""
    picture = BytesIO()
    Image.new("RGB", (60, 40), "white").save(picture, "PNG")
    return picture.getvalue()


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


OWN_PAPER: dict[int, int] = {}
"""The paper of each district's firm."""
NEW_PAPER: dict[int, int] = {}
"""The newest paper of each district's firm."""
A_SCAN = a_scan()
A_PAPER = {"kind": "健康证", "number": "1", "valid_from": "2026-01-01", "valid_until": "2099-01-01"}
TYPED_PAPER = {"paper_kind": "健康证", "paper_number": "1", "paper_from": "2026-01-01", "paper_until": "2099-01-01"}
A_LINE = {"item": "室内疏通", "unit": "次", "from_fen": 6_000, "to_fen": 15_000}
TYPED_PRICES = {"valid_from": "2026-11-01", "item": "室内疏通", "unit": "次", "least": "60", "most": "150"}
PRICES = {"valid_from": "2026-11-01", "version": 0, "lines": [A_LINE]}
SUSPENDED = {"action": "suspend", "reason": "两次爽约"}
FIRM = "/firms/<string(maxlength=40):code>"

FIRM_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", f"/api{FIRM}"): (firm, 200, nothing),
    ("GET", f"/api{FIRM}/decisions"): (firm, 200, nothing),
    ("POST", f"/api{FIRM}/decisions"): (firm, 200, lambda _: SUSPENDED | {"until": "2099-01-01T00:00:00+08:00"}),
    ("GET", f"/api{FIRM}/papers"): (firm, 200, nothing),
    ("POST", f"/api{FIRM}/papers"): (firm, 201, lambda _: A_PAPER),
    ("GET", f"/api{FIRM}/prices"): (firm, 200, nothing),
    ("POST", f"/api{FIRM}/prices"): (firm, 201, lambda world: PRICES | {"service_code": world.plumbing.code}),
    ("GET", FIRM): (firm, 200, nothing),
    ("POST", f"{FIRM}/decision"): (firm, 303, lambda _: SUSPENDED | {"until": "2099-01-01"}),
    ("POST", f"{FIRM}/papers"): (firm, 303, lambda _: TYPED_PAPER),
    ("POST", f"{FIRM}/papers/scans"): (
        firm_with_a_new_paper,
        303,
        lambda world: {"paper_id": str(NEW_PAPER[world.district.id]), "scan": A_SCAN},
    ),
    ("GET", f"{FIRM}/scans/<int:position>"): (firm_with_a_scan, 200, nothing),
    ("POST", f"{FIRM}/papers/given-up"): (
        firm,
        303,
        lambda world: {"reason": "不再做护理", "paper_id": str(OWN_PAPER[world.district.id])},
    ),
    ("POST", f"{FIRM}/prices"): (firm, 303, lambda world: TYPED_PRICES | {"service_id": str(world.plumbing.id)}),
}
