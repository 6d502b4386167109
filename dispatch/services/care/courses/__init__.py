"""Group services: courses with sessions and a roster, certificates, job outcome; the activity log."""

from dispatch.services.care.courses import certifying, planning, roster
from dispatch.services.care.courses.planning import CourseDraft, CourseSum
from dispatch.services.care.courses.roster import OnTheList

__all__ = ["CourseDraft", "CourseSum", "OnTheList", "certifying", "planning", "roster"]
