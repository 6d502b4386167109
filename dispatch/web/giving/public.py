"""我要捐赠: the public form of a pledge, in large type, for strangers: limited, bounded, nothing told back.

There is no log-in and no cookie: whoever sends the form may write one pledge and read nothing. A form from another
site's page is refused (`Sec-Fetch-Site`, else `Origin`); how often is limited by address and by telephone number.
"""

from collections.abc import Mapping
from hashlib import sha256

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.gateways import limits
from dispatch.gateways.limits import limiter
from dispatch.models.access import Organisation
from dispatch.rules.access.roles import EVERYTHING, Actor, ActorKind, Scope
from dispatch.rules.catalogue.prices import yuan_of
from dispatch.rules.funds.spoken import spoken
from dispatch.rules.funds.terms import Commodity
from dispatch.rules.grid.phone import normalise_phone
from dispatch.rules.market.gifts import spelling_of
from dispatch.rules.market.pledges import PledgeKind, PledgeSource
from dispatch.services import market
from dispatch.services.market import selling
from dispatch.transaction import retrying, transaction
from dispatch.web.access import open_to_all
from dispatch.web.changing import errors_of, status_of
from dispatch.web.giving.door import kind_word
from dispatch.web.giving.pledges import read_draft
from dispatch.web.orders.form import new_key, source_number
from dispatch.web.phone.door import check_origin
from dispatch.web.sales import said, source_word

OF_ONE_S_OWN = "number and secret of one's own receipt are the key; nothing else is told"
RULES = "the rule books of the supermarket hold in public"
PUBLISHED = "results of charity sales are published for everybody"
NOT_FOUND = 404
ANYBODY = "anybody may promise a gift; nothing is told but that it was kept"

blueprint = Blueprint("give", __name__, url_prefix="/give")
blueprint.before_request(check_origin)


def phone_typed() -> str:
    """The telephone number of the form, as a digest, however it is spelled; without one the address that asks."""
    try:
        number = normalise_phone(request.form.get("phone", ""))
    except Invalid:
        return limits.address()
    return f"phone:{sha256(number.encode()).hexdigest()[:24]}"


def visitor(community_id: int) -> Actor:
    """A stranger who reaches this community and nothing else, without any right."""
    return Actor(kind=ActorKind.SYSTEM, scope=Scope(communities=frozenset({community_id})))


def to_the_only_community(endpoint: str, template: str) -> Response:
    """Of which community a public page is: straight on where there is one only."""
    with transaction(EVERYTHING) as session:
        found = open_communities(session)
    if len(found) == 1:
        return redirect(url_for(endpoint, community_id=found[0][0]))  # type: ignore[return-value]
    return make_response(render_template(template, communities=found))


def open_communities(session: Session) -> list[tuple[int, str]]:
    """The communities to which something can be given: all but hidden ones."""
    query = select(Organisation.id, Organisation.name).where(Organisation.kind == "community", ~Organisation.is_hidden)
    return [(row.id, row.name) for row in session.execute(query.order_by(Organisation.id))]


def name_of(community_id: int) -> str:
    """The name of a community to which something can be given; raises NotFound."""
    with transaction(EVERYTHING) as session:
        found = dict(open_communities(session)).get(community_id)
    if found is None:
        raise NotFound
    return found


@blueprint.get("")
@open_to_all(ANYBODY)
def choose() -> Response:
    """To whom: straight on where there is one community only."""
    return to_the_only_community("give.form", "give/choose.html")


@blueprint.get("/<int(min=1, max=9223372036854775807):community_id>")
@open_to_all(ANYBODY)
def form(community_id: int) -> str:
    """The empty form."""
    return render_form(community_id, {"kind": "goods", "form_key": new_key()}, {})


def render_form(community_id: int, typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    """The form with what was typed."""
    return render_template(
        "give/form.html",
        name=name_of(community_id),
        community_id=community_id,
        typed=typed,
        errors=errors,
        kinds=[(one, kind_word(one)) for one in PledgeKind],
    )


@blueprint.post("/<int(min=1, max=9223372036854775807):community_id>")
@open_to_all(ANYBODY)
@limiter.limit(limits.PLEDGE_BY_ADDRESS, key_func=limits.address)
@limiter.limit(limits.PLEDGE_BY_PHONE, key_func=phone_typed)
@retrying
def promise(community_id: int) -> Response:
    """Keep the promise; the form sent twice is kept once."""
    name_of(community_id)
    actor = visitor(community_id)
    try:
        draft = read_draft(request.form, PledgeSource.SITE, source_number(request.form.get("form_key", "")))
        with transaction(actor.scope) as session:
            market.take_pledge(session, community_id, draft, actor=actor, now=clock.now(session))
    except (Invalid, Conflict) as error:
        return make_response(render_form(community_id, request.form, errors_of(error)), status_of(error))
    return redirect(url_for("give.thanks", community_id=community_id), 303)  # type: ignore[return-value]


def receipt_typed() -> str:
    """The receipt that is asked about, as a digest: guessing its secret is soon over, however its number is spelled."""
    community_id = (request.view_args or {}).get("community_id")
    about = f"{community_id}:{spelling_of(request.form.get('number', '')[:40])}"
    return f"receipt:{sha256(about.encode('utf-8', 'replace')).hexdigest()[:24]}"


@blueprint.get("/<int(min=1, max=9223372036854775807):community_id>/receipt")
@open_to_all(OF_ONE_S_OWN)
def receipt_form(community_id: int) -> str:
    """Where a donor types the receipt's number and secret; the printed picture brings the number."""
    return render_receipt(community_id, {"number": request.args.get("number", "")[:20]}, {}, None)


def render_receipt(
    community_id: int, typed: Mapping[str, str], errors: Mapping[str, str], own: market.OwnLine | None
) -> str:
    """The form, and above it one's own line when both were right."""
    return render_template(
        "give/receipt.html",
        name=name_of(community_id),
        community_id=community_id,
        typed=typed,
        errors=errors,
        own=own,
        amount=spoken(own.amount, Commodity(own.commodity)) if own is not None else "",
    )


@blueprint.post("/<int(min=1, max=9223372036854775807):community_id>/receipt")
@open_to_all(OF_ONE_S_OWN)
@limiter.limit(limits.LOOKUP_BY_ADDRESS, key_func=limits.address)
@limiter.limit(limits.LOOKUP_BY_NUMBER, key_func=receipt_typed)
def look_up(community_id: int) -> Response:
    """One's own line and nothing else; a wrong number is answered like a wrong secret."""
    name_of(community_id)
    number, secret = request.form.get("number", "")[:40], request.form.get("secret", "")[:40]
    try:
        with transaction(visitor(community_id).scope) as session:
            own = market.look_up(session, community_id, number, secret)
    except Conflict as error:
        return make_response(render_receipt(community_id, {"number": number}, errors_of(error), None), NOT_FOUND)
    return make_response(render_receipt(community_id, {"number": number}, {}, own))


@blueprint.get("/<int(min=1, max=9223372036854775807):community_id>/sales")
@open_to_all(PUBLISHED)
def sales(community_id: int) -> str:
    """The published results of charity sales."""
    name = name_of(community_id)
    with transaction(visitor(community_id).scope) as session:
        found = market.published_sales(session, community_id)
        sold = selling.sold_of_sales(session, [sale.id for sale, _ in found])
    about = {"name": name, "community_id": community_id, "found": found, "sold": sold}
    return render_template("give/sales.html", **about, said=said, source_word=source_word, yuan_of=yuan_of)


@blueprint.get("/<int(min=1, max=9223372036854775807):community_id>/rules")
@open_to_all(RULES)
def rules(community_id: int) -> str:
    """The rule books of the supermarket that hold today."""
    name, actor = name_of(community_id), visitor(community_id)
    with transaction(actor.scope) as session:
        found = market.rule_books(session, actor=actor, today=clock.today(clock.now(session)))
    words = {"daily": gettext("日常管理制度"), "finance": gettext("财务管理制度")}
    return render_template("give/rules.html", name=name, community_id=community_id, found=found, words=words)


@blueprint.get("/<int(min=1, max=9223372036854775807):community_id>/thanks")
@open_to_all(ANYBODY)
def thanks(community_id: int) -> str:
    """Thanks, and what happens next."""
    return render_template("give/thanks.html", name=name_of(community_id), community_id=community_id)
