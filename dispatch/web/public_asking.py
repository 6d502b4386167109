"""三问 for everybody: the open questions, the published answers, and saying something, by name or without.

Like the public form of a pledge: no log-in, no cookie, nothing told back; a form from another site's page is refused,
how often is limited by address and by question. Who chooses to stay unknown leaves neither name nor telephone, and
nothing that says from where the form came is written beside the entry.
"""

from collections.abc import Mapping

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from dispatch import clock
from dispatch.errors import Conflict, Invalid
from dispatch.gateways import limits
from dispatch.gateways.limits import limiter
from dispatch.rules.care.asking import KIND_HINTS, EntrySource, is_open
from dispatch.services.care import asking
from dispatch.transaction import retrying, transaction
from dispatch.web.access import open_to_all
from dispatch.web.asking import read_entry, words
from dispatch.web.changing import errors_of, status_of
from dispatch.web.giving.public import name_of, to_the_only_community, visitor
from dispatch.web.orders.form import new_key
from dispatch.web.phone.door import check_origin

ANYBODY = "everybody is asked, and reads what was answered"
HERE = "/<int(min=1, max=9223372036854775807):community_id>"
QUESTION = f"{HERE}/<int(min=1, max=9223372036854775807):asking_id>"

blueprint = Blueprint("ask", __name__, url_prefix="/ask")
blueprint.before_request(check_origin)


def question_asked() -> str:
    """The question that a form answers: whoever floods it from many addresses is stopped here."""
    return f"question:{(request.view_args or {}).get('asking_id')}"


@blueprint.get("")
@open_to_all(ANYBODY)
def choose() -> Response:
    """Of which community: straight on where there is one only."""
    return to_the_only_community("ask.listing", "ask/choose.html")


@blueprint.get(HERE)
@open_to_all(ANYBODY)
def listing(community_id: int) -> str:
    """The questions of a community, those that are open first."""
    name, actor = name_of(community_id), visitor(community_id)
    with transaction(actor.scope) as session:
        today = clock.today(clock.now(session))
        found = [row.asking for row in asking.list_askings(session, actor=actor)]
    begun = [one for one in found if one.opens_on <= today]
    taken = [one for one in begun if is_open(one.opens_on, one.closes_on, today)]
    about = {"name": name, "community_id": community_id, "taken": taken}
    return render_template("ask/listing.html", **about, over=[one for one in begun if one not in taken], **words())


@blueprint.get(QUESTION)
@open_to_all(ANYBODY)
def show(community_id: int, asking_id: int) -> str:
    """One question with its form and its answers."""
    return render_question(community_id, asking_id, {"form_key": new_key()}, {})


def render_question(community_id: int, asking_id: int, typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    name, actor = name_of(community_id), visitor(community_id)
    with transaction(actor.scope) as session:
        found = asking.find_asking(session, asking_id, actor=actor)
        answers = asking.published(session, found.id, actor=actor)
        today = clock.today(clock.now(session))
    return render_template(
        "ask/show.html",
        name=name,
        community_id=community_id,
        asking=found,
        hint=gettext(KIND_HINTS[found.kind]),
        answers=answers,
        is_open=is_open(found.opens_on, found.closes_on, today),
        typed=typed,
        errors=errors,
        **words(),
    )


@blueprint.post(QUESTION)
@open_to_all(ANYBODY)
@limiter.limit(limits.ENTRY_BY_ADDRESS, key_func=limits.address)
@limiter.limit(limits.ENTRY_BY_QUESTION, key_func=question_asked)
@retrying
def say(community_id: int, asking_id: int) -> Response:
    """Keep what somebody says; the form sent twice is kept once."""
    name_of(community_id)
    actor = visitor(community_id)
    try:
        draft = read_entry(EntrySource.SITE)
        with transaction(actor.scope) as session:
            asking.take_entry(session, asking_id, draft, actor=actor, now=clock.now(session))
    except (Invalid, Conflict) as error:
        page = render_question(community_id, asking_id, request.form, errors_of(error))
        return make_response(page, status_of(error))
    return redirect(url_for("ask.thanks", community_id=community_id), 303)  # type: ignore[return-value]


@blueprint.get(f"{HERE}/thanks")
@open_to_all(ANYBODY)
def thanks(community_id: int) -> str:
    """Thanks, and where the answer will stand."""
    return render_template("ask/thanks.html", name=name_of(community_id), community_id=community_id)
