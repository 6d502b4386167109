"""What a death or a move did to rows of other tables, and what a correction leaves to be done by hand, in words."""

EFFECT_LABELS = {
    "residents": "居民台账记为离开",
    "residences": "住址记录已截止",
    "life_events": "住院记录已结束",
    "enrolments": "退出关爱项目",
    "visit_schedules": "探访计划已结束",
    "care_group_members": "移出三访名单",
    "orders": "派人回收电子保姆",
    "aid_applications": "爱心超市的救助资格已结束",
    "cards": "爱心卡已停用",
    "posts": "担任的网格岗位已空出来",
    "performers": "不再是执行人，该做的改由别人",
    "pairing_helpers": "与老人的结对已结束",
    "absences": "不在家的记录已截止",
    "condolences": "以前的事还欠的慰问不用去了",
    "vouchers": "服务券已冻结",
    "festival_invitations": "节日邀请已取消",
}
"""What a death or a move did, in words."""
BY_HAND_LABELS = {
    "orders": "已经有人去取设备，请打电话叫回",
    "enrolments": "名额已经给了别人，有空位后请重新加入",
    "aid_applications": "请重新申请",
    "cards": "救助资格没有恢复，批准后重新发卡",
    "posts": "岗位已经有了别人",
    "pairing_helpers": "老人已经退出，或者又与这位结了对",
    "vouchers": "已过最后一天，要用请重新发",
    "condolences": "没有人可派，请指定一位",
}
"""What must be done by hand where a correction could not undo it."""
