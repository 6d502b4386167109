"""In what capacity somebody acts: the highest that the roles, or the scopes of a machine's key, describe.

Source: hotline.md, the life cycle's table (who may do what names capacities, not roles).
"""

from collections.abc import Iterable

from dispatch.rules.access.roles import ActorKind, Right, Role

ACTOR_KIND_OF_ROLE: dict[Role, ActorKind] = {
    Role.CENTRE: ActorKind.CENTRE,
    Role.DISPATCHER: ActorKind.DISPATCHER,
    Role.OPERATOR: ActorKind.OPERATOR,
    Role.CALLBACK_CLERK: ActorKind.CALLBACK_CLERK,
    Role.TEAM_HEAD: ActorKind.TEAM,
    Role.AREA_CHIEF: ActorKind.TEAM,
    Role.PERFORMER: ActorKind.PERFORMER,
    Role.KEEPER: ActorKind.OPERATOR,
    Role.WELFARE: ActorKind.OPERATOR,
    Role.ADMIN: ActorKind.CENTRE,
    Role.ACCOUNTANT: ActorKind.OPERATOR,
    Role.COUNSELLOR: ActorKind.OPERATOR,
}

KIND_OF_RIGHT = (
    (Right.ORDERS_SUPERVISE, ActorKind.CENTRE),
    (Right.ORDERS_DISPATCH, ActorKind.DISPATCHER),
    (Right.ORDERS_PLACE, ActorKind.OPERATOR),
    (Right.ORDERS_CALL_BACK, ActorKind.CALLBACK_CLERK),
    (Right.ORDERS_WORK, ActorKind.TEAM),
)


def kind_of(roles: Iterable[Role]) -> ActorKind:
    """The capacity in which a holder of these roles acts: the highest of them."""
    held = set(roles)
    return next((kind for role, kind in ACTOR_KIND_OF_ROLE.items() if role in held), ActorKind.OPERATOR)


def kind_of_key(rights: Iterable[Right]) -> ActorKind:
    """The capacity in which a machine's key acts: the highest that its scopes describe."""
    held = set(rights)
    return next((kind for right, kind in KIND_OF_RIGHT if right in held), ActorKind.OPERATOR)
