"""Donors and pledges over HTTP: entered, found, named by consent; taken, fetched by an order, withdrawn."""

from collections.abc import Mapping
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.gateways import limits
from dispatch.models.market import Donor, Pledge
from dispatch.rules.access.roles import Right
from dispatch.rules.market.pledges import PledgeKind, PledgeSource, Promise
from dispatch.schemas import giving as schemas
from dispatch.services import market
from dispatch.services.market import DonorDraft, PledgeDraft
from dispatch.transaction import transaction

blueprint = Blueprint("giving", __name__, url_prefix="/api", description="捐赠 · Donations")

DONOR = "/donors/<int(min=1, max=9223372036854775807):donor_id>"
PLEDGE = "/pledges/<int(min=1, max=9223372036854775807):pledge_id>"
OF_DONOR = ("id", "community_id", "kind", "name", "is_overseas", "is_named", "created_at")
OF_PLEDGE = tuple(name for name in schemas.PledgeOut().fields if name not in {"phone", "order_number"})
OF_PROMISE = ("words", "fen", "address_text", "wanted_from", "wanted_until")


def donor_out(donor: Donor) -> dict[str, Any]:
    """What leaves of a donor."""
    return {name: getattr(donor, name) for name in OF_DONOR} | {"phone": market.masked_phone_of_donor(donor)}


def pledge_out(pledge: Pledge, number: str | None) -> dict[str, Any]:
    """What leaves of a pledge, with the number of its order."""
    more = {"phone": market.masked_phone_of_pledge(pledge), "order_number": number}
    return {name: getattr(pledge, name) for name in OF_PLEDGE} | more


@blueprint.route("/donors")
class Donors(MethodView):
    """The donors of the reach."""

    @allow(Right.GIFTS_READ, limit=limits.SEARCH)
    @blueprint.arguments(schemas.DonorQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.DonorsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List donors, newest first."""
        with transaction() as session:
            rows = market.list_donors(
                session, query=query["q"], before=query["cursor"], limit=query["limit"] + 1, actor=actor()
            )
        shown = rows[: query["limit"]]
        following = shown[-1].id if len(rows) > query["limit"] else None
        return {"items": [donor_out(donor) for donor in shown], "next": following}

    @allow(Right.GIFTS_RECEIVE)
    @blueprint.takes(schemas.AddDonor, schemas.DonorOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Enter a donor; of the same name and number there is only one. Who stays unknown is not entered."""

        def work(session: Session) -> Answer:
            draft = DonorDraft(**{name: value for name, value in data.items() if name != "community_id"})
            donor = market.add_donor(session, data["community_id"], draft, actor=actor(), now=clock.now(session))
            location = url_for("giving.OneDonor", donor_id=donor.id)
            return 201, schemas.DonorOut().dump(donor_out(donor)), {"Location": location}

        return once("donors.add", data, work)


@blueprint.route(DONOR)
class OneDonor(MethodView):
    """One donor."""

    @allow(Right.GIFTS_READ)
    @blueprint.response(200, schemas.DonorOut)
    def get(self, donor_id: int) -> Mapping[str, Any]:
        """Show one donor."""
        with transaction() as session:
            return donor_out(market.find_donor(session, donor_id, actor=actor()))


@blueprint.route(f"{DONOR}/naming")
class DonorNaming(MethodView):
    """Whether statements may say a donor's name."""

    @allow(Right.GIFTS_RECEIVE)
    @blueprint.takes(schemas.NameDonor, schemas.DonorOut)
    def post(self, data: Mapping[str, Any], donor_id: int) -> Response:
        """Note that a donor consents, or does no more: statements to come follow it."""

        def work(session: Session) -> Answer:
            donor = market.set_named(session, donor_id, is_named=data["is_named"], actor=actor())
            return 200, schemas.DonorOut().dump(donor_out(donor)), {}

        return once(f"donors.name:{donor_id}", data, work)


@blueprint.route("/pledges")
class Pledges(MethodView):
    """The pledges of the reach."""

    @allow(Right.PLEDGES_TAKE)
    @blueprint.arguments(schemas.PledgeQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.PledgesOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List pledges, newest first."""
        with transaction() as session:
            page = market.list_pledges(
                session,
                only_waiting=not query["ended"],
                before=query["cursor"],
                limit=query["limit"],
                actor=actor(),
            )
        return {"items": [pledge_out(pledge, number) for pledge, number in page.items], "next": page.next}

    @allow(Right.PLEDGES_TAKE)
    @blueprint.takes(schemas.TakePledge, schemas.PledgeOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Keep a promise that was made at the desk or by the donation line."""

        def work(session: Session) -> Answer:
            now = clock.now(session)
            pledge = market.take_pledge(session, data["community_id"], read_draft(data), actor=actor(), now=now)
            location = url_for("giving.OnePledge", pledge_id=pledge.id)
            return 201, schemas.PledgeOut().dump(pledge_out(pledge, None)), {"Location": location}

        return once("pledges.take", data, work)


def read_draft(data: Mapping[str, Any]) -> PledgeDraft:
    """The pledge that a body describes."""
    promise = Promise(PledgeKind(data["kind"]), **{name: data[name] for name in OF_PROMISE})
    who = {name: data[name] for name in ("name", "phone", "wish", "is_overseas", "is_named")}
    return PledgeDraft(promise, PledgeSource(data["source"]), **who)


@blueprint.route(PLEDGE)
class OnePledge(MethodView):
    """One pledge."""

    @allow(Right.PLEDGES_TAKE)
    @blueprint.response(200, schemas.PledgeOut)
    def get(self, pledge_id: int) -> Mapping[str, Any]:
        """Show one pledge."""
        with transaction() as session:
            pledge = market.find_pledge(session, pledge_id, actor=actor())
            return pledge_out(pledge, market.order_of_pledge(session, pledge))


@blueprint.route(f"{PLEDGE}/fetching")
class PledgeFetching(MethodView):
    """The order that fetches what was promised."""

    @allow(Right.PLEDGES_TAKE)
    @blueprint.takes(schemas.FetchPledge, schemas.PledgeOut)
    def post(self, data: Mapping[str, Any], pledge_id: int) -> Response:
        """Place the order, once: 409 while one is under way. What comes to nothing can be fetched again."""

        def work(session: Session) -> Answer:
            pledge = market.fetch_pledge(session, pledge_id, **data, actor=actor(), now=clock.now(session))
            number = market.order_of_pledge(session, pledge)
            return 200, schemas.PledgeOut().dump(pledge_out(pledge, number)), {}

        return once(f"pledges.fetch:{pledge_id}", data, work)


@blueprint.route(f"{PLEDGE}/withdrawal")
class PledgeWithdrawal(MethodView):
    """A promise that is kept no more."""

    @allow(Right.PLEDGES_TAKE)
    @blueprint.takes(schemas.WithdrawPledge, schemas.PledgeOut)
    def post(self, data: Mapping[str, Any], pledge_id: int) -> Response:
        """Withdraw with a reason; what is being fetched is called back by its order first (409)."""

        def work(session: Session) -> Answer:
            pledge = market.withdraw_pledge(session, pledge_id, **data, actor=actor())
            number = market.order_of_pledge(session, pledge)
            return 200, schemas.PledgeOut().dump(pledge_out(pledge, number)), {}

        return once(f"pledges.withdraw:{pledge_id}", data, work)
