"""Draws the life cycle of an order as a Markdown page with a table and a diagram."""

import sys

from dispatch.rules.orders.states import ENDED, LABELS, OPEN, TRANSITIONS, OrderState, Transition

_HEAD = """# The life cycle of an order

Drawn from the one table in `dispatch/rules/orders/states.py`; a test holds this page equal to it.
Do not edit by hand: `python -m dispatch.rules.orders.lifecycle > docs/lifecycle.md`.
"#" is the row of the hotline design that a line comes from.
A line without a target is an event: the state stays.
"""


def render_markdown() -> str:
    """Draw the whole page docs/lifecycle.md as text: states, transitions, state diagram."""
    return "\n".join([_HEAD, *_states(), "", *_table(), "", *_diagram(), ""])


def _states() -> list[str]:
    lines = ["## States", "", "| state | 中文 | open |", "|---|---|---|"]
    lines += [f"| `{state}` | {LABELS[state]} | {'no' if state in ENDED else 'yes'} |" for state in OrderState]
    return lines


def _table() -> list[str]:
    lines = [
        "## Transitions",
        "",
        "| # | action | from | to | who | condition | limit |",
        "|---|---|---|---|---|---|---|",
    ]
    return lines + [_table_line(row) for row in TRANSITIONS]


def _table_line(row: Transition) -> str:
    target = LABELS[row.target] if row.target else ""
    who = ", ".join(sorted(row.who))
    cells = (row.number, f"`{row.action}`", _origins(row), target, who, row.condition, row.limit)
    return "| " + " | ".join(cells) + " |"


def _origins(row: Transition) -> str:
    if row.origins == OPEN:
        return "open"
    if len(row.origins) > len(OPEN):
        missing = "、".join(LABELS[state] for state in OrderState if state not in row.origins)
        return f"all but {missing}"
    return "、".join(LABELS[state] for state in OrderState if state in row.origins) or "-"


def _diagram() -> list[str]:
    lines = ["## Diagram", "", "Left out: events, and what every open order allows (void, merge).", ""]
    lines += ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{LABELS[state]}" as {state}' for state in OrderState]
    for row in TRANSITIONS:
        if row.target is not None and row.origins != OPEN:
            lines += _arrows(row, row.target)
    lines += [f"    {state} --> [*]" for state in OrderState if state in ENDED]
    return [*lines, "```"]


def _arrows(row: Transition, target: OrderState) -> list[str]:
    born = ["[*]"] if None in row.origins else []
    starts = born + [str(state) for state in OrderState if state in row.origins]
    return [f"    {start} --> {target}: {row.action}" for start in starts]


if __name__ == "__main__":
    sys.stdout.write(render_markdown())
