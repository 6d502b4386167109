"""What a firm applies with, as a form or a message says it, made into what is entered."""

import re
from dataclasses import dataclass, field
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.access import Organisation
from dispatch.models.catalogue import Service
from dispatch.models.grid import Area
from dispatch.rules.access.roles import Actor
from dispatch.rules.grid.phone import normalise_phone
from dispatch.services.access import policies
from dispatch.services.catalogue.kinds import seen_from
from dispatch.services.catalogue.loading import NewPaper, NewPerformer
from dispatch.services.catalogue.shifts import shifts_of
from dispatch.services.grid.build import demand_community

CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,120}")
LONGEST_NAME = 60
MOST_CAPACITY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmApplication:
    """A firm's application: who it is, what it serves where and when, and its papers; no area means all of them."""

    community_id: int
    code: str
    name: str
    uscc: str
    contact: str | None = field(default=None, repr=False)
    phone: str = field(repr=False)
    email: str = field(repr=False)
    capacity: int
    hours: tuple[str, ...]
    service_codes: tuple[str, ...]
    area_ids: tuple[int, ...] = ()
    papers: tuple[NewPaper, ...] = ()


def read_application(session: Session, asked: FirmApplication, *, actor: Actor) -> NewPerformer:
    """The firm that an application describes; raises Invalid by field, NotFound for a community out of reach."""
    demand_community(actor, asked.community_id)
    check_words(asked)
    district_id = district_of(session, asked.community_id)
    base = base_of(session, asked)
    liked = policies.policy(session, district_id, "firms.first_satisfaction_permille")
    return NewPerformer(
        uid=uuid4(),
        organisation_id=district_id,
        community_id=None,
        kind="firm",
        code=asked.code,
        name=asked.name.strip(),
        uscc=asked.uscc,
        team_id=None,
        user_id=None,
        phone=normalise_phone(asked.phone),
        email=asked.email.strip(),
        webhook_url=None,
        webhook_secret=None,
        channel="email",
        latitude=base.latitude,
        longitude=base.longitude,
        capacity=asked.capacity,
        shifts=shifts_of(asked.hours),
        satisfaction_permille=int(liked),
        service_codes=known_codes(session, asked),
        areas=asked.area_ids or None,
        papers=asked.papers,
    )


def check_words(asked: FirmApplication) -> None:
    """Refuse what is missing or too long; raises Invalid naming the field."""
    if CODE.fullmatch(asked.code) is None:
        raise Invalid("code", "编号请用字母、数字、横线和下划线，最多40个")
    if not asked.name.strip() or len(asked.name) > LONGEST_NAME:
        raise Invalid("name", "请填写名称，不超过60字")
    if EMAIL.fullmatch(asked.email.strip()) is None:
        raise Invalid("email", "请填写完整的电子邮箱，询单从这里送达")
    if not 1 <= asked.capacity <= MOST_CAPACITY:
        raise Invalid("capacity", "同时接单数请填 1 到 200")
    if not asked.hours:
        raise Invalid("hours", "请填写班次，例如 1-7 08:00-20:00")
    check_papers(asked)


def check_papers(asked: FirmApplication) -> None:
    """Refuse papers that say nothing, end before they begin, or stand twice."""
    if len({(paper.kind.strip(), paper.number.strip()) for paper in asked.papers}) < len(asked.papers):
        raise Invalid("papers", "同一张证照只写一次")
    for paper in asked.papers:
        if not paper.kind.strip() or not paper.number.strip():
            raise Invalid("papers", "每张证照都要写明种类和编号")
        if paper.valid_until < paper.valid_from:
            raise Invalid("papers", "有效期止不能早于有效期起")


def district_of(session: Session, community_id: int) -> int:
    """The district that a community belongs to, else the community's topmost organisation: firms are its."""
    path = session.scalars(select(Organisation.path).where(Organisation.id == community_id)).one()
    above = select(Organisation.id).where(Organisation.id.in_(path))
    return session.scalars(above.order_by((Organisation.kind == "district").desc(), Organisation.id).limit(1)).one()


def base_of(session: Session, asked: FirmApplication) -> Area:
    """The area that its way is reckoned from: the first it covers; raises Invalid for another community's."""
    areas = session.scalars(select(Area).where(Area.community_id == asked.community_id).order_by(Area.number)).all()
    wanted = [one for one in areas if not asked.area_ids or one.id in asked.area_ids]
    if not wanted or not set(asked.area_ids) <= {one.id for one in areas}:
        raise Invalid("area_ids", "没有这个片区,请重新选择")
    return wanted[0]


def known_codes(session: Session, asked: FirmApplication) -> tuple[str, ...]:
    """The kinds that it will serve: kinds for firms, at least one; raises Invalid."""
    known = select(Service.code).where(
        seen_from(asked.community_id),
        Service.performer == "firm",
        Service.is_active,
        Service.code.in_(asked.service_codes),
    )
    codes = tuple(sorted(set(session.scalars(known))))
    if not codes or len(codes) != len(set(asked.service_codes)):
        raise Invalid("service_codes", "请至少选择一个由服务商做的类别")
    return codes
