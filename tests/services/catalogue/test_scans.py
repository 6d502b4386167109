"""Scans of a firm's papers: kept encrypted beside the paper, opened by who edits firms, each reading noted."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.access import AuditEntry
from dispatch.models.catalogue import Paper
from dispatch.rules.access.roles import Actor, Role
from dispatch.services import catalogue
from tests.factories.world import World, make_world, staff

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def scan(colour: str = "white", kind: str = "PNG") -> bytes:
    """A small picture of one colour."""
    picture = BytesIO()
    Image.new("RGB", (60, 40), colour).save(picture, kind)
    return picture.getvalue()


@pytest.fixture
def world(session: Session) -> World:
    """A small world."""
    return make_world(session)


@pytest.fixture
def centre(session: Session, world: World) -> Actor:
    """Somebody of the centre."""
    return staff(session, world, Role.CENTRE)


def paper_of(session: Session, performer_id: int) -> int:
    """A paper that a firm holds."""
    return session.scalars(select(Paper.id).where(Paper.performer_id == performer_id).order_by(Paper.id)).first() or 0


def test_a_scan_is_kept_with_its_paper_and_its_reading_is_noted(session: Session, world: World, centre: Actor) -> None:
    firm = world.firms[0]
    paper_id = paper_of(session, firm.id)
    for colour in ("white", "red"):
        catalogue.add_scan(session, firm.id, paper_id, scan(colour), actor=centre, now=NOW)
    assert [one.subject_id for one in catalogue.scans_of_firm(session, firm.id)] == [paper_id] * 2
    assert catalogue.scans_of_firm(session, world.firms[1].id) == []
    second = catalogue.read_scan(session, firm.id, 2, actor=centre)
    with Image.open(BytesIO(second.data)) as picture:
        assert (second.media_type, picture.getpixel((3, 3))) == ("image/png", (255, 0, 0))
    noted = select(AuditEntry.action).where(AuditEntry.user_id == centre.user_id).order_by(AuditEntry.id)
    assert session.scalars(noted).all()[-5:] == [*["files.store", "catalogue.scan_paper"] * 2, "files.read"]
    for position in (0, 3):
        with pytest.raises(NotFound):
            catalogue.read_scan(session, firm.id, position, actor=centre)


def test_only_pictures_are_kept_of_papers_that_are_held_and_five_of_each(
    session: Session, world: World, centre: Actor
) -> None:
    firm = world.firms[0]
    paper_id = paper_of(session, firm.id)
    for data in (b"", b"%PDF-1.7 ...", scan(kind="GIF")):
        with pytest.raises(Invalid) as refused:
            catalogue.add_scan(session, firm.id, paper_id, data, actor=centre, now=NOW)
        assert refused.value.field == "scan"
    for _ in range(5):
        catalogue.add_scan(session, firm.id, paper_id, scan(), actor=centre, now=NOW)
    with pytest.raises(Invalid):
        catalogue.add_scan(session, firm.id, paper_id, scan(), actor=centre, now=NOW)
    other = catalogue.NewPaper(kind="健康证", number="1", valid_from=NOW.date(), valid_until=NOW.date())
    given_up = catalogue.add_paper(session, firm.id, other, actor=centre)
    catalogue.give_up_paper(session, firm.id, given_up, reason="不再做护理", actor=centre, now=NOW)
    with pytest.raises(catalogue.PaperGone):
        catalogue.add_scan(session, firm.id, given_up, scan(), actor=centre, now=NOW)


def test_another_s_paper_and_another_s_firm_are_not_found(session: Session, world: World, centre: Actor) -> None:
    one, two = world.firms[:2]
    with pytest.raises(NotFound):
        catalogue.add_scan(session, one.id, paper_of(session, two.id), scan(), actor=centre, now=NOW)
    elsewhere = make_world(session).firms[0]
    with pytest.raises(NotFound):
        catalogue.add_scan(session, elsewhere.id, paper_of(session, elsewhere.id), scan(), actor=centre, now=NOW)
