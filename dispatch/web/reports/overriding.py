"""The page of the rules most overridden by hand."""

from flask import render_template

from dispatch import clock
from dispatch.rules.access.roles import Right
from dispatch.rules.orders.overriding import RULE_LABELS
from dispatch.services import reports
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.reports.door import address_of, blueprint, read_query


@blueprint.get("/reports/overrides")
@allow(Right.REPORTS_READ)
def overrides() -> str:
    """Which rules people set aside when they dispatched by hand, for which kinds, who and why."""
    actor = current_actor()
    with transaction() as session:
        query = read_query(session, actor)
        found = reports.overrides(session, query, actor=actor)
        return render_template(
            "reports/overrides.html",
            found=found,
            query=query,
            here=address_of(query),
            rule_labels=RULE_LABELS,
            now=clock.now(session),
        )
