"""`dispatch user`: accounts, roles, passwords and API keys from the terminal, as the house itself."""

import argparse
import getpass
import sys
from collections.abc import Callable

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.boot import boot
from dispatch.errors import DispatchError, Invalid
from dispatch.rules.access.roles import EVERYTHING, SYSTEM, Right, Role
from dispatch.services.access import keys, users
from dispatch.transaction import Doors, transaction

EXIT_REFUSED = 1
EPILOG = """examples:
  dispatch user add linfang --name 林芳              (asks for the password twice)
  dispatch user role linfang operator --at liandu-96345
  dispatch user role zhoumin area_chief --at houqing --area 3
  dispatch user password linfang --stdin < file
  dispatch user second-factor linfang                (forget a lost phone)
  dispatch user disable linfang
  dispatch user key 热线系统 --at liandu-96345 --scope orders.place --scope orders.read
  dispatch user revoke 7
Every change is audited and ends the sessions of the user. A password has at least 12 characters."""


def describe(parser: argparse.ArgumentParser) -> None:
    """Add what can be done with users and keys."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="what")
    for name, (help_text, options, _work) in VERBS.items():
        options(verbs.add_parser(name, help=help_text, description=help_text))


def run(arguments: argparse.Namespace) -> int:
    """Do it in one transaction; 0 when done, 1 with the reason when it was refused."""
    if Doors.engine is None:
        boot()
    try:
        with transaction(EVERYTHING) as session:
            said = VERBS[arguments.verb][2](session, arguments)
    except Invalid as error:
        print(f"dispatch user: {error.field}: {error.message}", file=sys.stderr)
        return EXIT_REFUSED
    except DispatchError as error:
        print(f"dispatch user: {error.message}", file=sys.stderr)
        return EXIT_REFUSED
    print(said)
    return 0


def login_option(parser: argparse.ArgumentParser) -> None:
    """The log-in name that a verb is about."""
    parser.add_argument("login", help="log-in name")


def add_options(parser: argparse.ArgumentParser) -> None:
    """What a new user needs."""
    password_options(parser)
    parser.add_argument("--name", required=True, help="the person's name")
    parser.add_argument("--phone", help="for notices; kept encrypted")
    parser.add_argument("--email", help="for notices; kept encrypted")


def password_options(parser: argparse.ArgumentParser) -> None:
    """Where a password comes from: never from the command line, which others can read."""
    login_option(parser)
    parser.add_argument("--stdin", action="store_true", help="read the password from standard input")


def role_options(parser: argparse.ArgumentParser) -> None:
    """A role at an organisation, and for what."""
    login_option(parser)
    parser.add_argument("role", choices=[str(role) for role in Role], help="the role")
    parser.add_argument("--at", required=True, metavar="CODE", help="the organisation's code; its subtree is seen")
    parser.add_argument("--team", type=int, metavar="ID", help="team of a team_head")
    parser.add_argument("--area", type=int, metavar="ID", help="area of an area_chief")
    parser.add_argument("--performer", type=int, metavar="ID", help="performer behind a performer's log-in")


def key_options(parser: argparse.ArgumentParser) -> None:
    """A key's name, place and scopes."""
    parser.add_argument("name", help="who uses it")
    parser.add_argument("--at", required=True, metavar="CODE", help="the organisation's code; its subtree is seen")
    parser.add_argument(
        "--scope", action="append", required=True, choices=[str(right) for right in Right], metavar="RIGHT",
        help=f"what it may, again for each: {', '.join(Right)}",
    )  # fmt: skip
    parser.add_argument("--performer", type=int, metavar="ID", help="performer whose own system uses it")


def revoke_options(parser: argparse.ArgumentParser) -> None:
    """The key's number, told when it was made."""
    parser.add_argument("key_id", type=int, help="number of the key")


def read_password(arguments: argparse.Namespace) -> str:
    """The new password: one line of standard input, or asked for twice; raises Invalid when they differ."""
    if arguments.stdin:
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("password: ")
    if getpass.getpass("again: ") != first:
        raise Invalid("password", "两次输入的密码不一致")
    return first


def add(session: Session, arguments: argparse.Namespace) -> str:
    """Make a user."""
    user = users.create_user(
        session,
        login=arguments.login,
        name=arguments.name,
        password=read_password(arguments),
        phone=arguments.phone,
        email=arguments.email,
        actor=SYSTEM,
        now=clock.now(session),
    )
    return f"user {user.login} made; it has no role yet: dispatch user role {user.login} …"


def give_role(session: Session, arguments: argparse.Namespace) -> str:
    """Give a role."""
    user = users.find_user(session, arguments.login)
    place = users.find_organisation(session, arguments.at)
    users.add_role(
        session,
        user.id,
        Role(arguments.role),
        organisation_id=place.id,
        team_id=arguments.team,
        area_id=arguments.area,
        performer_id=arguments.performer,
        actor=SYSTEM,
        now=clock.now(session),
    )
    return f"user {user.login} is {arguments.role} at {place.code}"


def disable(session: Session, arguments: argparse.Namespace) -> str:
    """Let a user in no more."""
    user = users.find_user(session, arguments.login)
    users.disable(session, user.id, actor=SYSTEM, now=clock.now(session))
    return f"user {user.login} is disabled and logged out everywhere"


def set_password(session: Session, arguments: argparse.Namespace) -> str:
    """Set a password and lift a lock."""
    user = users.find_user(session, arguments.login)
    users.set_password(session, user.id, read_password(arguments), actor=SYSTEM, now=clock.now(session))
    return f"password of {user.login} set; logged out everywhere"


def forget_phone(session: Session, arguments: argparse.Namespace) -> str:
    """Forget a second factor."""
    user = users.find_user(session, arguments.login)
    users.reset_totp(session, user.id, actor=SYSTEM, now=clock.now(session))
    return f"second factor of {user.login} forgotten; it is enrolled anew at the next log-in"


def make_key(session: Session, arguments: argparse.Namespace) -> str:
    """Make an API key."""
    place = users.find_organisation(session, arguments.at)
    made, plain = keys.create_key(
        session,
        name=arguments.name,
        organisation_id=place.id,
        scopes=[Right(scope) for scope in arguments.scope],
        performer_id=arguments.performer,
        actor=SYSTEM,
        now=clock.now(session),
    )
    return f"key {made.id} made; it is shown this once:\n{plain}"


def revoke_key(session: Session, arguments: argparse.Namespace) -> str:
    """Revoke an API key."""
    keys.revoke_key(session, arguments.key_id, actor=SYSTEM, now=clock.now(session))
    return f"key {arguments.key_id} is revoked"


Options = Callable[[argparse.ArgumentParser], None]
Work = Callable[[Session, argparse.Namespace], str]

VERBS: dict[str, tuple[str, Options, Work]] = {
    "add": ("make a user", add_options, add),
    "role": ("give a user a role at an organisation", role_options, give_role),
    "disable": ("let a user in no more", login_option, disable),
    "password": ("set a password and lift a lock", password_options, set_password),
    "second-factor": ("forget a user's second factor", login_option, forget_phone),
    "key": ("make an API key", key_options, make_key),
    "revoke": ("revoke an API key", revoke_options, revoke_key),
}
