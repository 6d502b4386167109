"""What the supermarkets of the demo have: forty kinds of goods, and lots with days around that on which it begins."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

MOST_LOTS_OF_GOODS = 5
DAY, MONTH = "day", "month"

# code, name, category, counted by, unit, shelf life (amount, unit)
GOODS: tuple[tuple[str, str, str, str, str, tuple[int, str] | None], ...] = (
    ("rice", "大米", "food", "gram", "斤", (12, MONTH)),
    ("glutinous", "糯米", "food", "gram", "斤", (12, MONTH)),
    ("flour", "面粉", "food", "gram", "斤", (9, MONTH)),
    ("noodles", "挂面", "food", "gram", "斤", (12, MONTH)),
    ("millet", "小米", "food", "gram", "斤", (9, MONTH)),
    ("beans", "绿豆", "food", "gram", "斤", (18, MONTH)),
    ("peanuts", "花生米", "food", "gram", "斤", (6, MONTH)),
    ("sugar", "白糖", "food", "gram", "斤", (24, MONTH)),
    ("salt", "食盐", "food", "gram", "斤", (36, MONTH)),
    ("oil", "菜籽油5升", "food", "piece", "桶", (18, MONTH)),
    ("soybean_oil", "大豆油5升", "food", "piece", "桶", (18, MONTH)),
    ("soy_sauce", "酱油", "food", "piece", "瓶", (24, MONTH)),
    ("vinegar", "米醋", "food", "piece", "瓶", (24, MONTH)),
    ("milk", "纯牛奶", "food", "piece", "盒", (6, MONTH)),
    ("fresh_milk", "鲜牛奶", "food", "piece", "瓶", (7, DAY)),
    ("yogurt", "酸奶", "food", "piece", "杯", (21, DAY)),
    ("bread", "切片面包", "food", "piece", "袋", (5, DAY)),
    ("eggs", "鸡蛋30枚", "food", "piece", "板", (45, DAY)),
    ("biscuits", "饼干", "food", "piece", "盒", (12, MONTH)),
    ("sesame", "芝麻糊", "food", "piece", "袋", (12, MONTH)),
    ("oatmeal", "燕麦片", "food", "piece", "袋", (12, MONTH)),
    ("canned", "八宝粥", "food", "piece", "罐", (24, MONTH)),
    ("ham", "火腿肠", "food", "piece", "袋", (6, MONTH)),
    ("lotus", "藕粉", "food", "piece", "盒", (18, MONTH)),
    ("kit", "爱心包", "food", "piece", "份", None),
    ("coat", "棉衣", "clothes", "piece", "件", None),
    ("sweater", "毛衣", "clothes", "piece", "件", None),
    ("trousers", "裤子", "clothes", "piece", "条", None),
    ("shoes", "棉鞋", "clothes", "piece", "双", None),
    ("quilt", "棉被", "clothes", "piece", "床", None),
    ("socks", "袜子", "clothes", "piece", "双", None),
    ("towel", "毛巾", "daily", "piece", "条", None),
    ("soap", "香皂", "daily", "piece", "块", (36, MONTH)),
    ("detergent", "洗衣粉", "daily", "piece", "袋", (36, MONTH)),
    ("paper", "卷纸", "daily", "piece", "提", None),
    ("toothpaste", "牙膏", "daily", "piece", "支", (36, MONTH)),
    ("shampoo", "洗发水", "daily", "piece", "瓶", (36, MONTH)),
    ("thermos", "热水瓶", "daily", "piece", "个", None),
    ("bag", "书包", "study", "piece", "个", None),
    ("notebook", "笔记本", "study", "piece", "本", None),
)


@dataclass(frozen=True, slots=True)
class DemoLot:
    """A lot that is counted at the opening: goods by code, amount, and the day of production."""

    goods: str
    amount: int
    produced_on: date | None
    batch: str


def make_lots(today: date, seed: int) -> list[DemoLot]:
    """About a hundred and fifty lots: most are good, some end these days, a few have ended; the same for a seed."""
    random = Random(seed)  # noqa: S311 - a demo, not a secret
    lots = []
    for code, _, _, commodity, _, life in GOODS:
        if code == "kit":
            continue
        for number in range(random.randint(3, MOST_LOTS_OF_GOODS)):
            days = None if life is None else life[0] * (30 if life[1] == MONTH else 1)
            age = None if days is None else int(days * random.choice((0.1, 0.2, 0.4, 0.6, 0.8, 0.97)))
            amount = random.randint(20, 200) * 500 if commodity == "gram" else random.randint(5, 80)
            produced = today - timedelta(days=age) if age is not None else None
            lots.append(DemoLot(code, amount, produced, f"{code[:3]}{number + 1:02}"))
    return lots
