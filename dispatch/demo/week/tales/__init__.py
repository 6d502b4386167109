"""All tales: which path each takes, about what the call is, and on which days it may begin."""

from collections.abc import Callable
from dataclasses import dataclass

from dispatch.demo.week.case import Case
from dispatch.demo.week.director import Tale
from dispatch.demo.week.paths import Path
from dispatch.demo.week.tales import around, asked, ending, handing, together, watched

REPAIR, DRAINS = "plumbing_electric", "drain_clearing"
TOLD = (
    Path.TOLD_PERFORMER,
    Path.TOLD_TEAM_HEAD,
    Path.TOLD_AREA_CHIEF,
    Path.TOLD_CENTRE,
    Path.TOLD_SUPERVISION,
)


@dataclass(frozen=True, slots=True)
class Plot:
    """A tale of one order: the paths it counts for, the kind of its call, how far the address leads.

    `first_days`: it takes so long that it begins on the first days only.
    """

    paths: tuple[Path, ...]
    tale: Callable[[Case], Tale]
    kind: str = REPAIR
    level: str = "stairwell"
    first_days: int = 0


PLOTS: tuple[Plot, ...] = (
    Plot((Path.DECLINED,), handing.declined),
    Plot((Path.LAPSED,), handing.lapsed),
    Plot((Path.FIVE_ROUNDS,), handing.five_rounds),
    Plot((Path.PLACE_SETTLED,), handing.place_settled, level="nothing"),
    Plot((Path.GIVEN_BACK,), handing.given_back, DRAINS),
    Plot((Path.ACCEPTED_TWICE,), handing.accepted_twice),
    Plot((Path.BOOKED,), handing.booked, "appliance_repair"),
    Plot((Path.EMERGENCY,), handing.emergency, "gas_leak"),
    Plot((Path.GRABBED,), handing.raced_for, "power_fault"),
    Plot((Path.CONFIDENTIAL,), handing.confidential),
    Plot((Path.RETURN_UPHELD,), asked.return_upheld),
    Plot((Path.RETURN_REFUSED,), asked.return_refused),
    Plot((Path.RETURN_REFUSED_TWICE,), asked.return_refused_twice, DRAINS),
    Plot((Path.EXTENDED,), asked.extended),
    Plot((Path.HELD_TO_THE_END,), asked.held_to_the_end),
    Plot((Path.HELD_AND_RESUMED,), asked.held_and_resumed, DRAINS),
    Plot((Path.HELPED,), asked.helped),
    Plot((Path.REROUTED,), asked.rerouted, DRAINS),
    Plot((Path.FINAL_ANSWER,), asked.final_answer),
    Plot((Path.URGED,), watched.urged),
    Plot((Path.SUPERVISED,), watched.supervised),
    Plot((Path.SUPERVISED_BY_CLOCK, Path.EXTENSION_LATE, *TOLD), watched.neglected, DRAINS, first_days=2),
    Plot((Path.CLIMBED_FAST,), watched.climbed_fast, "elevator_fault"),
    Plot((Path.DIGEST,), watched.storm, "locksmith"),
    Plot((Path.ANSWERED_DIRECTLY,), ending.answered_directly),
    Plot((Path.VOIDED_BY_TWO,), ending.voided_by_two),
    Plot((Path.VOIDED_BY_RESIDENT,), ending.voided_by_resident),
    Plot((Path.REOPENED,), ending.reopened),
    Plot((Path.REOPENED_TWICE,), ending.reopened_twice, first_days=3),
    Plot((Path.UNREACHED,), ending.unreached, first_days=3),
    Plot((Path.REPEAT_CALL,), together.called_again),
    Plot((Path.MERGED,), together.merged),
    Plot((Path.UNMERGED,), together.unmerged),
    Plot((Path.SPLIT,), together.split),
    Plot((Path.CALENDAR,), around.calendar_corrected),
    Plot((Path.SUSPENDED,), around.suspended),
    Plot((Path.PAPER_EXPIRED,), around.paper_expired),
    Plot((Path.COMPLAINT,), around.complaint),
    Plot((Path.CARE_VISIT,), around.care_visit),
)
