"""The service station: its counter by kind, and 职业介绍."""

from dispatch.services.care.station import counting, jobs
from dispatch.services.care.station.counting import Came, KindCount
from dispatch.services.care.station.jobs import VacancyDraft

__all__ = ["Came", "KindCount", "VacancyDraft", "counting", "jobs"]
