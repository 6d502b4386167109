"""The organisation tree of the demo: district, its 96345 centre, street, community, party branch, station."""

from dataclasses import dataclass

DISTRICT = "liandu"
CENTRE = "liandu-96345"
STREET = "baiyun"
COMMUNITY = "houqing"
BRANCH = "houqing-branch"
STATION = "houqing-station"


@dataclass(frozen=True, slots=True)
class Organisation:
    """A node of the tree; `parent_code` is None for the district, parents come before their children."""

    code: str
    name: str
    kind: str
    parent_code: str | None


def organisations() -> tuple[Organisation, ...]:
    """The six organisations, parents first."""
    return (
        Organisation(DISTRICT, "莲都区", "district", None),
        Organisation(CENTRE, "莲都区96345市民服务中心", "centre", DISTRICT),
        Organisation(STREET, "白云街道", "street", DISTRICT),
        Organisation(COMMUNITY, "后庆社区", "community", STREET),
        Organisation(BRANCH, "后庆社区党总支", "branch", COMMUNITY),
        Organisation(STATION, "后庆社区综合服务站", "station", COMMUNITY),
    )
