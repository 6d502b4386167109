"""Loading the demo community through the services: chunk by chunk, each in one transaction, once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import monotonic

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.community import DEFAULT_SEED, Community, make_community
from dispatch.demo.credentials import DemoSecrets
from dispatch.demo.loading import (
    accounts,
    aid,
    care,
    devices,
    district,
    festivals,
    giving,
    life,
    registers,
    shelves,
    station,
    treasury,
    vouchers,
    work,
)
from dispatch.demo.loading.book import Book
from dispatch.demo.organisations import DISTRICT
from dispatch.models.access import Organisation
from dispatch.rules.access.roles import EVERYTHING
from dispatch.transaction import transaction

CHUNKS: tuple[tuple[str, Callable[[Session, Book], int]], ...] = (
    ("组织 · organisations", district.load_organisations),
    ("服务 · kinds of service", district.load_services),
    ("知识 · knowledge", district.load_knowledge),
    ("网格 · grid", district.load_grid),
    ("住户 · households", registers.load_households),
    ("居民 · residents", registers.load_residents),
    ("单位商户 · units and merchants", registers.load_establishments),
    ("队伍 · teams", work.load_teams),
    ("账号 · users", accounts.load_users),
    ("服务商 · performers", work.load_performers),
    ("角色 · roles", accounts.load_roles),
    ("工作资源 · work resources", registers.load_resources),
    ("岗位 · posts", registers.load_posts),
    ("密钥 · API keys", accounts.load_keys),
    ("关爱 · care", care.load_care),
    ("电子保姆 · alarm devices", devices.load_devices),
    ("咨询与服务站 · counselling and station", station.load_station),
    ("救助对象 · beneficiaries", aid.load_beneficiaries),
    ("基金 · funds", treasury.load_funds),
    ("服务券 · vouchers", vouchers.load_vouchers),
    ("爱心超市 · supermarkets", shelves.load_shelves),
    ("捐赠活动 · giving", giving.load_giving),
    ("三访三问 · three visits, three asks", life.load_life),
    ("节日联谊 · festivals", festivals.load_festivals),
)
REPEATED = frozenset({accounts.load_users})


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load has done: the community, how many rows of each chunk were new, and the seconds it took."""

    community: Community
    rows: dict[str, int]
    seconds: float

    @property
    def is_new(self) -> bool:
        """Whether anything was loaded; False when all was there."""
        return any(self.rows.values())


def load(home: Path, secret: str, inbox_url: str, *, seed: int = DEFAULT_SEED) -> Loaded:
    """Load what is missing of the demo community; a second time changes nothing but the inbox's address.

    `secret` is the installation's, from which passwords and keys are derived. An interrupted load is taken up
    where it ended, as of the day on which it began.
    """
    began = monotonic()
    with transaction(EVERYTHING) as session:
        now = clock.now(session)
        first_day = first_day_of(session) or clock.today(now)
    book = Book(make_community(first_day, seed), DemoSecrets(secret), inbox_url, home, now)
    rows = {title: run(chunk, book) for title, chunk in CHUNKS}
    with transaction(EVERYTHING) as session:
        work.move_webhooks(session, book)
    return Loaded(book.community, rows, monotonic() - began)


def run(chunk: Callable[[Session, Book], int], book: Book) -> int:
    """Do one chunk in its own transaction, the repeated ones until nothing is left; returns the new rows."""
    total = 0
    while True:
        with transaction(EVERYTHING) as session:
            made = chunk(session, book)
        total += made
        if not made or chunk not in REPEATED:
            return total


def first_day_of(session: Session) -> date | None:
    """The day on which the demo was first loaded here, None when it never was."""
    query = select(Organisation.created_at).where(Organisation.code == DISTRICT)
    created = session.execute(query).scalar_one_or_none()
    return None if created is None else clock.today(created)


__all__ = ["CHUNKS", "Loaded", "load"]
