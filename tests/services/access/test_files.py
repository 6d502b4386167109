"""Files: encrypted, at most five of a purpose, read with right, reach and an audit entry."""

from io import BytesIO
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotAllowed, NotFound
from dispatch.models.access import AuditEntry, File, Organisation
from dispatch.rules.access.roles import SYSTEM, Actor, Role, Scope
from dispatch.rules.access.sealing import CannotOpen
from dispatch.services.access import files
from tests.factories.access import make_actor, make_organisation


def photo(colour: str = "red") -> bytes:
    target = BytesIO()
    Image.new("RGB", (60, 40), colour).save(target, format="JPEG")
    return target.getvalue()


def store(session: Session, community: Organisation, data: bytes, purpose: str = "photo") -> File:
    return files.store_image(
        session,
        data,
        subject="visits",
        subject_id=7,
        purpose=purpose,
        community_id=community.id,
        actor=SYSTEM,
        now=clock.now(session),
    )


def reader(community: Organisation, role: Role = Role.DISPATCHER) -> Actor:
    scope = Scope(organisations=frozenset({community.id}), communities=frozenset({community.id}))
    return make_actor(role, scope, community.id)


@pytest.fixture
def community(session: Session) -> Organisation:
    return make_organisation(session, "community")


def test_a_photo_is_kept_encrypted_and_read_back_with_an_audit_entry(session: Session, community: Organisation) -> None:
    stored = store(session, community, photo())
    opened = files.read_file(session, stored.uid, actor=reader(community), purpose="核实")
    assert opened.media_type == "image/jpeg"
    assert opened.data.startswith(b"\xff\xd8\xff")
    assert opened.data not in stored.sealed
    entry = session.query(AuditEntry).order_by(AuditEntry.id.desc()).first()
    assert entry is not None
    assert (entry.action, entry.subject_id, entry.purpose) == ("files.read", stored.id, "核实")


def test_scans_of_papers_are_for_who_edits_firms_and_for_nobody_else(session: Session, community: Organisation) -> None:
    stored = store(session, community, photo(), purpose="scan")
    stored.subject = "papers"
    session.flush()
    with pytest.raises(NotFound):
        files.read_file(session, stored.uid, actor=reader(community, Role.OPERATOR))
    assert files.read_file(session, stored.uid, actor=reader(community, Role.CENTRE)).media_type == "image/jpeg"


def test_content_moved_to_another_row_does_not_open(session: Session, community: Organisation) -> None:
    one, other = store(session, community, photo("red")), store(session, community, photo("blue"))
    one.sealed, other.sealed = other.sealed, one.sealed
    session.flush()
    with pytest.raises(CannotOpen):
        files.read_file(session, one.uid, actor=reader(community))


def test_the_sixth_photo_is_refused_by_field_and_a_signature_is_still_taken(
    session: Session, community: Organisation
) -> None:
    for _ in range(5):
        store(session, community, photo())
    with pytest.raises(Invalid) as caught:
        store(session, community, photo())
    assert caught.value.field == "photos"
    target = BytesIO()
    Image.new("RGBA", (300, 150)).save(target, format="PNG")
    store(session, community, target.getvalue(), "signature")
    assert len(files.list_files(session, "visits", 7, actor=reader(community))) == 6


def test_what_is_no_photo_leaves_nothing_behind(session: Session, community: Organisation) -> None:
    with pytest.raises(Invalid):
        store(session, community, b"%PDF-1.7 not a photo")
    assert list(files.list_files(session, "visits", 7, actor=SYSTEM)) == []


def test_another_community_s_file_is_not_found_like_a_missing_one(session: Session, community: Organisation) -> None:
    stored = store(session, community, photo())
    stranger = reader(make_organisation(session, "community"))
    for uid in (stored.uid, uuid4()):
        with pytest.raises(NotFound):
            files.read_file(session, uid, actor=stranger)
    assert list(files.list_files(session, "visits", 7, actor=stranger)) == []


def test_who_may_not_see_orders_may_not_see_their_files(session: Session, community: Organisation) -> None:
    stored = store(session, community, photo())
    with pytest.raises(NotAllowed):
        files.read_file(session, stored.uid, actor=reader(community, Role.ADMIN))


def test_a_file_of_an_order_out_of_the_actor_s_part_is_not_found(session: Session, community: Organisation) -> None:
    stored = store(session, community, photo())
    stored.subject = "orders"
    session.flush()
    with pytest.raises(NotFound):
        files.read_file(session, stored.uid, actor=reader(community))
