"""The side paths of an order: each counted, how often it was taken and how often it ended as it should."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Path(StrEnum):
    """What may happen to an order beside the straight way, and to firms and the calendar meanwhile."""

    DECLINED = "declined"
    LAPSED = "lapsed"
    FIVE_ROUNDS = "five_rounds"
    PLACE_SETTLED = "place_settled"
    GIVEN_BACK = "given_back"
    URGED = "urged"
    REPEAT_CALL = "repeat_call"
    RETURN_UPHELD = "return_upheld"
    RETURN_REFUSED = "return_refused"
    RETURN_REFUSED_TWICE = "return_refused_twice"
    EXTENDED = "extended"
    EXTENSION_LATE = "extension_late"
    HELD_TO_THE_END = "held_to_the_end"
    HELD_AND_RESUMED = "held_and_resumed"
    HELPED = "helped"
    REROUTED = "rerouted"
    FINAL_ANSWER = "final_answer"
    SUPERVISED = "supervised"
    SUPERVISED_BY_CLOCK = "supervised_by_clock"
    ANSWERED_DIRECTLY = "answered_directly"
    MERGED = "merged"
    UNMERGED = "unmerged"
    SPLIT = "split"
    VOIDED_BY_TWO = "voided_by_two"
    VOIDED_BY_RESIDENT = "voided_by_resident"
    CONFIDENTIAL = "confidential"
    REOPENED = "reopened"
    REOPENED_TWICE = "reopened_twice"
    UNREACHED = "unreached"
    ACCEPTED_TWICE = "accepted_twice"
    BOOKED = "booked"
    EMERGENCY = "emergency"
    GRABBED = "grabbed"
    TOLD_PERFORMER = "told_performer"
    TOLD_TEAM_HEAD = "told_team_head"
    TOLD_AREA_CHIEF = "told_area_chief"
    TOLD_CENTRE = "told_centre"
    TOLD_SUPERVISION = "told_supervision"
    CLIMBED_FAST = "climbed_fast"
    DIGEST = "digest"
    CALENDAR = "calendar"
    SUSPENDED = "suspended"
    PAPER_EXPIRED = "paper_expired"
    COMPLAINT = "complaint"
    CARE_VISIT = "care_visit"


LABELS: dict[Path, str] = {
    Path.DECLINED: "不接，转给下一家 · declined",
    Path.LAPSED: "超时未答，转给下一家 · lapsed",
    Path.FIVE_ROUNDS: "五轮用完，人工派单 · five rounds used up, by hand",
    Path.PLACE_SETTLED: "地址未定位，后来补定 · place not found, settled",
    Path.GIVEN_BACK: "接单后退回 · given back",
    Path.URGED: "催办三次报警 · urged three times",
    Path.REPEAT_CALL: "同一件事又来电 · repeated call",
    Path.RETURN_UPHELD: "退单成立 · return upheld",
    Path.RETURN_REFUSED: "退单驳回 · return refused",
    Path.RETURN_REFUSED_TWICE: "退单二次驳回，会商 · second refusal",
    Path.EXTENDED: "延期 · extended",
    Path.EXTENSION_LATE: "到期后申请延期，不受理 · extension refused because late",
    Path.HELD_TO_THE_END: "挂起到期自动恢复 · hold ended by the clock",
    Path.HELD_AND_RESUMED: "挂起后人工恢复 · hold ended by hand",
    Path.HELPED: "协办，主办等协办 · helper's task, the lead waits",
    Path.REROUTED: "转派 · other team",
    Path.FINAL_ANSWER: "最终答复 · final answer",
    Path.SUPERVISED: "督办并核销 · supervised, with closing check",
    Path.SUPERVISED_BY_CLOCK: "超期自动督办 · supervised by the clock",
    Path.ANSWERED_DIRECTLY: "直接答复，问是否有用 · answered with knowledge",
    Path.MERGED: "并单 · merged",
    Path.UNMERGED: "拆回 · unmerged",
    Path.SPLIT: "一单两事，拆单 · split",
    Path.VOIDED_BY_TWO: "两人作废 · voided by two people",
    Path.VOIDED_BY_RESIDENT: "居民撤回 · taken back by the resident",
    Path.CONFIDENTIAL: "保密订单 · confidential",
    Path.REOPENED: "重办一次 · re-opened once",
    Path.REOPENED_TWICE: "重办两次，督办 · re-opened twice, supervised",
    Path.UNREACHED: "三个半天未联系上 · unreached on three half-days",
    Path.ACCEPTED_TWICE: "两部手机同时接单 · accepted twice at once",
    Path.BOOKED: "预约时段 · booked window",
    Path.EMERGENCY: "紧急 · emergency, first three",
    Path.GRABBED: "抢单 · raced for",
    Path.TOLD_PERFORMER: "提醒服务商 · level: performer",
    Path.TOLD_TEAM_HEAD: "提醒团队负责人 · level: team head",
    Path.TOLD_AREA_CHIEF: "提醒片长 · level: area chief",
    Path.TOLD_CENTRE: "提醒中心 · level: centre",
    Path.TOLD_SUPERVISION: "提醒督办 · level: supervision",
    Path.CLIMBED_FAST: "突发类别自有层级，半天内督办 · levels of its own, supervised within hours",
    Path.DIGEST: "同时超时多张，合成一条提醒 · a storm, one digest",
    Path.CALENDAR: "更正工作日历 · calendar corrected",
    Path.SUSPENDED: "服务商停派又恢复 · firm suspended and lifted",
    Path.PAPER_EXPIRED: "证照过期，不再派单 · paper expired",
    Path.COMPLAINT: "投诉服务商 · complaint",
    Path.CARE_VISIT: "探访计划 · care visit of a schedule",
}


@dataclass(slots=True)
class Ledger:
    """How often each path was begun, ended as it should, or was found not built; `surprises` say what was otherwise."""

    tried: Counter[Path] = field(default_factory=Counter)
    well: Counter[Path] = field(default_factory=Counter)
    missing: dict[Path, str] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)

    def surprise(self, path: Path, words: str) -> None:
        """Note that something was otherwise than it should be."""
        self.surprises.append(f"{path}: {words}")

    def short_of(self, times: int, paths: Iterable[Path] = Path) -> list[str]:
        """The paths that ended as they should fewer than so many times, and are built."""
        return [
            f"{path}: {self.well[path]} of {self.tried[path]} as expected, {times} wanted"
            for path in paths
            if path not in self.missing and self.well[path] < times
        ]

    def lines(self) -> list[str]:
        """The table as people read it: path, tried, as expected."""
        told = ["路径 · path | 次数 · tried | 如期 · as expected"]
        for path in Path:
            counts = f"{self.tried[path]} | {self.well[path]}"
            told.append(
                f"  {LABELS[path]} | "
                + (f"未建 · not built ({self.missing[path]})" if path in self.missing else counts)
            )
        return told + [f"  意外 · surprise: {line}" for line in self.surprises]
