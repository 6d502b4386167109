"""The blueprint of the pages of care, and what they share: states in words, shape and colour."""

from collections.abc import Callable, Mapping

from flask import Blueprint
from flask_babel import gettext

from dispatch.rules.care import terms
from dispatch.rules.care.terms import PeriodState
from dispatch.web.pages import Look

blueprint = Blueprint("pages_care", __name__, url_prefix="/care")

ID = "<int(min=1, max=9223372036854775807):{}>"
LOOKS = {
    PeriodState.DUE: ("hourglass-split", "waiting"),
    PeriodState.MET: ("check-circle", "done"),
    PeriodState.EXCUSED: ("pause-circle", "quiet"),
    PeriodState.MISSED: ("exclamation-triangle-fill", "late"),
}


def state_look(state: str) -> Look:
    """Word, shape and tone of a period's state."""
    icon, tone = LOOKS[PeriodState(state)]
    return Look(gettext(terms.STATE_LABELS[PeriodState(state)]), icon, tone)


def worded(labels: Mapping[object, str]) -> Callable[[str], str]:
    """How the codes of a table of labels are said in the reader's language."""
    words = {str(code): label for code, label in labels.items()}
    return lambda code: str(gettext(words[code])) if code in words else ""


@blueprint.app_context_processor
def words() -> dict[str, Callable[[str], object]]:
    """What the templates of care say."""
    return {
        "care_state": state_look,
        "programme_word": worded(terms.PROGRAMME_LABELS),
        "duty_word": worded(terms.DUTY_LABELS),
        "contact_word": worded(terms.CONTACT_LABELS),
        "mood_word": worded(terms.MOOD_LABELS),
        "proof_word": worded(terms.PROOF_LABELS),
        "excuse_word": worded(terms.EXCUSE_LABELS),
        "end_word_of_care": worded(terms.END_LABELS),
        "helper_word": worded(terms.HELPER_LABELS),
    }
