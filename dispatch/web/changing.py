"""How a page changes something: done in one transaction and on to the next page, or shown again with what was wrong."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from flask import Response, make_response, redirect
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, DispatchError, Invalid, NotAllowed
from dispatch.rules.access.roles import Actor
from dispatch.transaction import transaction
from dispatch.web.access import current_actor
from dispatch.web.pages import told

NOTHING_WRONG: Mapping[str, str] = MappingProxyType({})
Work = Callable[[Session, Actor, datetime], object]
Making = Callable[[Session, Actor, datetime], str]
Render = Callable[[Actor, Mapping[str, str]], str]


def change(work: Work, render: Render, done: str) -> Response:
    """Do one thing and go to `done`; a refusal is shown by `render` with what was typed."""

    def step(session: Session, actor: Actor, now: datetime) -> str:
        work(session, actor, now)
        return done

    return make(step, render)


def make(work: Making, render: Render) -> Response:
    """Do one thing and go to the address that it gives; a refusal is shown by `render` with what was typed."""
    actor = current_actor()
    try:
        with transaction() as session:
            address = work(session, actor, clock.now(session))
    except (Invalid, Conflict, NotAllowed) as error:
        return make_response(render(actor, errors_of(error)), status_of(error))
    return redirect(address, 303)  # type: ignore[return-value]


def errors_of(error: DispatchError) -> dict[str, str]:
    """What was wrong, by field; a conflict and a refusal of the person stand above the form."""
    return {error.field if isinstance(error, Invalid) else "form": told(error)}


def status_of(error: DispatchError) -> int:
    """422 for a wrong field, 403 for the wrong person, 409 for what has changed meanwhile."""
    if isinstance(error, NotAllowed):
        return 403
    return 422 if isinstance(error, Invalid) else 409
