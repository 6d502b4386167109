"""What the source document says was given and received: lower bounds in its own words, never lines of the journal.

Source: rules.md §6, last line. The 15000多件 were clothes and study and household goods, given jointly with a partner;
whether they are inside the 26000 is not said, so nothing here is ever added up.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Declared:
    """A figure that was declared for 2003 to the report: at least so much, in the words of the source."""

    words: str
    phrase: str
    at_least: int


DECLARED: Final = (
    Declared("收到捐款", "19万元", 190_000),
    Declared("收到米油", "16000斤", 16_000),
    Declared("收到衣物", "35000多件", 35_000),
    Declared("发放衣服", "26000件", 26_000),
    Declared("发放米油", "15000多斤", 15_000),
    Declared("发放日用品", "2500多件", 2_500),
    Declared("与“晓丽爱心传递站”合送景宁、松阳", "15000多件", 15_000),
    Declared("每年定期发放的特困家庭", "30多户", 30),
    Declared("送往景宁、庆元、碧湖等地的受灾群众", "180多名", 180),
    Declared("来超市领取（人次）", "2万余人次", 20_000),
)
DECLARED_COUNSELLING: Final = (
    Declared("心理服务项目", "13项", 13),
    Declared("在社区开展的活动", "40余次", 40),
)
"""Source: 优化心理服务功能; “国家级育婴师”培训 is named without a number."""
DECLARED_STATION: Final = (
    Declared("服务项目", "10多种", 10),
    Declared("办理各类服务（人次）", "1000余人次", 1_000),
    Declared("家政服务（人次）", "500多人次", 500),
    Declared("水电维修", "80多次", 80),
    Declared("疏通管道", "60多次", 60),
)
"""Source: 强化综合服务能力; 640 of more than 1,000 are named, so that the rest is of other kinds."""
