"""The trades of the demo's firms: what each serves, which papers it needs and when it works, as data."""

from dataclasses import dataclass

ROUND_THE_CLOCK = ("1-7 00:00-24:00",)
LONG_DAYS = ("1-7 07:00-21:00",)
SHOP_HOURS = ("1-6 08:00-12:00", "1-6 13:00-18:00")


@dataclass(frozen=True, slots=True)
class Trade:
    """A line of business: its firms by name, the first `always_open` of which work 7x24.

    `papers` come on top of the business licence that every firm has.
    """

    suffix: str
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    papers: tuple[str, ...]
    hours: tuple[str, ...]
    always_open: int


def _trade(
    suffix: str,
    names: str,
    kinds: str,
    papers: str = "",
    *,
    hours: tuple[str, ...] = LONG_DAYS,
    always_open: int = 0,
) -> Trade:
    return Trade(suffix, tuple(names.split()), tuple(kinds.split()), tuple(papers.split()), hours, always_open)


TRADES = (
    _trade(
        "水电维修部",
        "瓯江 处州 万象 老匠人 阳光 顺达 好帮手",
        "plumbing_electric drain_clearing door_window",
        "电工证",
        always_open=3,
    ),
    _trade("管道疏通服务部", "通达 畅流 快通 清源", "drain_clearing waterproofing", always_open=2),
    _trade("家电服务中心", "南明 冰火 家乐 亿佳", "appliance_repair aircon_cleaning", "电工证"),
    _trade("锁业", "金钥 安泰 万能 守信", "locksmith door_window", "开锁备案证", always_open=4),
    _trade("防水工程队", "雨虹桥 固邦 不漏", "waterproofing door_window", "防水施工资质", hours=SHOP_HOURS),
    _trade("电脑网络工作室", "云和里 比特 闪联", "computer_repair", hours=SHOP_HOURS),
    _trade("燃气站", "白云 丽青 城南 绿谷", "gas_leak gas_cylinder", "燃气资质 燃气从业证", always_open=4),
    _trade(
        "电力工程队",
        "莲电 亮城 光明顶",
        "power_fault plumbing_electric public_facility",
        "承装修试许可 电工证",
        always_open=3,
    ),
    _trade("供水抢修队", "碧波 清泉 源头", "water_fault plumbing_electric", "涉水卫生许可", always_open=3),
    _trade("电梯维保公司", "升平 安步 云梯", "elevator_fault", "特种设备维保许可", always_open=3),
    _trade("护理站", "仁心 康宁 杏林", "medical_care hospital_companion", "医疗机构执业许可 健康证"),
    _trade(
        "家政公司",
        "巧媳妇 暖心 邻家 好阿姨 贴心 绿篱",
        "housekeeping elder_care child_care hospital_companion",
        "健康证",
    ),
    _trade("搬家公司", "大力 顺风 蚂蚁", "moving waste_removal", "道路运输证"),
    _trade("助餐点", "夕阳红 家常 长者", "meal_delivery", "食品经营许可 健康证"),
    _trade("水站", "山泉 甘露 清清", "water_delivery", "食品经营许可"),
    _trade("律师事务所", "正言 处州人 明理", "legal_advice", "律所执业许可", hours=SHOP_HOURS),
    _trade(
        "环境服务公司",
        "洁丽 绿洲 净城 扫云",
        "waste_removal pest_control public_facility",
        "有害生物防制资质",
    ),
    _trade("托育园", "小脚丫", "child_care", "托育备案证 健康证"),
)
