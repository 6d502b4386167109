"""A decision in plain sentences: who and why, who was left out for which fact, what would change it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dispatch.rules.catalogue.papers import NEVER
from dispatch.rules.orders.decision import (
    Change,
    ChangeKind,
    Considered,
    Decision,
    Filter,
    PerformerClass,
    TeamChoice,
    TeamReason,
    Terms,
)
from dispatch.rules.orders.routing import expected_minutes

MOST_LEFT_OUT = 12
"""So many of those left out, and of the changes that would make a winner, are told one by one."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A Chinese template with %(name)s places, the key for translation, and what fills it."""

    message_id: str
    parameters: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """Give the sentence in the source language."""
        return self.message_id % self.parameters


def N_(message: str) -> str:  # noqa: N802 - the name by which message extractors know a marked text
    """Mark a text for translation and return it unchanged."""
    return message


_TEAMS = {
    TeamReason.BLOCK_FIRST: N_("责任团队是块状团队%(accountable)s（以块为主）。"),
    TeamReason.LINE_LEADS: N_("这类服务需要专长，由条状团队%(lead)s主办，%(accountable)s协办。"),
    TeamReason.SPECIALITY_MISSING: N_("这类服务需要专长，但没有对应的条状团队，由%(accountable)s主办。"),
    TeamReason.AREA_CHIEF_CHOOSES: N_("地点只知道片区，有多个块状团队（%(candidates)s），请片长选定。"),
    TeamReason.NO_BLOCK_TEAM: N_("这个地点没有块状团队，需要人工处理。"),
}
_FAILED = {
    Filter.SERVES_KIND: N_("%(name)s未入选：不提供这类服务。"),
    Filter.PAPERS_VALID: N_("%(name)s未入选：证照只到%(papers_until)s，上门当天已失效。"),
    Filter.COVERS_CELL: N_("%(name)s未入选：服务范围不含这个地点。"),
    Filter.ON_SHIFT: N_("%(name)s未入选：所需时间不在班。"),
    Filter.NOT_SUSPENDED: N_("%(name)s未入选：已暂停派单。"),
    Filter.UNDER_CAPACITY: N_("%(name)s未入选：手上已有%(open_work)s单，上限%(capacity)s单。"),
    Filter.NOT_EXCLUDED: N_("%(name)s未入选：居民要求不派。"),
    Filter.NOT_REFUSED: N_("%(name)s未入选：已拒绝过这一单，或询单超时。"),
}
_NO_PAPERS = N_("%(name)s未入选：没有这类服务要的证照，或者证照还没有生效。")
_PASSED = {
    Filter.SERVES_KIND: N_("如果%(name)s提供这类服务，就会排第一。"),
    Filter.PAPERS_VALID: N_("如果%(name)s的证照在上门当天有效，就会排第一。"),
    Filter.COVERS_CELL: N_("如果%(name)s的服务范围包含这个地点，就会排第一。"),
    Filter.ON_SHIFT: N_("如果%(name)s当时在班，就会排第一。"),
    Filter.NOT_SUSPENDED: N_("如果%(name)s没有暂停派单，就会排第一。"),
    Filter.UNDER_CAPACITY: N_("如果%(name)s手上的单少于上限，就会排第一。"),
    Filter.NOT_EXCLUDED: N_("如果居民没有要求不派%(name)s，就会排第一。"),
    Filter.NOT_REFUSED: N_("如果%(name)s没有拒绝过这一单，就会排第一。"),
}
_DECIDED_BY = {
    "minutes": N_("%(winner)s胜过第二名%(runner_up)s：预计早到%(difference)s分钟。"),
    "dissatisfaction": N_("%(winner)s胜过第二名%(runner_up)s：到达时间相当，满意度高%(difference)s分。"),
    "open_work": N_("%(winner)s胜过第二名%(runner_up)s：时间和满意度相当，手上少%(difference)s单。"),
    "recency": N_("%(winner)s胜过第二名%(runner_up)s：其余相同，已多等%(difference)s分钟没有询单。"),
    "performer_id": N_("%(winner)s与第二名%(runner_up)s条件完全相同，按编号先后选定。"),
}
_WINNER = N_(
    "%(name)s排第一：预计%(minutes)s分钟到达（排队%(queue)s、路上%(travel)s），"
    "满意度%(satisfaction)s分，手上%(open_work)s单。"
)
_ONLY = N_("只有%(name)s符合全部条件。")
_NOBODY = N_("没有人符合全部条件，需要人工处理。")
_NAMED = N_("这类服务指定专人，只考虑指定的人。")
_NAMED_UNKNOWN = N_("这类服务指定专人，但没有找到指定的人。")
_OUT = N_("另有%(count)s家不提供这类服务或不服务这个地点。")
_MORE_LEFT_OUT = N_("还有%(count)s家也未入选。")
_SLOWER = N_("如果%(winner)s再慢%(minutes)s分钟，就由%(runner_up)s接单。")


def explain(decision: Decision, names: Mapping[int, str], team_names: Mapping[int, str]) -> list[Sentence]:
    """Tell a decision in sentences, most important first.

    `names` and `team_names` give names by id; an unknown id is shown as a number. Source: hotline.md §2
    step 7 (“what would have changed the result”), “never without a trace”.
    """
    told = _Telling(decision, names)
    sentences = [] if decision.teams is None else list(_teams(decision.teams, team_names))
    return [*sentences, *told.choice(), *told.left_out(), *told.changes()]


def _points(permille: int) -> str:
    """Give a satisfaction as people say it: points of a hundred."""
    return f"{permille / 10:g}"


def _named(names: Mapping[int, str], identity: int | None) -> str:
    return names.get(identity, f"#{identity}") if identity is not None else "-"


def _teams(teams: TeamChoice, team_names: Mapping[int, str]) -> Iterator[Sentence]:
    facts = {
        "accountable": _named(team_names, teams.accountable),
        "lead": _named(team_names, teams.lead),
        "candidates": "、".join(_named(team_names, team) for team in teams.candidates),
    }
    for reason in teams.reasons:
        if reason is not TeamReason.LINE_LEADS or teams.assist is not None:
            yield Sentence(_TEAMS[reason], facts)


@dataclass(frozen=True, slots=True)
class _Telling:
    """One decision with the names of its performers."""

    decision: Decision
    names: Mapping[int, str]

    def name(self, performer_id: int | None) -> str:
        return _named(self.names, performer_id)

    def facts(self, performer_id: int) -> Considered:
        return next(one for one in self.decision.considered if one.performer_id == performer_id)

    def choice(self) -> Iterator[Sentence]:
        decision = self.decision
        if decision.performer_class is PerformerClass.NAMED:
            yield Sentence(_NAMED if decision.considered else _NAMED_UNKNOWN)
        if decision.winner is None:
            yield Sentence(_NOBODY)
            return
        yield self._winner(decision.winner)
        if decision.margin is None or decision.runner_up is None:
            yield Sentence(_ONLY, {"name": self.name(decision.winner)})
        else:
            yield self._margin(decision.margin, decision.winner, decision.runner_up)

    def _winner(self, winner: int) -> Sentence:
        facts = self.facts(winner)
        parameters = {
            "name": self.name(winner),
            "minutes": facts.queue_minutes + facts.travel_minutes,
            "queue": facts.queue_minutes,
            "travel": facts.travel_minutes,
            "satisfaction": _points(facts.satisfaction_permille),
            "open_work": facts.open_work,
        }
        return Sentence(_WINNER, parameters)

    def _margin(self, margin: Terms, winner: int, runner_up: int) -> Sentence:
        """Name the first term that differs, with the difference in its own unit."""
        term = next(term for term, difference in zip(Terms._fields, margin, strict=True) if difference)
        first, second = self.facts(winner), self.facts(runner_up)
        weights = self.decision.weights
        difference = {
            "minutes": expected_minutes(second, weights) - expected_minutes(first, weights),
            "dissatisfaction": _points(first.satisfaction_permille - second.satisfaction_permille),
        }.get(term, getattr(margin, term))
        names = {"winner": self.name(winner), "runner_up": self.name(runner_up)}
        return Sentence(_DECIDED_BY[term], {**names, "difference": difference})

    def left_out(self) -> Iterator[Sentence]:
        failing = sorted(
            (one for one in self.decision.considered if one.failed), key=lambda one: one.failed.bit_count()
        )
        for one in failing[:MOST_LEFT_OUT]:
            for failed in Filter(one.failed):
                yield self._left_out(one, failed)
        if len(failing) > MOST_LEFT_OUT:
            yield Sentence(_MORE_LEFT_OUT, {"count": len(failing) - MOST_LEFT_OUT})
        if self.decision.out_by_kind_or_cover:
            yield Sentence(_OUT, {"count": self.decision.out_by_kind_or_cover})

    def _left_out(self, one: Considered, failed: Filter) -> Sentence:
        parameters: dict[str, object] = {"name": self.name(one.performer_id)}
        if failed is Filter.PAPERS_VALID:
            if one.papers_valid_until is None or one.papers_valid_until == NEVER:
                return Sentence(_NO_PAPERS, parameters)
            parameters["papers_until"] = one.papers_valid_until.isoformat()
        if failed is Filter.UNDER_CAPACITY:
            parameters |= {"open_work": one.open_work, "capacity": one.capacity}
        return Sentence(_FAILED[failed], parameters)

    def changes(self) -> Iterator[Sentence]:
        winning = [change for change in self.decision.what_would_change if change.wins]
        yield from map(self._change, winning[:MOST_LEFT_OUT])

    def _change(self, change: Change) -> Sentence:
        if change.kind is ChangeKind.WINNER_SLOWER:
            names = {"winner": self.name(self.decision.winner), "runner_up": self.name(change.performer_id)}
            return Sentence(_SLOWER, {**names, "minutes": change.amount})
        return Sentence(_PASSED[Filter(change.amount)], {"name": self.name(change.performer_id)})
