"""The Chinese words of the journal's terms, as pages and statements say them."""

from collections.abc import Mapping
from typing import Final

from dispatch.rules.funds.terms import EntryKind, HoldingKind, Owner, Purpose

KIND_LABELS: Final[Mapping[EntryKind, str]] = {
    EntryKind.OPENING: "开账",
    EntryKind.GIFT: "捐赠",
    EntryKind.INTEREST: "利息",
    EntryKind.SURPLUS: "盘盈",
    EntryKind.SPEND: "支出",
    EntryKind.HAND_OUT: "发放",
    EntryKind.PARCEL: "慰问包",
    EntryKind.SHIPMENT: "救灾发运",
    EntryKind.DISPOSAL: "销毁",
    EntryKind.SHORTAGE: "盘亏",
    EntryKind.GIVEN_BACK: "退还捐赠人",
    EntryKind.PURCHASE: "购入物资",
    EntryKind.KIT: "组包",
    EntryKind.SALE: "义卖",
    EntryKind.TRANSFER: "转存",
    EntryKind.EARMARK_CHANGE: "变更意向",
    EntryKind.GRANT: "发放服务券",
    EntryKind.REDEEM: "核销服务券",
    EntryKind.LAPSE: "收回服务券余额",
    EntryKind.REVERSAL: "冲正",
}
PURPOSE_LABELS: Final[Mapping[Purpose, str]] = {
    Purpose.SERIOUS_ILLNESS: "患大病特困人员",
    Purpose.SEVERE_DISABILITY: "重残无业人员",
    Purpose.LONE_ELDER: "孤寡老人",
    Purpose.SUDDEN_HARDSHIP: "受灾或突发事件困难家庭",
    Purpose.YEARLY_ROUND: "年度慰问",
    Purpose.RELIEF: "救灾",
    Purpose.VOUCHER: "养老服务券",
    Purpose.PARTY_CARE: "党内关怀",
    Purpose.RUNNING: "运行费用",
    Purpose.ANY: "不限用途",
}
OWNER_LABELS: Final[Mapping[Owner, str]] = {
    Owner.OWN: "社区代管",
    Owner.PARTNER: "合作单位",
    Owner.OVERSEAS: "侨爱",
}
HOLDING_LABELS: Final[Mapping[HoldingKind, str]] = {
    HoldingKind.BANK: "银行账户",
    HoldingKind.TILL: "钱箱",
    HoldingKind.STOCK: "仓库",
    HoldingKind.TRANSIT: "在途",
}
