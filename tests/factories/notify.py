"""What the tests of notices need in the database: a community, its users and performers."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from dispatch.models.access import Membership, User
from dispatch.models.catalogue import Performer
from dispatch.rules.access.capacity import kind_of
from dispatch.rules.access.roles import Actor, Role, Scope, rights_of
from dispatch.services.access import vault
from tests.factories.access import make_organisation


@dataclass(frozen=True, slots=True)
class Place:
    """A district with one community."""

    district_id: int
    community_id: int

    @property
    def scope(self) -> Scope:
        """The reach of somebody at the district."""
        return Scope(
            organisations=frozenset({self.district_id, self.community_id}),
            communities=frozenset({self.community_id}),
        )


def make_place(session: Session) -> Place:
    """A district and its community."""
    district = make_organisation(session, "district")
    return Place(district.id, make_organisation(session, "community", district).id)


def make_user(session: Session, organisation_id: int, role: Role = Role.DISPATCHER) -> User:
    """Somebody who can log in, with one role."""
    user = User(uid=uuid4(), login=f"user-{uuid4().hex[:12]}", name="测试员", password_hash="none")
    session.add(user)
    session.flush()
    session.add(Membership(user_id=user.id, organisation_id=organisation_id, role=str(role)))
    session.flush()
    return user


def actor_of(user: User, scope: Scope, role: Role = Role.DISPATCHER) -> Actor:
    """The user as an actor of one role."""
    return Actor(kind=kind_of([role]), user_id=user.id, roles=frozenset({role}), rights=rights_of([role]), scope=scope)


def make_performer(
    session: Session,
    organisation_id: int,
    *,
    channel: str = "webhook",
    url: str | None = None,
    secret: str | None = None,
    email: str | None = None,
) -> Performer:
    """A firm that is told through `channel`; secret and address are sealed as the catalogue seals them."""
    uid = uuid4()
    performer = Performer(
        uid=uid,
        organisation_id=organisation_id,
        kind="firm",
        code=f"F{uid.hex[:8]}",
        name="测试维修行",
        channel=channel,
        webhook_url=url,
        webhook_secret=sealed("webhook_secret", uid, secret),
        email=sealed("email", uid, email),
        latitude=28.45,
        longitude=119.92,
        capacity=5,
        shifts={},
        satisfaction_permille=900,
    )
    session.add(performer)
    session.flush()
    return performer


def sealed(column: str, uid: UUID, text: str | None) -> bytes | None:
    """A field of a performer as it is stored."""
    return None if text is None else vault.seal(f"performers.{column}.{uid}", text)
