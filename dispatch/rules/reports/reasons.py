"""Why an order stands behind a figure but does not count in it: codes with their words."""

from collections.abc import Mapping
from typing import Final

REASONS: Final[Mapping[str, str]] = {
    "voided": "已作废",
    "merged": "已并入另一单",
    "answered": "当场答复，没有交办",
    "not_due": "时限还没有到",
    "unreached": "三次没有联系上，不计入V",
    "final_answer": "最终答复，不计入考核",
    "not_contacted": "承办单位没有联系",
    "unsolved": "没有解决",
    "dissatisfied": "不满意",
    "no_opinion": "没有表态",
    "still_open": "还没有办结",
    "late": "超过时限",
    "unanswered": "团队还没有反馈",
    "signed_by_house": "系统代签，不用签收",
    "unsigned": "还没有签收",
    "not_arrived": "还没有到场",
    "round_open": "首轮询单还在等答复",
    "round_withdrawn": "首轮询单已收回",
    "declined": "首轮不接",
    "lapsed": "首轮超时未接",
    "not_accepted": "没有人接单",
    "kept": "没有退单或转派",
    "by_router": "按自动派单",
    "done_once": "没有重办",
    "confidential": "保密，不与别的订单比较",
    "no_stairwell": "地点不到楼道",
    "first_time": "不是重复",
}
"""A test holds that every reason of a definition has its words."""

PARTS: Final[Mapping[str, str]] = {"counted": "计入", "not_counted": "不达标", "left_out": "不参与统计"}
"""What a figure does with an order that stands on its day."""
