"""Sealed notes: the passphrase or both holders open them, and nothing else that this installation has."""

from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.access import AuditEntry, User
from dispatch.models.care import Appointment, CounsellingNote, KeyOpening, SealingKey
from dispatch.models.notify import Notice
from dispatch.rules.access.roles import Actor, Role
from dispatch.rules.access.sealing import CannotOpen
from dispatch.rules.care.counselling import Danger, Told
from dispatch.services.access import vault
from dispatch.services.care.counselling import breaking, keys, notes, sealing
from dispatch.services.care.counselling.breaking import NothingWritten, NotTheHolders, Second
from dispatch.services.care.counselling.sealing import Cost, NewPassphrase, SealBroken, WrongPassphrase
from tests.factories.counselling import CHEAP, Station, booked, chosen, make_counsellor, make_station, open_slot
from tests.factories.world import staff

OWN, ONE, OTHER = "窗外的桂花今年开了两次呢", "一号保管人自己的一句话别处不用", "二号保管人自己的一句话别处不用"
WORDS = "标记词一零七五：夜里睡不着"
TOLD_WORDS = "标记词一零七六：请马上去看"


@pytest.fixture
def station(session: Session) -> Station:
    return make_station(session)


@pytest.fixture
def holders(session: Session, station: Station) -> list[Actor]:
    """Two people who hold shares."""
    found = [staff(session, station.world, role) for role in (Role.CENTRE, Role.WELFARE)]
    for actor, passphrase in zip(found, (ONE, OTHER), strict=True):
        now = clock.now(session)
        keys.make_holder_key(session, station.community_id, chosen(passphrase), actor=actor, now=now)
    return found


@pytest.fixture
def appointment(session: Session, station: Station, holders: list[Actor]) -> Appointment:
    """An appointment with a note and a disclosure, by a counsellor who has a key."""
    assert holders
    now, by = clock.now(session), {"actor": station.acting}
    holding = [one.key_id for one in keys.holders(session, station.community_id)]
    keys.make_counsellor_key(session, chosen(OWN), holding, **by, now=now)
    made = booked(session, station, open_slot(session, station))
    notes.write_note(session, made.id, WORDS, **by, now=now)
    notes.disclose(session, made.id, Danger.SELF, Told.MEDICAL, TOLD_WORDS, **by, now=now)
    return made


def second(session: Session, actor: Actor, passphrase: str) -> Second:
    """A holder at the other's screen."""
    return Second(session.scalars(select(User.login).where(User.id == actor.user_id)).one(), passphrase)


def test_the_passphrase_opens_what_was_written_and_a_wrong_one_nothing(
    session: Session, station: Station, appointment: Appointment
) -> None:
    found = notes.read_notes(session, appointment.id, OWN, actor=station.acting)
    assert [(one.words, one.told) for one in found] == [(WORDS, None), (TOLD_WORDS, "medical")]
    for wrong in (ONE, "", OWN[:-1], "x" * 10_000):
        with pytest.raises(WrongPassphrase):
            notes.read_notes(session, appointment.id, wrong, actor=station.acting)
    _, other = make_counsellor(session, station.world, station.kind)
    with pytest.raises(NotFound):
        notes.read_notes(session, appointment.id, OWN, actor=other)
    with pytest.raises(NotFound):
        notes.read_notes(session, appointment.id, OWN, actor=staff(session, station.world, Role.ADMIN))


def test_no_table_holds_a_word_of_it_and_no_key_of_the_installation_opens_it(
    session: Session, station: Station, appointment: Appointment
) -> None:
    notes.read_notes(session, appointment.id, OWN, actor=station.acting)
    tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    for table in tables:
        whole = session.execute(text(f"SELECT string_agg(row::text, '') FROM \"{table}\" AS row")).scalar_one() or ""  # noqa: S608 - names of the database itself
        for secret in (WORDS, TOLD_WORDS, OWN, ONE, OTHER):
            assert secret not in whole, table
            assert secret.encode().hex() not in whole, table
    note = session.scalars(select(CounsellingNote)).one()
    with pytest.raises(CannotOpen):
        vault.open_bytes(notes.note_place(note.uid), note.sealed)


def test_what_was_moved_to_another_row_opens_no_more(
    session: Session, station: Station, appointment: Appointment
) -> None:
    moved = text(
        "INSERT INTO counselling_notes (uid, community_id, appointment_id, key_id, sealed, keep_until) "
        "SELECT :uid, community_id, appointment_id, key_id, sealed, keep_until FROM counselling_notes"
    )
    session.execute(moved, {"uid": uuid4()})
    with pytest.raises(SealBroken):
        notes.read_notes(session, appointment.id, OWN, actor=station.acting)


def test_a_new_passphrase_wraps_the_same_key_anew(session: Session, station: Station, appointment: Appointment) -> None:
    now, community_id = clock.now(session), station.community_id
    by = {"actor": station.acting, "now": now}
    before = session.scalars(select(SealingKey.public_key).where(SealingKey.purpose == "counsellor")).one()
    with pytest.raises(WrongPassphrase):
        keys.change_passphrase(
            session, community_id, keys.COUNSELLOR, ONE, chosen("另外一句自己记得住的话别处不用"), **by
        )
    with pytest.raises(Invalid):
        keys.change_passphrase(session, community_id, keys.COUNSELLOR, OWN, chosen("太短"), **by)
    keys.change_passphrase(session, community_id, keys.COUNSELLOR, OWN, chosen("另外一句自己记得住的话别处不用"), **by)
    assert session.scalars(select(SealingKey.public_key).where(SealingKey.purpose == "counsellor")).one() == before
    with pytest.raises(WrongPassphrase):
        notes.read_notes(session, appointment.id, OWN, actor=station.acting)
    assert len(notes.read_notes(session, appointment.id, "另外一句自己记得住的话别处不用", actor=station.acting)) == 2


def test_both_holders_together_open_it_and_that_is_kept_and_told(
    session: Session, station: Station, appointment: Appointment, holders: list[Actor]
) -> None:
    now = clock.now(session)
    found = breaking.open_both(
        session, appointment.id, ONE, second(session, holders[1], OTHER), "法院调查", actor=holders[0], now=now
    )
    assert [one.words for one in found] == [WORDS, TOLD_WORDS]
    opening = session.scalars(select(KeyOpening)).one()
    assert (opening.first_by, opening.second_by) == (holders[0].user_id, holders[1].user_id)
    told = session.scalars(select(Notice).where(Notice.template == "key_opened")).one()
    assert told.user_id == station.acting.user_id
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "care.open_counsellor_key")).one()
    assert (entry.user_id, entry.fields) == (holders[0].user_id, {"second_by": str(holders[1].user_id)})
    assert breaking.openings_of(session, station.counsellor)[0][3] == "法院调查"


def test_one_holder_alone_opens_nothing_nor_does_somebody_else_with_one(
    session: Session, station: Station, appointment: Appointment, holders: list[Actor]
) -> None:
    third = staff(session, station.world, Role.CENTRE)
    keys.make_holder_key(session, station.community_id, chosen(OTHER), actor=third, now=clock.now(session))
    for actor, other, passphrase, error in (
        (holders[0], holders[0], ONE, NotTheHolders),
        (holders[0], third, OTHER, NotTheHolders),
        (holders[0], station.acting, OWN, NotTheHolders),
        (holders[0], holders[1], ONE, WrongPassphrase),
    ):
        with pytest.raises(error):
            breaking.open_both(
                session,
                appointment.id,
                ONE,
                second(session, other, passphrase),
                "试试",
                actor=actor,
                now=clock.now(session),
            )
    assert session.scalars(select(KeyOpening)).all() == []
    empty = booked(session, station, open_slot(session, station, hours=80), number=2)
    with pytest.raises(NothingWritten):
        breaking.open_both(
            session, empty.id, ONE, second(session, holders[1], OTHER), "试试", actor=holders[0], now=clock.now(session)
        )


def test_a_forgotten_passphrase_costs_a_new_key_and_the_old_notes_stay_with_the_holders(
    session: Session, station: Station, appointment: Appointment, holders: list[Actor]
) -> None:
    now = clock.now(session)
    holding = [one.key_id for one in keys.holders(session, station.community_id)]
    with pytest.raises(keys.HasKey):
        keys.make_counsellor_key(session, chosen(OWN), holding, actor=station.acting, now=now)
    with pytest.raises(Invalid):
        keys.make_counsellor_key(session, chosen(OWN), holding[:1], forgotten=True, actor=station.acting, now=now)
    keys.make_counsellor_key(
        session, chosen("新的一句自己记得住的话别处不用"), holding, forgotten=True, actor=station.acting, now=now
    )
    assert notes.read_notes(session, appointment.id, "新的一句自己记得住的话别处不用", actor=station.acting) == []
    by_both = breaking.open_both(
        session, appointment.id, ONE, second(session, holders[1], OTHER), "口令忘了", actor=holders[0], now=now
    )
    assert len(by_both) == 2


def test_shares_that_were_given_to_others_open_nothing_with_the_old_ones(
    session: Session, station: Station, appointment: Appointment, holders: list[Actor]
) -> None:
    third, now = staff(session, station.world, Role.CENTRE), clock.now(session)
    keys.make_holder_key(session, station.community_id, chosen("三号保管人自己的一句话别处不用"), actor=third, now=now)
    holding = [one.key_id for one in keys.holders(session, station.community_id) if one.user_id != holders[1].user_id]
    keys.change_holders(session, OWN, holding, actor=station.acting, now=now)
    with pytest.raises(NotTheHolders):
        breaking.open_both(
            session, appointment.id, ONE, second(session, holders[1], OTHER), "旧的", actor=holders[0], now=now
        )
    third_one = second(session, third, "三号保管人自己的一句话别处不用")
    assert breaking.open_both(session, appointment.id, ONE, third_one, "新的", actor=holders[0], now=now)


def test_a_note_is_kept_its_years_and_then_goes_with_who_it_was_about(
    session: Session, station: Station, appointment: Appointment
) -> None:
    note = session.scalars(select(CounsellingNote)).one()
    today = clock.today(clock.now(session))
    assert note.keep_until.year == today.year + 10
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text("DELETE FROM counselling_notes"))
    old = text(
        "INSERT INTO counselling_notes (uid, community_id, appointment_id, key_id, sealed, keep_until) SELECT :uid, "
        "community_id, appointment_id, key_id, sealed, dispatch_now()::date - 2 FROM counselling_notes"
    )
    session.execute(old, {"uid": uuid4()})
    bare = booked(session, station, open_slot(session, station, hours=80), number=2)
    session.execute(
        text(
            "UPDATE appointments SET state = 'kept', ended_by = 'counsellor', "
            "ended_at = dispatch_now() - interval '11 years' WHERE id IN (:bare, :noted)"
        ),
        {"bare": bare.id, "noted": appointment.id},
    )
    assert notes.forget(session, now=clock.now(session)) == 2
    session.expire_all()
    assert (bare.alias, bare.phone, bare.person_index) == ("—", None, None)
    assert appointment.alias == "小雨"
    assert session.scalars(select(CounsellingNote.id)).all() == [note.id]


def test_a_wrapped_key_opens_at_its_own_place_only() -> None:
    made = sealing.make_key()
    wrapped = sealing.wrap(chosen(OWN), made.private, "sealing_keys.wrapped.a")
    assert sealing.unwrap(OWN, wrapped, "sealing_keys.wrapped.a") == made.private
    with pytest.raises(WrongPassphrase):
        sealing.unwrap(OWN, wrapped, "sealing_keys.wrapped.b")
    recovery = sealing.split(made.private, "a")
    assert sealing.join(recovery.shares, recovery.wrapped, "a") == made.private
    for shares in ((recovery.shares[1], recovery.shares[0]), (recovery.shares[0], bytes(32))):
        with pytest.raises(SealBroken):
            sealing.join(shares, recovery.wrapped, "a")
    for cut in (0, 5, 20):
        with pytest.raises(SealBroken):
            sealing.join(recovery.shares, recovery.wrapped[:cut], "a")
        with pytest.raises(WrongPassphrase):
            sealing.unwrap(OWN, wrapped[: sealing.HEADER_BYTES + sealing.SALT_BYTES + cut], "sealing_keys.wrapped.a")


def test_a_passphrase_is_stretched_at_the_full_cost_unless_a_cheaper_one_stands_on_what_it_wraps() -> None:
    made, place = sealing.make_key(), "sealing_keys.wrapped.a"
    dear = sealing.wrap(NewPassphrase(OWN), made.private, place)
    assert sealing.cost_of(dear) == Cost(mebibytes=64, passes=3, lanes=1)
    assert sealing.unwrap(OWN, dear, place) == made.private
    cheap = sealing.wrap(chosen(OWN), made.private, place)
    assert sealing.cost_of(cheap) == CHEAP
    for said in ((0, 1, 1, 1), (2, 1, 1, 1), (1, 0, 1, 1), (1, 65, 3, 1), (1, 64, 3, 1)):
        header = bytes(said)
        with pytest.raises(WrongPassphrase):
            sealing.unwrap(OWN, header + cheap[len(header) :], place)
