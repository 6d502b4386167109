"""爱心超市, 侨爱超市, 爱心聊吧: opened with a named keeper, handed over with a record, under rules of the house."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.access import Membership
from dispatch.models.market import Facility, Handover, Keeper, LotBalance, RuleBook
from dispatch.rules.access.roles import RIGHTS, Actor, Right
from dispatch.rules.funds.terms import HoldingKind
from dispatch.rules.market.keeping import SamePerson
from dispatch.rules.orders.intake import check_text
from dispatch.services import funds
from dispatch.services.access import audit, reach
from dispatch.services.grid.build import demand_community

LONGEST_REMARKS = 1_000
LONGEST_BOOK = 20_000
MOST_VERSIONS = 200
KINDS = ("love_market", "overseas_market", "chat_room")
BOOKS = ("daily", "finance")
KEEPING = tuple(str(role) for role, rights in RIGHTS.items() if Right.MARKET_KEEP in rights)


class NotKeeper(NotAllowed):
    """只有这里的保管员可以这样做"""


class HandoverWaits(Conflict):
    """已有一份交接等待确认"""


class NoHandover(Conflict):
    """没有等待您确认的交接"""


@dataclass(frozen=True, slots=True)
class FacilityDraft:
    """A facility to be opened, in a building of the community."""

    code: str
    kind: str
    name: str
    building_id: int


def open_facility(
    session: Session, community_id: int, draft: FacilityDraft, *, actor: Actor, now: datetime
) -> Facility:
    """Open a facility; a market gets its holding in the journal. Raises NotFound, Invalid naming the field."""
    demand_community(actor, community_id)
    if draft.kind not in KINDS:
        raise Invalid("kind", "请选择爱心超市、侨爱超市或爱心聊吧")
    check_text("name", draft.name, LONGEST_REMARKS)
    if not draft.name.strip():
        raise Invalid("name", "请填写名称")
    holding_id = None
    if draft.kind != "chat_room":
        holding = funds.add_holding(
            session, community_id, kind=HoldingKind.STOCK, code=draft.code, name=draft.name, actor=actor, now=now
        )
        holding_id = holding.id
    facility = Facility(
        community_id=community_id,
        code=draft.code,
        kind=draft.kind,
        name=draft.name.strip(),
        building_id=draft.building_id,
        holding_id=holding_id,
        opened_on=clock.today(now),
    )
    session.add(facility)
    session.flush()
    audit.record(session, "market.open_facility", "facilities", facility.id, actor=actor, community_id=community_id)
    return facility


def list_markets(session: Session, *, actor: Actor) -> Sequence[Facility]:
    """The open facilities within reach that keep stock, by id."""
    keeping = (reach.visible(Facility, actor), Facility.closed_on.is_(None), Facility.holding_id.is_not(None))
    return session.scalars(select(Facility).where(*keeping).order_by(Facility.id)).all()


def find_facility(session: Session, facility_id: int, *, actor: Actor, locked: bool = False) -> Facility:
    """The facility within reach; raises NotFound."""
    query = select(Facility).where(Facility.id == facility_id, reach.visible(Facility, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    facility = session.scalars(query).one_or_none()
    if facility is None:
        raise NotFound
    return facility


def keeper_of(session: Session, facility_id: int, *, now: datetime) -> Keeper | None:
    """Who keeps a facility now."""
    return session.scalars(
        select(Keeper).where(
            Keeper.facility_id == facility_id,
            Keeper.since <= now,
            (Keeper.until.is_(None)) | (Keeper.until > now),
        )
    ).one_or_none()


def demand_keeper(session: Session, facility_id: int, *, actor: Actor, now: datetime) -> None:
    """Refuse whoever is not the keeper; the house itself may. Raises NotKeeper."""
    if actor.user_id is None and actor.scope.everything:
        return
    keeper = keeper_of(session, facility_id, now=now)
    if keeper is None or keeper.user_id != actor.user_id:
        raise NotKeeper


def refuse_keeper(session: Session, facility_id: int, *, actor: Actor, now: datetime) -> None:
    """Refuse the keeper where somebody else has to count or approve; raises SamePerson."""
    keeper = keeper_of(session, facility_id, now=now)
    if actor.user_id is None or (keeper is not None and keeper.user_id == actor.user_id):
        raise SamePerson


def name_keeper(session: Session, facility_id: int, user_id: int, *, actor: Actor, now: datetime) -> Keeper:
    """Name the first keeper of a facility; later ones come by hand-over. Raises SamePerson, HandoverWaits, Invalid."""
    facility = find_facility(session, facility_id, actor=actor, locked=True)
    if keeper_of(session, facility_id, now=now) is not None:
        raise HandoverWaits("这里已有保管员，请办理交接")
    if user_id == actor.user_id:
        raise SamePerson
    check_may_keep(session, facility.community_id, user_id)
    keeper = Keeper(
        community_id=facility.community_id,
        facility_id=facility_id,
        user_id=user_id,
        named_by=actor.user_id,
        since=now,
    )
    session.add(keeper)
    session.flush()
    audit.record(session, "market.name_keeper", "keepers", keeper.id, actor=actor, community_id=facility.community_id)
    return keeper


def check_may_keep(session: Session, community_id: int, user_id: int) -> None:
    """A keeper holds the role at the community; raises Invalid("user_id")."""
    found = session.scalars(
        select(Membership.id).where(
            Membership.user_id == user_id,
            Membership.organisation_id == community_id,
            Membership.role.in_(KEEPING),
        )
    ).first()
    if found is None:
        raise Invalid("user_id", "请选择本社区的保管员")


def start_handover(
    session: Session, facility_id: int, taker_id: int, *, remarks: str = "", actor: Actor, now: datetime
) -> Handover:
    """The keeper hands over to another one, who then counts and takes. Raises NotKeeper, HandoverWaits, Invalid."""
    facility = find_facility(session, facility_id, actor=actor, locked=True)
    demand_keeper(session, facility_id, actor=actor, now=now)
    check_text("remarks", remarks, LONGEST_REMARKS)
    if taker_id == actor.user_id:
        raise SamePerson
    check_may_keep(session, facility.community_id, taker_id)
    if waiting_handover(session, facility_id) is not None:
        raise HandoverWaits
    handover = Handover(
        community_id=facility.community_id,
        facility_id=facility_id,
        giver_id=actor.user_id,
        taker_id=taker_id,
        started_by=actor.user_id,
        started_at=now,
        remarks=remarks.strip(),
    )
    session.add(handover)
    session.flush()
    audit.record(
        session, "market.start_handover", "handovers", handover.id, actor=actor, community_id=facility.community_id
    )
    return handover


def waiting_handover(session: Session, facility_id: int) -> Handover | None:
    """The hand-over that waits for its taker."""
    return session.scalars(
        select(Handover).where(Handover.facility_id == facility_id, Handover.taken_at.is_(None))
    ).one_or_none()


def take_over(session: Session, facility_id: int, *, actor: Actor, now: datetime) -> Keeper:
    """The taker confirms: the record keeps the stock as it stands, and the keeper changes. Raises NoHandover."""
    facility = find_facility(session, facility_id, actor=actor, locked=True)
    handover = waiting_handover(session, facility_id)
    if handover is None or handover.taker_id != actor.user_id:
        raise NoHandover
    handover.stock, handover.taken_at = stock_sheet(session, facility_id), now
    before = keeper_of(session, facility_id, now=now)
    if before is not None:
        before.until = now
    session.flush()
    keeper = Keeper(
        community_id=facility.community_id,
        facility_id=facility_id,
        user_id=handover.taker_id,
        named_by=handover.giver_id,
        since=now,
    )
    session.add(keeper)
    session.flush()
    audit.record(session, "market.take_over", "handovers", handover.id, actor=actor, community_id=facility.community_id)
    return keeper


def stock_sheet(session: Session, facility_id: int) -> list[list[int | str]]:
    """What stands in a facility: lot, spot, amount, by lot."""
    rows = session.execute(
        select(LotBalance.lot_id, LotBalance.spot, LotBalance.amount)
        .where(LotBalance.facility_id == facility_id, LotBalance.amount > 0)
        .order_by(LotBalance.lot_id, LotBalance.spot)
    )
    return [[row.lot_id, row.spot, row.amount] for row in rows]


def write_rule_book(
    session: Session, community_id: int, kind: str, body: str, valid_from: date, *, actor: Actor, now: datetime
) -> RuleBook:
    """Write the next version of 日常管理制度 (daily) or 财务管理制度 (finance); earlier ones stay."""
    demand_community(actor, community_id)
    if kind not in BOOKS:
        raise Invalid("kind", "请选择日常管理制度或财务管理制度")
    check_text("body", body, LONGEST_BOOK)
    if not body.strip():
        raise Invalid("body", "请写下制度全文")
    if valid_from < clock.today(now):
        raise Invalid("valid_from", "生效日期不能早于今天")
    newest = session.scalars(
        select(func.max(RuleBook.version)).where(RuleBook.community_id == community_id, RuleBook.kind == kind)
    ).one()
    book = RuleBook(
        community_id=community_id,
        kind=kind,
        version=(newest or 0) + 1,
        body=body.strip(),
        valid_from=valid_from,
        written_by=actor.user_id,
        written_at=now,
    )
    session.add(book)
    session.flush()
    audit.record(session, "market.write_rule_book", "rule_books", book.id, actor=actor, community_id=community_id)
    return book


def rule_books(session: Session, *, actor: Actor, today: date) -> Sequence[RuleBook]:
    """The rule books that hold today, one of each kind and community: the newest that has begun."""
    return session.scalars(
        select(RuleBook)
        .ext(distinct_on(RuleBook.community_id, RuleBook.kind))
        .where(reach.visible(RuleBook, actor), RuleBook.valid_from <= today)
        .order_by(RuleBook.community_id, RuleBook.kind, RuleBook.version.desc())
    ).all()


def versions_of_books(session: Session, *, actor: Actor) -> Sequence[RuleBook]:
    """Every version of the rule books within reach, by community and kind, the newest first."""
    order = (RuleBook.community_id, RuleBook.kind, RuleBook.version.desc())
    return session.scalars(
        select(RuleBook).where(reach.visible(RuleBook, actor)).order_by(*order).limit(MOST_VERSIONS)
    ).all()
