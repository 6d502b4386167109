"""The registers of units (辖区单位, 40) and merchants (工商户, 56) of the demo."""

from dataclasses import dataclass
from random import Random

from dispatch.demo.grid import Grid
from dispatch.demo.identifiers import CreditCodes, Phones
from dispatch.demo.names import staff_name

# (registration prefix of the credit code, trade, names)
UNITS: tuple[tuple[str, str, str], ...] = (
    ("11", "机关", "后庆税务所 后庆司法所 白云市场监管所 莲都城管中队 大洋路派出所 灯塔水务站"),
    ("12", "学校", "后庆小学 大洋中学 白云幼儿园 丽青幼儿园 城中实验小学 花园幼儿园"),
    ("12", "医疗", "后庆社区卫生服务站 白云街道卫生院 大洋门诊部 城中牙病防治所"),
    ("12", "文化", "城中文化馆 灯塔图书分馆 后庆老年学校 白云体育馆"),
    ("91", "企业", "白云汽车服务公司 大洋酒店 丽青印刷厂 后庆茶业公司 城中百货公司 灯塔机械厂"),
    ("91", "企业", "继光竹木公司 花园物业公司 丽阳物业公司 解放街供销公司 中山旅行社 白云建材公司"),
    ("91", "金融", "大洋路储蓄所 解放街信用社 白云保险营业部 中山街邮政所"),
    ("52", "社会组织", "后庆老年协会 白云志愿者协会 晨曦公益社 城中书画社"),
)
MERCHANTS: tuple[tuple[str, str, int], ...] = (
    ("餐饮店", "好再来 老味道 阿婆面馆 缙云烧饼铺 山里人家 清明粿店 早点铺 小吃店 土菜馆 豆浆店", 10),
    ("便利店", "顺心 邻里 家家乐 万家 丽友 惠民 好邻居 四季 百姓", 9),
    ("水果店", "鲜果园 绿源 果满堂 山果 甜又鲜", 5),
    ("理发店", "阿强 丽人 新发艺 靓点 时尚", 5),
    ("药店", "康民 福寿堂 仁和堂 惠安", 4),
    ("五金店", "大洋 兴旺 永发 宏达", 4),
    ("洗衣店", "洁净 白云 净衣坊", 3),
    ("服装店", "美衣 丽裳 衣点 锦绣", 4),
    ("修车铺", "老叶 顺风 平安", 3),
    ("花店", "花语 春天", 2),
    ("快递站", "大洋路 城中 丽青", 3),
    ("文具店", "晨光里 学友", 2),
    ("粮油店", "谷丰 稻香", 2),
)


@dataclass(frozen=True, slots=True)
class Establishment:
    """A unit or a merchant (`kind`) in a building of the grid, with its contact person."""

    code: str
    kind: str
    trade: str
    name: str
    uscc: str
    building_code: str
    address: str
    contact_name: str
    phone: str
    employees: int


def make_establishments(random: Random, grid: Grid, codes: CreditCodes, phones: Phones) -> tuple[Establishment, ...]:
    """40 units, then 56 merchants, spread over the areas in turn."""
    named = [("unit", prefix, trade, name) for prefix, trade, names in UNITS for name in names.split()]
    for trade, names, count in MERCHANTS:
        named += [("merchant", "92", trade, f"{name}{trade}") for name in names.split()[:count]]
    found: list[Establishment] = []
    for place, (kind, prefix, trade, name) in enumerate(named):
        area = grid.areas[place % len(grid.areas)]
        building = random.choice([one for one in grid.buildings if one.area_code == area.code])
        found.append(
            Establishment(
                code=f"{'U' if kind == 'unit' else 'M'}{place + 1:03}",
                kind=kind,
                trade=trade,
                name=name,
                uscc=codes.next(prefix),
                building_code=building.code,
                address=f"{building.address}底层" if kind == "merchant" else building.address,
                contact_name=staff_name(random),
                phone=phones.next(),
                employees=random.randint(8, 120) if kind == "unit" else random.randint(1, 9),
            )
        )
    return tuple(found)
