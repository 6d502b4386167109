"""Posts of the grid: who holds them on a day, and which are vacant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, NotFound
from dispatch.models.grid import Post
from dispatch.rules.access.roles import Actor
from dispatch.services.access import audit
from dispatch.services.grid.build import demand_community, insert_all
from dispatch.services.grid.register import checked_name

EXCLUSION_VIOLATION = "23P01"


class PostTaken(Conflict):
    """这个岗位在这段时间已经有人担任"""


class PostKind(StrEnum):
    """The posts of the grid. Source: rules.md §2 (片长、小组长、楼道长、共建单位联络员、楼道联络员)."""

    AREA_CHIEF = "area_chief"
    GROUP_LEADER = "group_leader"
    STAIRWELL_LEADER = "stairwell_leader"
    PARTNER_LIAISON = "partner_liaison"
    STAIRWELL_LIAISON = "stairwell_liaison"


CELLS = {
    PostKind.AREA_CHIEF: Post.area_id,
    PostKind.GROUP_LEADER: Post.building_id,
    PostKind.STAIRWELL_LEADER: Post.stairwell_id,
    PostKind.PARTNER_LIAISON: Post.area_id,
    PostKind.STAIRWELL_LIAISON: Post.stairwell_id,
}


@dataclass(frozen=True, slots=True)
class PostDraft:
    """A post to be given: its kind, its cell (area, building or stairwell), who holds it and from when."""

    kind: PostKind
    holder_name: str
    valid_from: date
    area_id: int | None = None
    building_id: int | None = None
    stairwell_id: int | None = None
    resident_id: int | None = None
    user_id: int | None = None
    establishment_id: int | None = None


@dataclass(frozen=True, slots=True)
class VacantPost:
    """A cell of the grid whose post nobody holds; `label` is what people call the cell."""

    kind: PostKind
    cell_id: int
    community_id: int
    area_id: int
    label: str


# R: 片长 and 共建单位联络员 in each area, 楼道长 in each stairwell; Q: 小组长 in each building (rules.md §2).
HELD = (
    "NOT EXISTS (SELECT FROM posts WHERE posts.kind = '{kind}' AND posts.{column} = cells.id "
    "AND posts.community_id = cells.community_id AND valid_from <= :day "
    "AND (valid_until IS NULL OR valid_until > :day))"
)
VACANT = text(
    "SELECT kind, id, community_id, area_id, label FROM ("  # noqa: S608 - put together from this file only
    "SELECT 'area_chief' AS kind, 1 AS place, id, community_id, "
    "id AS area_id, name AS label FROM areas AS cells "
    f"WHERE {HELD.format(kind='area_chief', column='area_id')} UNION ALL "
    "SELECT 'partner_liaison', 2, id, community_id, id, name FROM areas AS cells "
    f"WHERE {HELD.format(kind='partner_liaison', column='area_id')} UNION ALL "
    "SELECT 'group_leader', 3, id, community_id, area_id, address FROM buildings AS cells "
    f"WHERE {HELD.format(kind='group_leader', column='building_id')} UNION ALL "
    "SELECT 'stairwell_leader', 4, cells.id, cells.community_id, buildings.area_id, "
    "buildings.address || cells.number || '单元' FROM stairwells AS cells "
    "JOIN buildings ON buildings.id = cells.building_id "
    f"WHERE {HELD.format(kind='stairwell_leader', column='stairwell_id')}"
    ") AS vacant WHERE community_id = :community ORDER BY place, id"
)


def give_posts(session: Session, community_id: int, drafts: Sequence[PostDraft], *, actor: Actor) -> list[int]:
    """Give posts from a day on and return their ids; audited. Raises PostTaken where somebody holds one."""
    demand_community(actor, community_id)
    rows = [
        {
            "community_id": community_id,
            "kind": str(one.kind),
            "area_id": one.area_id,
            "building_id": one.building_id,
            "stairwell_id": one.stairwell_id,
            "resident_id": one.resident_id,
            "user_id": one.user_id,
            "establishment_id": one.establishment_id,
            "holder_name": checked_name(one.holder_name),
            "valid_from": one.valid_from,
        }
        for one in drafts
    ]
    try:
        with session.begin_nested():
            ids = insert_all(session, Post, rows)
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == EXCLUSION_VIOLATION:
            raise PostTaken from error
        raise
    audit.record(
        session,
        "grid.give_posts",
        "posts",
        ids[0] if len(ids) == 1 else None,
        actor=actor,
        community_id=community_id,
        fields={"rows": str(len(ids))},
    )
    return ids


def end_post(session: Session, post_id: int, day: date, *, actor: Actor) -> None:
    """End a post: `day` is the first day on which its holder no longer holds it; audited. Raises NotFound."""
    post = session.get(Post, post_id, with_for_update=True, populate_existing=True)
    if post is None:
        raise NotFound
    demand_community(actor, post.community_id)
    post.valid_until = day
    session.flush()
    audit.record(session, "grid.end_post", "posts", post_id, actor=actor, community_id=post.community_id)


def end_posts_of(session: Session, resident_id: int, day: date, *, actor: Actor) -> list[int]:
    """End whatever posts a resident holds, so that they are vacant; the ids of the posts."""
    query = select(Post.id).where(Post.resident_id == resident_id, Post.valid_until.is_(None), Post.valid_from <= day)
    held = list(session.scalars(query.order_by(Post.id)))
    for post_id in held:
        end_post(session, post_id, day, actor=actor)
    return held


def hold_post_again(session: Session, post_id: int, *, actor: Actor) -> None:
    """A post that was ended by mistake goes on; raises PostTaken where somebody else holds it now."""
    post = session.get_one(Post, post_id, with_for_update=True, populate_existing=True)
    post.valid_until = None
    try:
        session.flush()
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == EXCLUSION_VIOLATION:
            raise PostTaken from error
        raise
    audit.record(session, "grid.hold_post_again", "posts", post_id, actor=actor, community_id=post.community_id)


def holder_of_post(session: Session, kind: PostKind, cell_id: int, day: date) -> Post | None:
    """Who holds the post of a cell on a day (of several liaisons the first), None when it is vacant."""
    return session.scalars(
        select(Post)
        .where(
            Post.kind == kind,
            CELLS[kind] == cell_id,
            Post.valid_from <= day,
            Post.valid_until.is_(None) | (Post.valid_until > day),
        )
        .order_by(Post.id)
        .limit(1)
    ).one_or_none()


def vacant_posts(session: Session, community_id: int, day: date) -> list[VacantPost]:
    """The posts that the grid needs and nobody holds on a day, chiefs first. Source: rules.md §2."""
    rows = session.execute(VACANT, {"community": community_id, "day": day})
    return [VacantPost(PostKind(kind), *cell) for kind, *cell in rows]
