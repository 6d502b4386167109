"""What each figure sets against what, in a sentence for people."""

from flask_babel import gettext

from dispatch.rules.reports.figures import Figure


def definition_words(figure: Figure) -> str:
    """The definition of a figure."""
    words = {
        Figure.COMPOSITE: gettext("响应率、解决率、满意率按比重相加；三次未联系上的和最终答复不计入"),
        Figure.RESPONSE: gettext("承办单位联系过的 / 回访有效的（V）"),
        Figure.SOLVED: gettext("已解决的 / 回访有效的（V）"),
        Figure.SATISFIED: gettext("满意加上折算的基本满意 / 回访有效的（V）"),
        Figure.CLOSED: gettext("已办结 / 期内应结案"),
        Figure.CLOSED_IN_TIME: gettext("按时限办结（含回访）/ 期内应结案"),
        Figure.ANSWERED_IN_TIME: gettext("团队按时限反馈 / 期内到期"),
        Figure.SIGNED_IN_TIME: gettext("按时限签收 / 期内须人工签收"),
        Figure.ARRIVED_IN_TIME: gettext("按时限到场 / 期内应到场"),
        Figure.FIRST_ACCEPTED: gettext("首轮询单即接单 / 首轮已有结果"),
        Figure.OFFERS_PER_ORDER: gettext("询单轮数 / 询过单的订单"),
        Figure.MINUTES_TO_ACCEPT: gettext("从首次询单到接单的分钟数 / 已接单的订单"),
        Figure.RETURNED: gettext("退单成立 / 期内派单"),
        Figure.MISROUTED: gettext("退单成立或转派 / 期内派单"),
        Figure.OVERRIDDEN: gettext("自动派单后由人工改派 / 期内派单"),
        Figure.REOPENED: gettext("重办过的 / 回访联系上的"),
        Figure.REPEATED: gettext("同楼道同类数日内再来的 / 地点到楼道的"),
        Figure.FAIRNESS: gettext("各服务商完成量与应得份额之比的基尼系数，0 为最均"),
        Figure.PER_TEN_THOUSAND: gettext("受理量 / 登记居民，每万人"),
    }
    return words[figure]
