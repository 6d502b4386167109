"""After all faults: what the town itself says of its promise."""

from tests.faults import checker
from tests.faults.town import Town


def test_the_promise_holds_after_all_of_it(hurt: Town) -> None:
    checker.settle(hurt)
    hurt.command("verify")
    twice = hurt.rows("SELECT job, period FROM period_runs GROUP BY 1, 2 HAVING count(*) > 1")
    assert twice == []
