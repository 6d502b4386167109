"""The life of an order: its stored states, the actions that move it, and who may take each."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dispatch.errors import Conflict, NotAllowed
from dispatch.rules.access.roles import ActorKind


class OrderState(StrEnum):
    """All stored states of an order. Source: hotline.md §1 (12345/96345 practice)."""

    RECEIVED = "received"
    AWAITING_DISPATCH = "awaiting_dispatch"
    AWAITING_HUMAN = "awaiting_human"
    DISPATCHED = "dispatched"
    SIGNED = "signed"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    FINISHED = "finished"
    FED_BACK = "fed_back"
    CALLING_BACK = "calling_back"
    CLOSED = "closed"
    ARCHIVED = "archived"
    ANSWERED = "answered"
    VOIDED = "voided"
    MERGED = "merged"


LABELS: dict[OrderState, str] = {
    OrderState.RECEIVED: "受理中",
    OrderState.AWAITING_DISPATCH: "待派",
    OrderState.AWAITING_HUMAN: "待人工",
    OrderState.DISPATCHED: "已派",
    OrderState.SIGNED: "已签收",
    OrderState.OFFERED: "询单",
    OrderState.ACCEPTED: "已接单",
    OrderState.ARRIVED: "已到场",
    OrderState.FINISHED: "已完成",
    OrderState.FED_BACK: "已反馈",
    OrderState.CALLING_BACK: "回访",
    OrderState.CLOSED: "办结",
    OrderState.ARCHIVED: "归档",
    OrderState.ANSWERED: "直接答复",
    OrderState.VOIDED: "作废",
    OrderState.MERGED: "已并",
}

ENDED: frozenset[OrderState] = frozenset(
    {
        OrderState.CLOSED,
        OrderState.ARCHIVED,
        OrderState.ANSWERED,
        OrderState.VOIDED,
        OrderState.MERGED,
    }
)
OPEN: frozenset[OrderState] = frozenset(OrderState) - ENDED
AFTER_WORK: frozenset[OrderState] = frozenset({OrderState.FINISHED, OrderState.FED_BACK, OrderState.CALLING_BACK})
"""The work is done, the resident is being answered and called back: the service clock has stopped."""
WITH_PERFORMER: frozenset[OrderState] = frozenset({OrderState.ACCEPTED, OrderState.ARRIVED})
"""A performer has taken the order and has not finished it."""


class Action(StrEnum):
    """All that can be done to an order; each is one row (or more) of TRANSITIONS."""

    RECEIVE = "receive"
    COMPLETE_INTAKE = "complete_intake"
    ANSWER_DIRECTLY = "answer_directly"
    DISPATCH = "dispatch"
    FAIL_ROUTING = "fail_routing"
    RETRY_ROUTING = "retry_routing"
    SIGN = "sign"
    OPEN_ROUND = "open_round"
    NEXT_ROUND = "next_round"
    ROUND_FAILED = "round_failed"
    ACCEPT = "accept"
    SET_OUT = "set_out"
    ARRIVE = "arrive"
    FINISH = "finish"
    FEED_BACK = "feed_back"
    START_CALLBACK = "start_callback"
    RECORD_CALLBACK_TRY = "record_callback_try"
    CLOSE = "close"
    REOPEN = "reopen"
    ARCHIVE = "archive"
    VOID = "void"
    REASSIGN = "reassign"
    WITHDRAW_PERFORMER = "withdraw_performer"
    ESCALATE = "escalate"
    REMARK = "remark"
    HOLD = "hold"
    RESUME = "resume"
    MERGE = "merge"
    UNMERGE = "unmerge"
    TAKE_IN = "take_in"
    LET_GO = "let_go"
    SPLIT = "split"
    REPEAT_CALL = "repeat_call"
    REQUEST = "request"
    DECIDE = "decide"
    RETURN_TO_DESK = "return_to_desk"
    EXTEND = "extend"
    ASK_HELP = "ask_help"
    HELP_DONE = "help_done"
    FINAL_ANSWER = "final_answer"
    URGE = "urge"
    SUPERVISE = "supervise"
    END_SUPERVISION = "end_supervision"
    RECOMPUTE = "recompute"
    CONCEAL = "conceal"
    REVEAL = "reveal"


PEOPLE: frozenset[ActorKind] = frozenset(ActorKind) - {ActorKind.ROUTER, ActorKind.CLOCK, ActorKind.SYSTEM}


class IllegalStep(Conflict):
    """订单当前的状态不允许这一步"""


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the life cycle.

    `origins` are the states it may start from (None: the order does not exist yet); `target` is the state
    after it (None: an event, the state stays); `number` is the row of hotline.md §1 that it comes from.
    """

    action: Action
    origins: frozenset[OrderState | None]
    target: OrderState | None
    who: frozenset[ActorKind]
    condition: str
    limit: str
    number: str

    def after(self, origin: OrderState | None) -> OrderState:
        """Give the state after this row was taken from `origin`; an event stays where it was."""
        if self.target is not None:
            return self.target
        if origin is None:
            raise ValueError(f"event {self.action} needs an order")
        return origin


def _row(  # noqa: PLR0917 - a call reads as one line of the table
    number: str,
    action: Action,
    origins: Iterable[OrderState | None],
    target: OrderState | None,
    who: Iterable[ActorKind],
    condition: str,
    limit: str = "-",
) -> Transition:
    return Transition(action, frozenset(origins), target, frozenset(who), condition, limit, number)


_S = OrderState
_A = Action
_W = ActorKind
_WITH_TEAM = (_S.DISPATCHED, _S.SIGNED, _S.OFFERED, _S.ACCEPTED, _S.ARRIVED)
_DESK = (_W.OPERATOR, _W.DISPATCHER, _W.CENTRE)

TRANSITIONS: tuple[Transition, ...] = (
    _row("1", _A.RECEIVE, [None], _S.RECEIVED, [_W.OPERATOR, _W.SYSTEM],
         "来电、网页、Open311、报警网关或其他项目", "15 秒内接听"),
    _row("2", _A.ANSWER_DIRECTLY, [_S.RECEIVED], _S.ANSWERED, [_W.OPERATOR],
         "引用知识条目", "通话中"),
    _row("3", _A.COMPLETE_INTAKE, [_S.RECEIVED], _S.AWAITING_DISPATCH, [_W.OPERATOR, _W.SYSTEM],
         "类别、地点、联系方式齐全，已提示疑似重复"),
    _row("4", _A.DISPATCH, [_S.AWAITING_DISPATCH, _S.AWAITING_HUMAN], _S.DISPATCHED,
         [_W.ROUTER, _W.DISPATCHER],
         "已存派单记录；人工派单须写理由", "紧急即时，其余 0.5 个工作日"),
    _row("4", _A.FAIL_ROUTING, [_S.AWAITING_DISPATCH, _S.DISPATCHED, _S.SIGNED], _S.AWAITING_HUMAN,
         [_W.ROUTER, _W.SYSTEM], "定不下团队或派单任务反复失败，报警"),
    _row("4", _A.RETRY_ROUTING, [_S.AWAITING_HUMAN], _S.AWAITING_DISPATCH, [_W.DISPATCHER, _W.SYSTEM],
         "原因已消除，写明理由"),
    _row("5 17 18 21 22 24", _A.REQUEST, OPEN, None, [_W.TEAM, _W.DISPATCHER, _W.CENTRE],
         "退单、延期、挂起、协办、转派、最终答复，写明理由和依据", "退单 1 个工作日内"),
    _row("6 17 18 21 22 24", _A.DECIDE, OPEN, None, [_W.DISPATCHER, _W.CENTRE],
         "由规定的角色决定；不能决定自己提的", "退单 4 工作小时"),
    _row("6", _A.RETURN_TO_DESK, [_S.DISPATCHED, _S.SIGNED, _S.OFFERED, _S.ACCEPTED], _S.AWAITING_DISPATCH,
         [_W.DISPATCHER, _W.CENTRE], "退单申请成立，计数"),
    _row("7", _A.SIGN, [_S.DISPATCHED], _S.SIGNED, [_W.TEAM, _W.SYSTEM],
         "有服务商的类别自动签收", "紧急 15 分钟，一般 2 工作小时"),
    _row("8", _A.OPEN_ROUND, [_S.SIGNED], _S.OFFERED, [_W.ROUTER, _W.DISPATCHER],
         "每单同时只有一轮询单"),
    _row("9", _A.ACCEPT, [_S.OFFERED], _S.ACCEPTED, [_W.PERFORMER, _W.TEAM],
         "询单有效且未超时", "紧急 3 分钟，当日 10 分钟，预约 60 分钟"),
    _row("10", _A.NEXT_ROUND, [_S.OFFERED], _S.OFFERED, [_W.ROUTER, _W.CLOCK, _W.PERFORMER],
         "拒绝或超时，换下一个候选；超时等同拒绝", "最多 5 轮"),
    _row("10", _A.ROUND_FAILED, [_S.SIGNED, _S.OFFERED], _S.AWAITING_HUMAN,
         [_W.ROUTER, _W.CLOCK, _W.PERFORMER, _W.SYSTEM], "没有候选或已满 5 轮，报警", "5 轮"),
    _row("11", _A.SET_OUT, [_S.ACCEPTED], None, [_W.PERFORMER, _W.TEAM], "在途"),
    _row("11", _A.ARRIVE, [_S.ACCEPTED], _S.ARRIVED, [_W.PERFORMER, _W.TEAM],
         "住户码、照片或住户确认", "按类别"),
    _row("12", _A.FINISH, [_S.ARRIVED], _S.FINISHED, [_W.PERFORMER, _W.TEAM],
         "结果、照片、费用、时间", "按类别"),
    _row("13", _A.FEED_BACK, [_S.FINISHED], _S.FED_BACK, [_W.TEAM, _W.SYSTEM], "已记录给居民的答复"),
    _row("14", _A.START_CALLBACK, [_S.FED_BACK], _S.CALLING_BACK, [_W.CALLBACK_CLERK, _W.CLOCK],
         "回访人不是经办人", "次日"),
    _row("14", _A.RECORD_CALLBACK_TRY, [_S.CALLING_BACK], None, [_W.CALLBACK_CLERK],
         "是否联系、是否解决、是否满意", "三次"),
    _row("14a 15", _A.CLOSE, [_S.CALLING_BACK], _S.CLOSED, [_W.SYSTEM],
         "已解决，或最终答复获准，或三次未联系上（不计入 V）"),
    _row("15", _A.CLOSE, [_S.FED_BACK], _S.CLOSED, [_W.SYSTEM], "该类别不回访"),
    _row("15", _A.ARCHIVE, [_S.CLOSED], _S.ARCHIVED, [_W.SYSTEM, _W.CLOCK], "办结后归档"),
    _row("16", _A.REOPEN, [_S.CALLING_BACK], _S.DISPATCHED, [_W.CALLBACK_CLERK],
         "未解决或不满意；同一团队；计数", "一次，之后督办"),
    _row("17", _A.EXTEND, OPEN, None, [_W.CENTRE], "到期前申请，写明理由",
         "最多 3 次，每次 3 个工作日；长期工程 180 天"),
    _row("18", _A.HOLD, OPEN, None, [_W.CENTRE], "等居民、配件或季节；须有截止日期", "停表"),
    _row("18", _A.RESUME, OPEN, None, [_W.CENTRE, _W.CLOCK], "原因消除或到期", "续表"),
    _row("19", _A.ESCALATE, OPEN, None, [_W.CLOCK, _W.CENTRE, _W.SYSTEM], "逐级提醒，每级一次，状态不变"),
    _row("19", _A.URGE, OPEN, None, [*_DESK, _W.CALLBACK_CLERK, _W.CLOCK], "催办：居民、中心或时钟；计数，状态不变"),
    _row("19 23", _A.REPEAT_CALL, OPEN, None, [*_DESK, _W.SYSTEM], "同一件事又来电：记在这张订单上，每位来电人都回访"),
    _row("20", _A.SUPERVISE, OPEN, None, [_W.CENTRE, _W.CLOCK], "督办：自有时限，单独核销", "超期 5 个工作日以上"),
    _row("20", _A.END_SUPERVISION, frozenset(_S) - {_S.ARCHIVED}, None, [_W.CENTRE], "核查后销督"),
    _row("21", _A.REASSIGN, _WITH_TEAM, _S.DISPATCHED, [_W.DISPATCHER],
         "新的派单记录；订单时限不变，团队时限重计"),
    _row("21", _A.WITHDRAW_PERFORMER, [_S.ACCEPTED], _S.AWAITING_DISPATCH,
         [_W.PERFORMER, _W.TEAM, _W.DISPATCHER], "接单后不能到场，写明理由"),
    _row("22", _A.ASK_HELP, OPEN, None, [_W.CENTRE, _W.DISPATCHER], "主办、协办：协办任务都完成，主办才能办结"),
    _row("22", _A.HELP_DONE, OPEN, None, [_W.TEAM, _W.DISPATCHER, _W.CENTRE], "协办完成，写明结果"),
    _row("23", _A.MERGE, OPEN, _S.MERGED, _DESK, "同地点同类别，两单都未结；每位来电人都回访"),
    _row("23", _A.UNMERGE, [_S.MERGED], _S.AWAITING_DISPATCH, _DESK, "拆单，重新派单"),
    _row("23", _A.TAKE_IN, OPEN, None, _DESK, "并入另一单"),
    _row("23", _A.LET_GO, frozenset(_S) - {_S.ARCHIVED}, None, _DESK, "并入的单拆出去"),
    _row("23", _A.SPLIT, OPEN, None, _DESK, "一单两事：另立一单"),
    _row("24", _A.FINAL_ANSWER, [_S.AWAITING_HUMAN, *_WITH_TEAM, _S.FINISHED], _S.FED_BACK, [_W.CENTRE],
         "无法解决：团队负责人签字，中心批准，有依据；不计入考核"),
    _row("25", _A.VOID, OPEN, _S.VOIDED, [_W.OPERATOR, _W.CENTRE, _W.SYSTEM],
         "须第二人同意，或由居民本人撤回；写明理由"),
    _row("-", _A.CONCEAL, frozenset(_S) - {_S.ARCHIVED}, None, _DESK,
         "设为保密，写明理由：接电话的人、班长或中心；并在一起的一同设"),
    _row("-", _A.REVEAL, frozenset(_S) - {_S.ARCHIVED}, None, [_W.CENTRE],
         "取消保密，写明理由：中心，不是设的人"),
    _row("-", _A.RECOMPUTE, OPEN, None, [_W.CLOCK, _W.SYSTEM], "工作日历更正后重算时限"),
    _row("-", _A.REMARK, frozenset(_S) - {_S.ARCHIVED}, None, PEOPLE | {_W.SYSTEM}, "备注"),
)  # fmt: skip


def next_state(state: OrderState | None, action: Action, actor_kind: ActorKind) -> OrderState:
    """Give the state after `action` by `actor_kind`; an event gives the same state again.

    `state` None means that the order does not exist yet. Raises IllegalStep when no row of the life cycle
    starts here with this action, NotAllowed when one does but not for this kind of actor.
    Source: hotline.md §1.
    """
    rows = [row for row in TRANSITIONS if row.action is action and state in row.origins]
    if not rows:
        raise IllegalStep
    for row in rows:
        if actor_kind in row.who:
            return row.after(state)
    raise NotAllowed


def possible_actions(state: OrderState, actor_kind: ActorKind) -> frozenset[Action]:
    """List what this kind of actor may do with an order in this state: what a page may offer."""
    return frozenset(row.action for row in TRANSITIONS if state in row.origins and actor_kind in row.who)


def legal_edges() -> frozenset[tuple[OrderState | None, Action, OrderState]]:
    """List every (from, action, to) that may stand in a history, events included; from None only at birth."""
    return frozenset((origin, row.action, row.after(origin)) for row in TRANSITIONS for origin in row.origins)
