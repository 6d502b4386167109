"""Places, areas, buildings and residents over HTTP: within reach, masked, paged, unknown fields refused."""

import pytest

from dispatch.rules.access.roles import SYSTEM, Right
from dispatch.services import grid
from tests.api.calling import Caller, caller
from tests.conftest import Database
from tests.factories.grid import NOW, SmallCommunity, make_community


@pytest.fixture
def community(committed: Database) -> SmallCommunity:
    """A committed community, and another one of another district."""
    with committed.session() as session:
        made = make_community(session)
        home = grid.register_households(session, made.id, [(made.stairwells[1], "501")], actor=SYSTEM)[0]
        drafts = [
            grid.ResidentDraft("张三", household_id=home, phone="13800005678"),
            grid.ResidentDraft("张四"),
            grid.ResidentDraft("李五"),
        ]
        grid.register_residents(session, made.id, drafts, actor=SYSTEM, now=NOW)
        other = make_community(session)
        grid.register_residents(session, other.id, [grid.ResidentDraft("张外人")], actor=SYSTEM, now=NOW)
        session.commit()
    return made


@pytest.fixture
def reader(committed: Database, community: SmallCommunity) -> Caller:
    """A key of the district that may read the grid."""
    return caller(committed, community.district, Right.GRID_READ)


def test_an_address_becomes_a_place(reader: Caller, community: SmallCommunity) -> None:
    answer = reader.get("/api/places", text="后庆小区3幢2单元501")

    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["outcome"], answer.json["stairwell_id"]) == ("stairwell", community.stairwells[1])
    assert answer.json["room"] == "501"


def test_an_address_that_is_not_certain_answers_with_candidates(reader: Caller, community: SmallCommunity) -> None:
    answer = reader.get("/api/places", text="后庆小区9幢")

    assert answer.json is not None
    assert answer.json["outcome"] == "unresolved"
    assert [one["building_id"] for one in answer.json["candidates"]] == [*community.buildings[:2]]


def test_lists_are_paged_and_end(reader: Caller, community: SmallCommunity) -> None:
    first = reader.get("/api/buildings", limit=2).json
    assert first is not None
    second = reader.get("/api/buildings", limit=2, cursor=first["next"]).json
    assert second is not None

    assert [one["id"] for one in first["items"] + second["items"]] == [*community.buildings]
    assert second["next"] is None
    only = reader.get("/api/buildings", area_id=community.areas[1]).json
    assert only is not None
    assert [one["id"] for one in only["items"]] == [community.buildings[2]]
    areas = reader.get("/api/areas").json
    assert areas is not None
    assert [one["id"] for one in areas["items"]] == [*community.areas]


def test_residents_are_masked_and_paged_and_never_of_others(reader: Caller) -> None:
    first = reader.get("/api/residents", q="zhang", limit=1).json
    assert first is not None
    second = reader.get("/api/residents", q="zhang", limit=1, cursor=first["next"]).json
    assert second is not None

    assert first["items"][0]["name"] == "张*"
    assert first["items"][0]["phone"] == "138****5678"
    assert first["items"][0].keys() == {
        "id",
        "name",
        "sex",
        "birth_year",
        "phone",
        "identity_number",
        "address",
        "stairwell_id",
        "lives_alone",
    }
    assert len(second["items"]) == 1
    assert second["next"] is None


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/api/places", {}, "text"),
        ("/api/places", {"text": "x", "colour": "red"}, "colour"),
        ("/api/areas", {"limit": "101"}, "limit"),
        ("/api/areas", {"limit": "0"}, "limit"),
        ("/api/areas", {"cursor": "!!"}, "cursor"),
        ("/api/areas", {"cursor": "LTU="}, "cursor"),
        ("/api/residents", {"q": "张" * 201}, "q"),
        ("/api/buildings", {"area_id": "x"}, "area_id"),
    ],
)
def test_a_bad_query_names_its_field(reader: Caller, path: str, query: dict[str, str], field: str) -> None:
    answer = reader.get(path, **query)

    assert answer.status_code == 422
    assert answer.json is not None
    assert field in answer.json["errors"][0]["field"]


def test_a_nul_is_refused(reader: Caller) -> None:
    assert reader.get("/api/places", text="\x00").status_code == 400


def test_a_key_without_the_right_is_refused_and_no_key_is_401(committed: Database, community: SmallCommunity) -> None:
    stranger = caller(committed, community.district, Right.ORDERS_READ)

    assert stranger.get("/api/residents", q="张").status_code == 403
    assert stranger.client.get("/api/areas").status_code == 401
