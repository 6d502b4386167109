"""Areas, buildings, stairwells, place names, posts; residents and households, units and merchants, resources."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Reference


def community() -> Mapped[int]:
    """The community that owns a row."""
    return mapped_column(ForeignKey("organisations.id"))


def within(table: str, column: str) -> ForeignKeyConstraint:
    """A reference that cannot leave the row's community."""
    return ForeignKeyConstraint(["community_id", column], [f"{table}.community_id", f"{table}.id"])


class Area(Base):
    """片区: the first of the three levels."""

    __tablename__ = "areas"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    number: Mapped[int]
    name: Mapped[str]
    latitude: Mapped[float] = mapped_column(Double)
    longitude: Mapped[float] = mapped_column(Double)

    __table_args__ = (UniqueConstraint("community_id", "id"), UniqueConstraint("community_id", "number"))


class PlaceName(Base):
    """An estate, a road number or a nickname (老供销社): what people call a place."""

    __tablename__ = "place_names"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    name: Mapped[str]
    kind: Mapped[str]
    area_id: Mapped[Reference | None]
    building_id: Mapped[Reference | None]

    __table_args__ = (
        within("areas", "area_id"),
        within("buildings", "building_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("kind IN ('estate', 'road', 'nickname')", name="kind"),
        Index("ix_place_names_name", "name"),
    )


class Building(Base):
    """楼幢: an estate's numbered building; `number` as address rules normalise it (3, 12, A)."""

    __tablename__ = "buildings"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    area_id: Mapped[Reference]
    estate_id: Mapped[Reference | None]
    number: Mapped[str]
    road: Mapped[str | None]
    road_number: Mapped[str | None]
    address: Mapped[str]
    latitude: Mapped[float] = mapped_column(Double)
    longitude: Mapped[float] = mapped_column(Double)

    __table_args__ = (
        within("areas", "area_id"),
        ForeignKeyConstraint(
            ["community_id", "estate_id"], ["place_names.community_id", "place_names.id"], use_alter=True
        ),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "estate_id", "number"),
        Index("ix_buildings_area_id", "area_id"),
    )


class Stairwell(Base):
    """楼道: a unit of a building, the smallest cell of the grid."""

    __tablename__ = "stairwells"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    building_id: Mapped[Reference]
    number: Mapped[str]
    code: Mapped[str]

    __table_args__ = (
        within("buildings", "building_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("building_id", "number"),
        UniqueConstraint("community_id", "code"),
    )


class Household(Base):
    """A home in a stairwell."""

    __tablename__ = "households"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    stairwell_id: Mapped[Reference]
    room: Mapped[str]

    __table_args__ = (
        within("stairwells", "stairwell_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("stairwell_id", "room"),
    )


class Resident(Base):
    """常住人口: a person of the register; phone and ID number sealed, found by blind index."""

    __tablename__ = "residents"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    household_id: Mapped[Reference | None]
    name: Mapped[str]
    name_key: Mapped[str]
    sex: Mapped[str | None]
    birth_date: Mapped[date | None]
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    identity_number: Mapped[bytes | None] = mapped_column(LargeBinary)
    identity_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    sensitive: Mapped[bytes | None] = mapped_column(LargeBinary)
    lives_alone: Mapped[bool] = mapped_column(server_default=text("false"))
    left_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))

    __table_args__ = (
        within("households", "household_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "identity_index"),
        Index("ix_residents_phone_index", "phone_index"),
        Index("ix_residents_household_id", "household_id"),
        Index("ix_residents_name_key", "community_id", "name_key", "id"),
    )


class Residence(Base):
    """Where a resident lived, from and until: moving keeps the history."""

    __tablename__ = "residences"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    resident_id: Mapped[Reference]
    household_id: Mapped[Reference]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]

    __table_args__ = (within("residents", "resident_id"), within("households", "household_id"))


class Establishment(Base):
    """辖区单位 or 工商户: a unit or merchant with its USCC."""

    __tablename__ = "establishments"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    uscc: Mapped[str]
    area_id: Mapped[Reference]
    building_id: Mapped[Reference | None]
    contact_name: Mapped[str | None]
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        within("areas", "area_id"),
        within("buildings", "building_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "uscc"),
        CheckConstraint("kind IN ('unit', 'merchant')", name="kind"),
        Index("ix_establishments_phone_index", "phone_index"),
    )


class WorkResource(Base):
    """工作资源: a community worker, party member, volunteer, artist or partner unit with skills and times."""

    __tablename__ = "work_resources"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    resident_id: Mapped[Reference | None]
    establishment_id: Mapped[Reference | None]
    name: Mapped[str]
    skills: Mapped[list[str]] = mapped_column(ARRAY(Text))
    times: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    consented_at: Mapped[datetime | None]

    __table_args__ = (
        within("residents", "resident_id"),
        within("establishments", "establishment_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint(
            "kind IN ('community_worker', 'party_member', 'volunteer', 'artist', 'partner_unit')", name="kind"
        ),
    )


class Post(Base):
    """片长, 小组长, 楼道长, 共建单位联络员, 楼道联络员: who holds a post of a cell, from and until."""

    __tablename__ = "posts"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    area_id: Mapped[Reference | None]
    building_id: Mapped[Reference | None]
    stairwell_id: Mapped[Reference | None]
    resident_id: Mapped[Reference | None]
    user_id: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    establishment_id: Mapped[Reference | None]
    holder_name: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]

    __table_args__ = (
        within("areas", "area_id"),
        within("buildings", "building_id"),
        within("stairwells", "stairwell_id"),
        within("residents", "resident_id"),
        within("establishments", "establishment_id"),
        CheckConstraint(
            "(kind = 'area_chief' AND area_id IS NOT NULL) OR (kind = 'group_leader' AND building_id IS NOT NULL) "
            "OR (kind IN ('stairwell_leader', 'stairwell_liaison') AND stairwell_id IS NOT NULL) "
            "OR (kind = 'partner_liaison' AND area_id IS NOT NULL AND establishment_id IS NOT NULL)",
            name="cell",
        ),
        Index("ix_posts_cell", "community_id", "kind", "area_id", "building_id", "stairwell_id"),
    )
