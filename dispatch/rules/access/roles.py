"""Roles, rights and the reach of an actor: a role is held AT an organisation and sees its subtree.

Source: rules.md §1 (users hold a role AT an organisation and see its subtree); issue “Access”.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """The roles of the staff."""

    OPERATOR = "operator"
    DISPATCHER = "dispatcher"
    TEAM_HEAD = "team_head"
    AREA_CHIEF = "area_chief"
    PERFORMER = "performer"
    CALLBACK_CLERK = "callback_clerk"
    KEEPER = "keeper"
    WELFARE = "welfare"
    CENTRE = "centre"
    ADMIN = "admin"
    ACCOUNTANT = "accountant"
    COUNSELLOR = "counsellor"


class Right(StrEnum):
    """What a route may ask for; the name is <domain>.<what>."""

    ORDERS_PLACE = "orders.place"
    ORDERS_READ = "orders.read"
    ORDERS_WORK = "orders.work"
    ORDERS_DISPATCH = "orders.dispatch"
    ORDERS_CALL_BACK = "orders.call_back"
    ORDERS_VOID = "orders.void"
    ORDERS_MERGE = "orders.merge"
    ORDERS_REQUEST = "orders.request"
    ORDERS_DECIDE = "orders.decide"
    ORDERS_SUPERVISE = "orders.supervise"
    ORDERS_CONFIDENTIAL = "orders.confidential"
    CALLERS_READ = "callers.read"
    BOARD_READ = "board.read"
    GRID_READ = "grid.read"
    GRID_EDIT = "grid.edit"
    RESIDENTS_REVEAL = "residents.reveal"
    CATALOGUE_READ = "catalogue.read"
    CATALOGUE_EDIT = "catalogue.edit"
    FIRMS_EDIT = "firms.edit"
    VISITS_READ = "visits.read"
    VISITS_PLAN = "visits.plan"
    VISITS_RECORD = "visits.record"
    VISITS_APPROVE = "visits.approve"
    VOUCHERS_READ = "vouchers.read"
    VOUCHERS_GRANT = "vouchers.grant"
    VOUCHERS_APPROVE = "vouchers.approve"
    VOUCHERS_REDEEM = "vouchers.redeem"
    LIFE_READ = "life.read"
    LIFE_TELL = "life.tell"
    LIFE_RUN = "life.run"
    DEVICES_READ = "devices.read"
    DEVICES_CALL = "devices.call"
    DEVICES_EDIT = "devices.edit"
    ASKING_READ = "asking.read"
    ASKING_TAKE = "asking.take"
    ASKING_ANSWER = "asking.answer"
    MARKET_READ = "market.read"
    MARKET_KEEP = "market.keep"
    MARKET_COUNT = "market.count"
    MARKET_APPROVE = "market.approve"
    PLEDGES_TAKE = "pledges.take"
    GIFTS_READ = "gifts.read"
    GIFTS_RECEIVE = "gifts.receive"
    CAMPAIGNS_READ = "campaigns.read"
    CAMPAIGNS_RUN = "campaigns.run"
    BENEFICIARIES_READ = "beneficiaries.read"
    BENEFICIARIES_EDIT = "beneficiaries.edit"
    BENEFICIARIES_APPROVE = "beneficiaries.approve"
    COUNSELLING_BOOK = "counselling.book"
    COUNSELLING_COUNSEL = "counselling.counsel"
    COUNSELLING_ARRANGE = "counselling.arrange"
    COUNSELLING_HOLD = "counselling.hold"
    COURSES_RUN = "courses.run"
    STATION_KEEP = "station.keep"
    NOTICES_READ = "notices.read"
    REPORTS_READ = "reports.read"
    FUNDS_READ = "funds.read"
    FUNDS_BOOK = "funds.book"
    FUNDS_APPROVE = "funds.approve"
    USERS_EDIT = "users.edit"
    POLICIES_EDIT = "policies.edit"
    AUDIT_READ = "audit.read"


READING = frozenset({Right.ORDERS_READ, Right.GRID_READ, Right.CATALOGUE_READ, Right.NOTICES_READ})
AT_A_COUNTER = frozenset({Right.COUNSELLING_BOOK, Right.STATION_KEEP})

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OPERATOR: READING
    | AT_A_COUNTER
    | {
        Right.LIFE_TELL,
        Right.ASKING_READ,
        Right.ASKING_TAKE,
        Right.ORDERS_PLACE,
        Right.ORDERS_MERGE,
        Right.CALLERS_READ,
        Right.BOARD_READ,
        Right.VISITS_READ,
        Right.DEVICES_READ,
        Right.DEVICES_CALL,
        Right.PLEDGES_TAKE,
    },
    Role.DISPATCHER: READING
    | AT_A_COUNTER
    | {
        Right.LIFE_READ,
        Right.LIFE_TELL,
        Right.ASKING_READ,
        Right.ASKING_TAKE,
        Right.PLEDGES_TAKE,
        Right.ORDERS_PLACE,
        Right.ORDERS_DISPATCH,
        Right.ORDERS_VOID,
        Right.ORDERS_WORK,
        Right.ORDERS_MERGE,
        Right.ORDERS_REQUEST,
        Right.ORDERS_DECIDE,
        Right.ORDERS_CONFIDENTIAL,
        Right.CALLERS_READ,
        Right.BOARD_READ,
        Right.VISITS_READ,
        Right.VISITS_PLAN,
        Right.VISITS_RECORD,
        Right.VISITS_APPROVE,
        Right.DEVICES_READ,
        Right.DEVICES_CALL,
        Right.DEVICES_EDIT,
        Right.REPORTS_READ,
    },
    Role.TEAM_HEAD: READING
    | {
        Right.LIFE_TELL,
        Right.ORDERS_WORK,
        Right.ORDERS_REQUEST,
        Right.BOARD_READ,
        Right.VISITS_READ,
        Right.ASKING_READ,
        Right.ASKING_TAKE,
    },
    Role.AREA_CHIEF: READING
    | {
        Right.LIFE_READ,
        Right.LIFE_TELL,
        Right.ASKING_READ,
        Right.ASKING_TAKE,
        Right.ORDERS_WORK,
        Right.ORDERS_REQUEST,
        Right.BOARD_READ,
        Right.VISITS_READ,
        Right.VISITS_PLAN,
        Right.VISITS_RECORD,
        Right.REPORTS_READ,
    },
    Role.PERFORMER: frozenset(
        {Right.ORDERS_WORK, Right.NOTICES_READ, Right.ASKING_TAKE, Right.LIFE_TELL, Right.VISITS_RECORD}
        | {Right.VOUCHERS_REDEEM}
    ),
    Role.CALLBACK_CLERK: READING | {Right.ORDERS_CALL_BACK, Right.ORDERS_CONFIDENTIAL, Right.CALLERS_READ},
    Role.KEEPER: frozenset(
        {
            Right.MARKET_READ,
            Right.MARKET_KEEP,
            Right.MARKET_COUNT,
            Right.PLEDGES_TAKE,
            Right.GIFTS_READ,
            Right.GIFTS_RECEIVE,
            Right.CAMPAIGNS_READ,
            Right.NOTICES_READ,
        }
    ),
    Role.WELFARE: frozenset(
        {
            Right.LIFE_READ,
            Right.LIFE_TELL,
            Right.LIFE_RUN,
            Right.ASKING_READ,
            Right.ASKING_TAKE,
            Right.ASKING_ANSWER,
            Right.COUNSELLING_HOLD,
            Right.COURSES_RUN,
            Right.BENEFICIARIES_READ,
            Right.BENEFICIARIES_EDIT,
            Right.VISITS_READ,
            Right.VOUCHERS_READ,
            Right.VOUCHERS_GRANT,
            Right.PLEDGES_TAKE,
            Right.DEVICES_READ,
            Right.DEVICES_EDIT,
            Right.CAMPAIGNS_READ,
            Right.CAMPAIGNS_RUN,
            Right.GRID_READ,
            Right.NOTICES_READ,
        }
    ),
    Role.CENTRE: READING
    | AT_A_COUNTER
    | {
        Right.LIFE_READ,
        Right.LIFE_TELL,
        Right.LIFE_RUN,
        Right.COUNSELLING_ARRANGE,
        Right.COURSES_RUN,
        Right.ASKING_READ,
        Right.ASKING_TAKE,
        Right.ASKING_ANSWER,
        Right.COUNSELLING_HOLD,
        Right.BENEFICIARIES_READ,
        Right.BENEFICIARIES_APPROVE,
        Right.VOUCHERS_READ,
        Right.VOUCHERS_APPROVE,
        Right.MARKET_READ,
        Right.MARKET_COUNT,
        Right.MARKET_APPROVE,
        Right.PLEDGES_TAKE,
        Right.GIFTS_READ,
        Right.GIFTS_RECEIVE,
        Right.CAMPAIGNS_READ,
        Right.CAMPAIGNS_RUN,
        Right.ORDERS_PLACE,
        Right.ORDERS_DISPATCH,
        Right.ORDERS_VOID,
        Right.ORDERS_MERGE,
        Right.ORDERS_REQUEST,
        Right.ORDERS_DECIDE,
        Right.ORDERS_SUPERVISE,
        Right.ORDERS_CONFIDENTIAL,
        Right.CALLERS_READ,
        Right.BOARD_READ,
        Right.VISITS_READ,
        Right.VISITS_PLAN,
        Right.VISITS_RECORD,
        Right.VISITS_APPROVE,
        Right.DEVICES_READ,
        Right.DEVICES_CALL,
        Right.DEVICES_EDIT,
        Right.REPORTS_READ,
        Right.CATALOGUE_EDIT,
        Right.FIRMS_EDIT,
        Right.POLICIES_EDIT,
        Right.RESIDENTS_REVEAL,
        Right.AUDIT_READ,
        Right.FUNDS_READ,
        Right.FUNDS_APPROVE,
    },
    Role.ADMIN: frozenset(
        {
            Right.USERS_EDIT,
            Right.POLICIES_EDIT,
            Right.AUDIT_READ,
            Right.GRID_READ,
            Right.GRID_EDIT,
            Right.CATALOGUE_READ,
            Right.CATALOGUE_EDIT,
            Right.NOTICES_READ,
            Right.BOARD_READ,
            Right.REPORTS_READ,
        }
    ),
    Role.ACCOUNTANT: frozenset(
        {
            Right.FUNDS_READ,
            Right.FUNDS_BOOK,
            Right.VOUCHERS_READ,
            Right.MARKET_READ,
            Right.MARKET_COUNT,
            Right.GIFTS_READ,
            Right.GIFTS_RECEIVE,
            Right.CAMPAIGNS_READ,
            Right.NOTICES_READ,
        }
    ),
    Role.COUNSELLOR: frozenset({Right.COUNSELLING_COUNSEL, Right.COURSES_RUN, Right.NOTICES_READ}),
}

TOTP_RIGHTS = frozenset(
    {Right.USERS_EDIT, Right.RESIDENTS_REVEAL, Right.COUNSELLING_COUNSEL, Right.COUNSELLING_HOLD},
)
TOTP_ROLES = frozenset(role for role, rights in RIGHTS.items() if rights & TOTP_RIGHTS)
"""Who owes a second factor: whoever edits users, sees residents unmasked, or opens what was said in counselling."""
NARROW_ROLES = frozenset({Role.TEAM_HEAD, Role.AREA_CHIEF, Role.PERFORMER})
"""Who sees only the orders of a team, an area or their own; one wider role beside it lifts that."""


class ActorKind(StrEnum):
    """In what capacity somebody acts; the life cycle's table asks for these."""

    OPERATOR = "operator"
    DISPATCHER = "dispatcher"
    ROUTER = "router"
    CLOCK = "clock"
    TEAM = "team"
    PERFORMER = "performer"
    CALLBACK_CLERK = "callback_clerk"
    CENTRE = "centre"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows may be seen: everything (the house itself), or these organisations and communities."""

    everything: bool = False
    organisations: frozenset[int] = frozenset()
    communities: frozenset[int] = frozenset()

    def setting(self, ids: frozenset[int]) -> str:
        """The value of a row-level-security setting: '*' for everything, else ids joined by commas."""
        return "*" if self.everything else ",".join(map(str, sorted(ids)))


NOTHING = Scope()
EVERYTHING = Scope(everything=True)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: one of user, API key or performer (by a link), or the system itself (none of them).

    A narrowed actor sees, within the scope, only the orders of these areas, teams and of this performer.
    """

    kind: ActorKind
    user_id: int | None = None
    api_key_id: int | None = None
    performer_id: int | None = None
    organisation_id: int | None = None
    roles: frozenset[Role] = frozenset()
    rights: frozenset[Right] = frozenset()
    scope: Scope = NOTHING
    session_id: int | None = field(default=None, compare=False)
    narrowed: bool = False
    areas: frozenset[int] = frozenset()
    teams: frozenset[int] = frozenset()
    locale: str | None = field(default=None, compare=False)

    def may(self, right: Right) -> bool:
        """Whether this actor holds the right."""
        return right in self.rights

    @property
    def key_alone(self) -> int | None:
        """The API key that acts by itself; None where a person does."""
        return None if self.user_id is not None else self.api_key_id

    @property
    def principal(self) -> str:
        """The name under which idempotency keys and limits are kept: user:7, key:3, performer:9, system."""
        for word, value in (
            ("user", self.user_id),
            ("key", self.api_key_id),
            ("performer", self.performer_id),
        ):
            if value is not None:
                return f"{word}:{value}"
        return "system"


SYSTEM = Actor(kind=ActorKind.SYSTEM, rights=frozenset(Right), scope=EVERYTHING)
ROUTER = Actor(kind=ActorKind.ROUTER, rights=frozenset(Right), scope=EVERYTHING)
CLOCK = Actor(kind=ActorKind.CLOCK, rights=frozenset(Right), scope=EVERYTHING)


def rights_of(roles: Iterable[Role]) -> frozenset[Right]:
    """The union of what the roles allow."""
    return frozenset(right for role in roles for right in RIGHTS[role])


def is_narrowed(roles: Iterable[Role]) -> bool:
    """Whether holders of exactly these roles see only the orders of their team, area or own work."""
    held = frozenset(roles)
    return bool(held) and held <= NARROW_ROLES
