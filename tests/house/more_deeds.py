"""The rows that stand in files of their own, together: each by what its objects are."""

from tests.house.aid_deeds import AID_DEEDS
from tests.house.asking_deeds import ASKING_DEEDS
from tests.house.care_deeds import CARE_DEEDS
from tests.house.complaint_deeds import COMPLAINT_DEEDS
from tests.house.counselling_deeds import COUNSELLING_DEEDS
from tests.house.course_deeds import COURSE_DEEDS
from tests.house.device_deeds import DEVICE_DEEDS
from tests.house.duty_deeds import DUTY_DEEDS
from tests.house.export_deeds import EXPORT_DEEDS
from tests.house.family_deeds import FAMILY_DEEDS
from tests.house.festival_deeds import FESTIVAL_DEEDS
from tests.house.firm_deeds import FIRM_DEEDS
from tests.house.fund_deeds import FUND_DEEDS
from tests.house.gift_deeds import GIFT_DEEDS
from tests.house.giving_deeds import GIVING_DEEDS
from tests.house.life_deeds import LIFE_DEEDS
from tests.house.round_deeds import ROUND_DEEDS
from tests.house.station_deeds import STATION_DEEDS
from tests.house.stock_deeds import STOCK_DEEDS
from tests.house.voucher_deeds import VOUCHER_DEEDS

MORE_DEEDS = (
    AID_DEEDS
    | ASKING_DEEDS
    | CARE_DEEDS
    | COMPLAINT_DEEDS
    | COUNSELLING_DEEDS
    | COURSE_DEEDS
    | DUTY_DEEDS
    | DEVICE_DEEDS
    | EXPORT_DEEDS
    | FESTIVAL_DEEDS
    | FAMILY_DEEDS
    | FIRM_DEEDS
    | FUND_DEEDS
    | GIFT_DEEDS
    | GIVING_DEEDS
    | LIFE_DEEDS
    | STATION_DEEDS
    | STOCK_DEEDS
    | ROUND_DEEDS
    | VOUCHER_DEEDS
)
