"""The load: threads with persistent connections in a process of its own; one line of JSON as the result.

Reads {"host", "port", "path", "headers", "bodies", "keyed", "threads", "seconds"} from its input.
"""

import http.client
import json
import secrets
import sys
import time
from statistics import median
from threading import Thread
from typing import Any

CREATED = 201


def load(plan: dict[str, Any], thread: int, until: float, times: list[float], failed: list[int]) -> None:
    """POST one body after the other over one connection until the time is over."""
    connection = http.client.HTTPConnection(plan["host"], plan["port"], timeout=30)
    bodies = [json.dumps(body).encode() for body in plan["bodies"]]
    sent = thread
    while time.perf_counter() < until:
        headers = {**plan["headers"][sent % len(plan["headers"])], "Content-Type": "application/json"}
        if plan["keyed"]:
            headers["Idempotency-Key"] = secrets.token_hex(12)
        began = time.perf_counter()
        connection.request("POST", plan["path"], body=bodies[sent % len(bodies)], headers=headers)
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - began)
        if answer.status != CREATED:
            failed.append(answer.status)
        sent += plan["threads"]


def run(plan: dict[str, Any]) -> dict[str, Any]:
    """Load for the plan's seconds; requests per second, median of a request in milliseconds, failures."""
    times: list[float] = []
    failed: list[int] = []
    began = time.perf_counter()
    until = began + plan["seconds"]
    threads = [Thread(target=load, args=(plan, one, until, times, failed)) for one in range(plan["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = len(times) / (time.perf_counter() - began)
    return {"rate": rate, "median": median(times) * 1000, "failed": failed[:5]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(json.load(sys.stdin))))
