"""The answers to a kind's questions: known questions only, required ones answered, listed values only."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dispatch.errors import Invalid
from dispatch.rules.orders.intake import check_text

LONGEST_ANSWER: Final = 500


def check_answers(questions: Sequence[Mapping[str, Any]], answers: Mapping[str, str], *, all_needed: bool) -> None:
    """Accept the answers to a kind's questions, or raise Invalid naming `answers.<code>`.

    `all_needed`: required questions must be answered (at the desk a call is never refused for a missing
    answer, so the desk asks with False). Source: rules.md §8, the kind decides as data.
    """
    known = {question["code"]: question for question in questions}
    for code, answer in answers.items():
        field = f"answers.{code}"
        if code not in known:
            raise Invalid(field, "这类服务没有这个问题")
        check_text(field, answer, LONGEST_ANSWER)
        values = known[code].get("values")
        if values and answer not in values:
            raise Invalid(field, "请在给出的选项里选一个")
    for code, question in known.items():
        if all_needed and question.get("required") and not answers.get(code):
            raise Invalid(f"answers.{code}", "请回答:%(question)s", question=question["text"])
