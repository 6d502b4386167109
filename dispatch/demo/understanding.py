"""How well spoken addresses are understood: drafted calls resolved, and held against the truth beside them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from dispatch.demo.calls import DraftCall
from dispatch.demo.community import Community
from dispatch.demo.known import Known
from dispatch.demo.organisations import COMMUNITY
from dispatch.services import grid

MOST_EXAMPLES = 3


@dataclass(slots=True)
class Understanding:
    """Counts by (how far the text leads, verdict), and examples of the misses by (level, style, verdict).

    Verdicts: right (as far as the text leads, and true), less (true, but less exact than the text), candidate
    (not settled, the truth is among the candidates offered), none (not settled, the truth is not offered),
    wrong (settled somewhere else).
    """

    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    misses: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    missed: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def note(self, call: DraftCall, verdict: str) -> None:
        """Count one call."""
        self.verdicts[call.place_level, verdict] += 1
        if verdict != "right":
            kind = (call.place_level, call.address_style, verdict)
            self.missed[kind] += 1
            examples = self.misses.setdefault(kind, [])
            if len(examples) < MOST_EXAMPLES:
                examples.append(call.address_text)

    def share(self, level: str, *verdicts: str) -> float:
        """The share of the calls of a level that have one of these verdicts; 1 where there is none."""
        total = sum(count for (one, _), count in self.verdicts.items() if one == level)
        good = sum(self.verdicts[level, verdict] for verdict in verdicts)
        return good / total if total else 1.0


def measure(session: Session, community: Community, calls: Iterable[DraftCall]) -> Understanding:
    """Resolve the address text of each call, within the demo community, without its caller's record."""
    known = Known(session, community)
    stairwells, areas = known.stairwells(), known.areas()
    buildings = known.buildings()
    building_of = {one.code: buildings[one.building_code] for one in community.grid.stairwells}
    reach = frozenset({known.organisations()[COMMUNITY]})
    found = Understanding()
    for call in calls:
        place = grid.resolve_place(session, call.address_text, communities=reach)
        truth = {
            "stairwell": stairwells[call.stairwell_code],
            "building": building_of[call.stairwell_code],
            "area": areas[call.area_code],
        }
        found.note(call, verdict_of(call, place, truth))
    return found


def verdict_of(call: DraftCall, place: grid.Place, truth: dict[str, int]) -> str:
    """What became of one text; see Understanding."""
    settled = {"stairwell": place.stairwell_id, "building": place.building_id, "area": place.area_id}
    if place.outcome == "unresolved":
        return unsettled_verdict(call, place, truth)
    if any(settled[level] not in {None, identity} for level, identity in truth.items()):
        return "wrong"
    order = ("area", "building", "stairwell")
    expected = "stairwell" if call.place_level in {"caller", "nothing"} else call.place_level
    return "right" if order.index(place.outcome) >= order.index(expected) else "less"


def unsettled_verdict(call: DraftCall, place: grid.Place, truth: dict[str, int]) -> str:
    """A text that says nothing is rightly left open; else it matters whether the truth is offered."""
    if call.place_level == "nothing":
        return "right"
    offered = any(
        truth["stairwell"] == one.stairwell_id or truth["building"] == one.building_id for one in place.candidates
    )
    return "candidate" if offered else "none"
