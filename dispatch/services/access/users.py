"""Users: made, given roles, disabled, their passwords changed; every change ends their sessions."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.access import Membership, Organisation, User
from dispatch.rules.access.roles import Actor, Role
from dispatch.rules.access.sign_in import check_login, check_password
from dispatch.services.access import audit, passwords, sessions, vault
from dispatch.services.access.keys import check_reach
from dispatch.services.access.sign_in import lock_user

LONGEST_NAME = 60
CONFIRMED = 0
NEEDED_BY_ROLE = {Role.TEAM_HEAD: "team_id", Role.AREA_CHIEF: "area_id", Role.PERFORMER: "performer_id"}


class LoginTaken(Conflict):
    """这个登录名已经有人使用"""


class TwoPlaces(Conflict):
    """一个账号的角色只能在同一个组织；在两处工作请用两个账号"""


def create_user(
    session: Session,
    *,
    login: str,
    name: str,
    password: str,
    phone: str | None = None,
    email: str | None = None,
    totp_secret: str | None = None,
    actor: Actor,
    now: datetime,
) -> User:
    """Make a user without roles; a given TOTP secret (base 32) counts as confirmed.

    Raises Invalid naming login, name or password, LoginTaken.
    """
    checked = check_login(login)
    check_password(checked, password)
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid("name", "请填写姓名，不超过 60 字")
    uid = uuid4()
    user = User(
        uid=uid,
        login=checked,
        name=name.strip(),
        password_hash=passwords.make_hash(password),
        password_changed_at=now,
        created_at=now,
        phone=vault.seal(f"users.phone.{uid}", phone) if phone else None,
        email=vault.seal(f"users.email.{uid}", email) if email else None,
        totp_secret=vault.seal(f"users.totp_secret.{uid}", totp_secret) if totp_secret else None,
        totp_last_step=CONFIRMED if totp_secret else None,
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise LoginTaken from error
    audit.record(session, "access.create_user", "users", user.id, actor=actor)
    return user


def add_role(
    session: Session,
    user_id: int,
    role: Role,
    *,
    organisation_id: int,
    team_id: int | None = None,
    area_id: int | None = None,
    performer_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> Membership:
    """Give a role AT an organisation; the user's sessions end, so that the new rights begin at a log-in.

    All roles of a user stand at one organisation, so that the rights of one place never count at another.
    Raises NotFound (user, or an organisation out of reach), NotAllowed (one's own roles), TwoPlaces, Invalid.
    """
    user = lock_user(session, user_id)
    check_reach(organisation_id, actor)
    if user.id == actor.user_id:
        raise NotAllowed("自己的角色要由别的管理员修改")
    if session.get(Organisation, organisation_id) is None:
        raise NotFound
    belongs = {"team_id": team_id, "area_id": area_id, "performer_id": performer_id}
    needed = NEEDED_BY_ROLE.get(role)
    if needed is not None and belongs[needed] is None:
        raise Invalid(needed, "这个角色要说明属于哪个团队、片区或执行人")
    held = session.scalars(select(Membership).where(Membership.user_id == user.id)).all()
    if any(one.organisation_id != organisation_id for one in held):
        raise TwoPlaces
    membership = next((one for one in held if one.role == role), None)
    if membership is None:
        membership = Membership(user_id=user.id, organisation_id=organisation_id, role=str(role))
        session.add(membership)
    for column, value in belongs.items():
        setattr(membership, column, value)
    session.flush()
    sessions.end_all(session, user.id, now)
    note(session, "access.add_role", user, actor, organisation_id=organisation_id, role=role)
    return membership


def disable(session: Session, user_id: int, *, actor: Actor, now: datetime) -> None:
    """Let a user in no more; all sessions end at once. Raises NotFound, NotAllowed for oneself."""
    user = reached_user(session, user_id, actor)
    if user.id == actor.user_id:
        raise NotAllowed("不能停用自己的账号")
    user.disabled_at = user.disabled_at or now
    sessions.end_all(session, user.id, now)
    note(session, "access.disable", user, actor)


def change_password(session: Session, user_id: int, *, old: str, new: str, actor: Actor, now: datetime) -> None:
    """A user's own change, with the old password; all sessions end. Raises Invalid naming the field."""
    user = lock_user(session, user_id)
    if not passwords.is_right(user.password_hash, old):
        raise Invalid("old_password", "现在的密码不正确")
    if old == new:
        raise Invalid("password", "新密码要与现在的不同")
    keep_password(session, user, new, now)
    note(session, "access.change_password", user, actor)


def set_password(session: Session, user_id: int, password: str, *, actor: Actor, now: datetime) -> None:
    """An administrator's reset: a new password, no lock, all sessions ended."""
    user = reached_user(session, user_id, actor)
    keep_password(session, user, password, now)
    user.failed_logins, user.locked_until = 0, None
    note(session, "access.set_password", user, actor)


def reset_totp(session: Session, user_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget a lost phone: the second factor is enrolled anew at the next log-in."""
    user = reached_user(session, user_id, actor)
    user.totp_secret, user.totp_last_step = None, None
    sessions.end_all(session, user.id, now)
    note(session, "access.reset_totp", user, actor)


def keep_password(session: Session, user: User, password: str, now: datetime) -> None:
    """Check and store a password; every session of the user ends."""
    check_password(user.login, password)
    user.password_hash = passwords.make_hash(password)
    user.password_changed_at = now
    sessions.end_all(session, user.id, now)


def find_user(session: Session, login: str) -> User:
    """The user of a log-in name; raises NotFound."""
    user = session.scalars(select(User).where(User.login == login.strip().lower())).one_or_none()
    if user is None:
        raise NotFound
    return user


def find_organisation(session: Session, code: str) -> Organisation:
    """The organisation of a code; raises NotFound."""
    found = session.scalars(select(Organisation).where(Organisation.code == code)).one_or_none()
    if found is None:
        raise NotFound
    return found


def reached_user(session: Session, user_id: int, actor: Actor) -> User:
    """The locked row of a user whose roles all stand in the actor's reach; raises NotFound."""
    user = lock_user(session, user_id)
    for organisation_id in session.scalars(select(Membership.organisation_id).where(Membership.user_id == user.id)):
        check_reach(organisation_id, actor)
    return user


def note(
    session: Session,
    action: str,
    user: User,
    actor: Actor,
    *,
    organisation_id: int | None = None,
    role: Role | None = None,
) -> None:
    """The audit entry of a change to a user."""
    fields = {"role": str(role)} if role else {}
    audit.record(session, action, "users", user.id, actor=actor, organisation_id=organisation_id, fields=fields)
