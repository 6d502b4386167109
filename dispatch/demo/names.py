"""Names of people who do not exist, in the fashion of their decade."""

from random import Random

from dispatch.demo.identifiers import Sex

SURNAMES = "叶陈王李吴周张徐刘林蓝雷胡项潘季郑朱杨黄毛梁何汤金赵沈章柳廖钟谢应邹程魏洪余邱严"
SURNAME_WEIGHTS = tuple(40 - place * 0.8 for place in range(len(SURNAMES)))

# (born up to this year, male given names, female given names)
FASHIONS: tuple[tuple[int, str, str], ...] = (
    (
        1955,
        "根土 水根 金福 德明 樟根 宝生 昌荣 炳文 树德 松林 寿康 火根 庆余 仁义 裕民 长生 福贵 国梁 志成 有才",
        "桂花 秀英 月娥 菊香 凤仙 彩云 春娇 玉珍 阿香 素珍 爱莲 银花 翠兰 菊英 美凤 宝珠 秋月 金娣 水仙 巧云",
    ),
    (
        1975,
        "建国 建军 卫东 志强 国平 永康 伟明 海平 军民 爱国 建华 小平 立新 文革 跃进 红兵 新民 向阳 晓东 学军",
        "丽华 美珍 爱萍 秀芬 雪梅 红英 建芬 小红 玉兰 卫红 彩霞 丽萍 春燕 惠芬 素琴 美丽 月琴 海燕 淑芳 晓玲",
    ),
    (
        1995,
        "伟 强 勇 俊杰 晓峰 志伟 海波 鹏 磊 剑锋 旭东 浩 凯 斌 振华 文杰 建伟 超 立峰 永杰",
        "丽 静 敏 燕 晓燕 芳 婷婷 雅琴 丹 娟 慧 莉莉 佳 巧玲 雪 倩 丽丽 晓丹 艳 春梅",
    ),
    (
        2100,
        "浩然 子轩 宇航 俊熙 梓豪 一鸣 博文 皓宇 睿 嘉乐 奕辰 沐阳 泽宇 天佑 思远 承恩 家豪 景行 知远 乐天",
        "梓涵 欣怡 雨桐 诗涵 一诺 可馨 若曦 佳琪 语晨 思琪 依诺 梦瑶 子萱 安琪 沐晴 书瑶 艺涵 晨曦 念慈 心悦",
    ),
)


def surname(random: Random) -> str:
    """A family name, the common ones of the district more often."""
    return random.choices(SURNAMES, SURNAME_WEIGHTS)[0]


def given_name(random: Random, sex: Sex, birth_year: int) -> str:
    """A given name as it was given in the year of birth."""
    male, female = next((men, women) for until, men, women in FASHIONS if birth_year <= until)
    return random.choice((male if sex == "male" else female).split())


def staff_name(random: Random) -> str:
    """The full name of somebody of working age."""
    return surname(random) + given_name(random, random.choice(("male", "female")), random.randint(1966, 2002))
