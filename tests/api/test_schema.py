"""The whole API against its own description: no server error, no answer that the description does not know.

Short by default: of each kind of edge an operation is asked one, with DISPATCH_TEST_WHOLE=1 (`make attacks`) all, and
with DISPATCH_TEST_LONG=1 also what the frame does alike at every operation.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CoverageScenario, TestPhase
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.gateways.limits import limiter
from dispatch.rules.access.roles import NOTHING, SYSTEM, Right, Role
from dispatch.rules.orders.requests import RequestKind
from dispatch.schemas.care import PlanVisits
from dispatch.services import care, orders
from dispatch.services.access import keys
from dispatch.services.orders import OrderDraft
from dispatch.transaction import scope_of_request
from tests.conftest import Database, Servers, database_of_its_own, the_app
from tests.depth import IS_WHOLE
from tests.factories.aid import applied, carded
from tests.factories.knowledge import make_knowledge
from tests.factories.visits import helper, resident, visit_service
from tests.factories.world import World, make_world, staff
from tests.house import (
    aid_deeds,
    asking_deeds,
    care_deeds,
    counselling_deeds,
    device_deeds,
    duty_deeds,
    festival_deeds,
    fund_deeds,
    gift_deeds,
    giving_deeds,
    life_deeds,
    round_deeds,
    stock_deeds,
    voucher_deeds,
)
from tests.house.complaint_deeds import heard

MOST_TIMES = 2
IS_LONG = bool(os.environ.get("DISPATCH_TEST_LONG"))
MOST_EXAMPLES = 24 if IS_LONG else 6 if IS_WHOLE else 3
MOST_OPERATIONS = 1000 if IS_LONG else 3
"""So many operations show what the frame does alike at each of them: an unknown method, a header's edges, a field of
the same name with a value of another type."""
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
REFUSING = ("400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "503")
"""How a request that is not as described is refused; a body beyond the limit is too large before it is read."""
ANYBODY = ("/api/webhooks/{performer_code}", "/api/statements", "/api/disclosures", "/api/disclosures/proof")
"""Addresses that take no key."""

GIVING = {
    "device_id": device_deeds.bare,
    "device_contact_id": device_deeds.contact,
    "donor_id": giving_deeds.donor,
    "pledge_id": giving_deeds.pledge,
    "partner_id": giving_deeds.partner,
    "appeal_id": giving_deeds.appeal,
    "gift_id": gift_deeds.gift,
    "line_id": gift_deeds.line,
    "sale_id": gift_deeds.sale,
    "round_id": round_deeds.planned,
    "entry_id": round_deeds.entry,
    "shipment_id": round_deeds.shipment,
    "facility_id": stock_deeds.kept,
    "fund_id": fund_deeds.fund,
    "journal_entry_id": fund_deeds.entry,
    "receipt_id": fund_deeds.receipt,
    "consent_id": fund_deeds.consent,
    "spending_id": fund_deeds.asked_by_another,
    "statement_id": fund_deeds.statement,
    "bank_line_id": fund_deeds.line,
    "recall_id": stock_deeds.recall,
    "asking_id": asking_deeds.question,
    "said_id": asking_deeds.said,
    "life_event_id": life_deeds.event,
    "condolence_id": life_deeds.condolence,
    "care_group_id": life_deeds.listed,
    "appointment_id": counselling_deeds.booked,
    "festival_event_id": festival_deeds.event,
    "invitation_id": festival_deeds.invitation,
    "enrolment_id": care_deeds.enrolment,
    "period_id": care_deeds.period,
    "pairing_id": care_deeds.pairing,
    "performer_id": care_deeds.helper,
    "leave_id": care_deeds.leave,
    "absence_id": duty_deeds.absence,
    "voucher_id": voucher_deeds.voucher,
    "voucher_card_id": voucher_deeds.card,
    "voucher_grant_id": voucher_deeds.asked_list,
    "voucher_refund_id": voucher_deeds.refund,
    "voucher_settlement_id": voucher_deeds.settlement,
    "redemption_id": voucher_deeds.redemption,
}
"""What stands in an address about gifts, goods and funds, and who makes one."""


@dataclass(frozen=True, slots=True)
class Town:
    """A committed small world behind the API: a key of all rights, and rows that its addresses can name."""

    schema: schemathesis.BaseSchema
    key: str
    names: dict[str, str | int]
    asked: Counter[str] = field(default_factory=Counter)
    shown: dict[str, set[str]] = field(default_factory=dict)
    edges: Counter[str | None] = field(default_factory=Counter)

    def shows(self, case: Case[Any]) -> bool:
        """Whether this operation is one of those that show what the frame does alike at every one.

        Of the other edges an operation is asked one of each kind, and in the whole form all.
        """
        alike = what_is_alike(case)
        if alike is None:
            edge = edge_of(case)
            self.edges[edge] += 1
            return IS_LONG or IS_WHOLE or edge is None or self.edges[edge] == 1
        at = self.shown.setdefault(alike, set())
        if len(at) < MOST_OPERATIONS:
            at.add(case.operation.label)
        return case.operation.label in at

    def ask(self, case: Case[Any]) -> None:
        """Ask and look whether the answer is described; the very same a second time, but no third."""
        headers = {} if case.path in ANYBODY else {"Authorization": f"Bearer {self.key}"}
        parts = (case.method, case.formatted_path, case.query, case.headers, case.cookies, case.body, case.media_type)
        self.asked[repr(parts)] += 1
        if self.asked[repr(parts)] <= MOST_TIMES:
            case.call_and_validate(headers=headers, checks=CHECKS)


@pytest.fixture(scope="module")
def town(servers: Servers) -> Iterator[Town]:
    """A world with an order and a schedule in a database of its own, kept for all operations."""
    with database_of_its_own(servers) as database:
        key, names = settle(database)
        app = the_app()
        with app.app_context():
            limiter.reset()
        limiter.enabled = False
        schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
        schema.config.checks.negative_data_rejection.expected_statuses = [*REFUSING]
        yield Town(schema, key, names)
        limiter.enabled = True
        scope_of_request.set(NOTHING)


def settle(database: Database) -> tuple[str, dict[str, str | int]]:
    """Make the world, place an order and plan visits; the key, and what may stand in an address."""
    with database.session() as session:
        world, now = make_world(session), clock.now(session)
        kind = visit_service(session, world)
        body = {
            "resident_id": resident(session, world).id,
            "service_code": kind.code,
            "dtstart": "2099-11-24T09:00:00",
            "rrule": "FREQ=WEEKLY;BYDAY=TU",
            "performer_id": helper(session, world, [kind]).id,
        }
        read = PlanVisits().load(body)
        draft = {"starts_at": read.pop("dtstart"), "rule": read.pop("rrule")} | read
        clerk = staff(session, world, Role.OPERATOR)
        schedule = care.plan_visits(session, care.VisitDraft(**draft), actor=clerk, now=now)
        call = OrderDraft(description="下水道堵了", service_id=world.plumbing.id, stairwell_id=world.stairwells[0].id)
        order = orders.place(session, call, actor=clerk, now=now)
        orders.route(session, order.id, now=now)
        head = staff(session, world, Role.TEAM_HEAD)
        words = {"grounds": "不归本团队", "basis": "职责第二条"}
        request = orders.ask(session, order, RequestKind.RETURN, **words, actor=head, now=now)
        _, key = keys.create_key(
            session, name="all", organisation_id=world.district.id, scopes=list(Right), actor=SYSTEM, now=now
        )
        make_knowledge(session, clerk, now, code="mediation")
        of_aid = names_of_aid(session, world)
        of_giving = {name: int(make(session, world, clerk.user_id or 0)) for name, make in GIVING.items()}
        named: dict[str, str | int] = {
            "number": order.number,
            "request_id": request.id,
            "complaint_id": int(heard(session, world, 0)),
            "schedule_id": schedule.id,
            "code": "mediation",
            "performer_code": world.firms[0].code,
            "alarm_number": device_deeds.alarm(session, world, 0),
        }
        session.commit()
        return key, named | of_aid | of_giving


def names_of_aid(session: Session, world: World) -> dict[str, str | int]:
    """Somebody with a card, an application, a hand-out and goods."""
    card = carded(session, world).card
    return {
        "beneficiary_id": card.beneficiary_id,
        "application_id": applied(session, world).id,
        "card_id": card.id,
        "hand_out_id": int(aid_deeds.reserved(session, world, 0)),
        "goods_id": int(aid_deeds.goods(session, world, 0)),
    }


def the_schema(town: Town) -> schemathesis.BaseSchema:
    """What is walked through."""
    return town.schema


described = schemathesis.pytest.from_fixture("described_api")
described_api = pytest.fixture(scope="module")(the_schema)


@described.parametrize()
@settings(
    max_examples=MOST_EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_described(case: Case[Any], town: Town) -> None:
    """Where an address names something, what is made up is asked as it is and about what is really there.

    The cases of an edge of body, query or header are asked about what is there only: a made-up address has its own.
    """
    if not town.shows(case):
        return
    real = {name: town.names[name] for name in case.path_parameters or {}}
    if not real or not is_edge_beside_the_address(case):
        town.ask(case)
    if real:
        case.path_parameters.update(real)
        town.ask(case)


def what_is_alike(case: Case[Any]) -> str | None:
    """What a case shows that no operation does by itself; None for all others."""
    phase = case.meta.phase if case.meta else None
    if phase is None or phase.name is not TestPhase.COVERAGE:
        return None
    edge = phase.data
    is_field = edge.parameter_location is ParameterLocation.BODY and ": " in edge.description
    is_type_of_field = edge.scenario is CoverageScenario.INCORRECT_TYPE and is_field
    is_of_frame = edge.scenario is CoverageScenario.UNSPECIFIED_HTTP_METHOD
    if is_type_of_field or is_of_frame or edge.parameter_location is ParameterLocation.HEADER:
        return f"{edge.scenario} {edge.parameter_location} {edge.description}"
    return None


def edge_of(case: Case[Any]) -> str | None:
    """Which kind of edge of an operation a case walks along; None for what is made up beside all edges."""
    phase = case.meta.phase if case.meta else None
    if phase is None or phase.name is not TestPhase.COVERAGE:
        return None
    return f"{case.operation.label} {phase.data.scenario} {phase.data.parameter_location}"


def is_edge_beside_the_address(case: Case[Any]) -> bool:
    """Whether a case walks along the edges of the description, and not along those of its address."""
    phase = case.meta.phase if case.meta else None
    if phase is None or phase.name is not TestPhase.COVERAGE:
        return False
    return phase.data.parameter_location is not ParameterLocation.PATH


def test_every_operation_says_how_it_fails_and_which_posts_are_done_once(town: Town) -> None:
    raw = town.schema.raw_schema
    for name in ("DEFAULT_ERROR", "UNPROCESSABLE_ENTITY"):
        assert list(raw["components"]["responses"][name]["content"]) == ["application/problem+json"]
    keyed = {
        path
        for path, operations in raw["paths"].items()
        for parameter in operations.get("post", {}).get("parameters", ())
        if parameter["name"] == "Idempotency-Key"
    }
    posts = {path for path, operations in raw["paths"].items() if "post" in operations}
    told_once = {
        "/api/beneficiaries/{beneficiary_id}/cards",
        "/api/cards/{card_id}/replacement",
        "/api/gifts/{gift_id}/thanks",
        "/api/vouchers/{voucher_id}/cards",
        "/api/voucher-cards/{voucher_card_id}/replacement",
        "/api/voucher-cards/look-up",
        "/api/disclosures/proof",
    }
    assert posts - keyed == {"/api/orders/preview", "/api/webhooks/{performer_code}"} | told_once
