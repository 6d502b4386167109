"""Intake: POST /api/orders against one bare INSERT under the same gunicorn, with and without Idempotency-Key."""

import json
import socket
import subprocess
from dataclasses import dataclass
from typing import Any

from benchmarks import backlog, bare
from benchmarks.house import HOST, House, module_command
from benchmarks.measure import in_turns, tell, tell_pair
from config.settings import APP_ROLE, get_settings
from dispatch import clock
from dispatch.commands import web
from dispatch.rules.access.roles import EVERYTHING
from dispatch.servers.process import wait_until
from dispatch.services.access import keys
from dispatch.supervisor.inbox import free_ports
from dispatch.transaction import transaction

THREADS = 8
CALLERS = 60
AIM = 0.5
KINDS = ("drain_clearing", "plumbing_electric", "water_delivery", "locksmith")


@dataclass(slots=True)
class Load:
    """One target of the client."""

    port: int
    path: str
    headers: list[dict[str, str]]
    bodies: list[dict[str, Any]]
    seconds: float
    keyed: bool = False

    def rate(self) -> float:
        """Requests per second; raises RuntimeError when an answer was not 201."""
        plan = {
            "host": HOST,
            "port": self.port,
            "path": self.path,
            "headers": self.headers,
            "bodies": self.bodies,
            "keyed": self.keyed,
            "threads": THREADS,
            "seconds": self.seconds,
        }
        done = subprocess.run(
            module_command("benchmarks.client"), input=json.dumps(plan).encode(), stdout=subprocess.PIPE, check=True
        )
        result = json.loads(done.stdout)
        if result["failed"]:
            message = f"{self.path} answered {result['failed']}"
            raise RuntimeError(message)
        return float(result["rate"])


def bodies(house: House) -> list[dict[str, Any]]:
    """Calls as an operator types them: a kind, a sentence, an address in free text, a phone."""
    with house.owner() as owner:
        rows = owner.execute(
            "SELECT b.address || s.number || '单元302' FROM stairwells s JOIN buildings b ON b.id = s.building_id "
            "ORDER BY s.id LIMIT 200"
        ).fetchall()
    return [
        {
            "service_code": KINDS[number % len(KINDS)],
            "description": "厨房下水道堵了,水漫到客厅,请尽快来人",
            "address_text": address,
            "caller_name": "张三",
            "caller_phone": f"139578{number:05d}",
        }
        for number, (address,) in enumerate(rows)
    ]


def many_keys(house: House) -> list[str]:
    """Keys of as many callers as keep each below its limit (1,200 calls a minute)."""
    backlog.open_doors()
    actor = backlog.placer(house)
    with transaction(EVERYTHING) as session:
        now = clock.now(session)
        made = [
            keys.create_key(
                session,
                name=f"bench {number}",
                organisation_id=actor.organisation_id or 0,
                scopes=actor.rights,
                actor=actor,
                now=now,
            )
            for number in range(CALLERS)
        ]
    return [plain for _, plain in made]


def bare_command(port: int) -> list[str]:
    """The house's own gunicorn command with the bare application on another port."""
    words = [word for word in web.command(get_settings()) if not word.startswith("--bind")]
    return [*words[:-1], f"--bind={HOST}:{port}", "benchmarks.bare:create_app()"]


def measure(house: House, *, seconds: float, rounds: int) -> None:
    """Measure and print."""
    tell(f"== Intake: {THREADS} connections, {seconds:.0f} s a run, requests per second")
    port = free_ports()["http"]
    with house.owner() as owner:
        owner.execute(bare.TABLE)
        owner.execute(f"GRANT SELECT, INSERT ON bare_orders TO {APP_ROLE}")
    calls = bodies(house)
    headers = [{"Authorization": f"Bearer {key}"} for key in many_keys(house)]
    with house.child("bare", bare_command(port)) as process:
        peer = Load(port, "/bare", [{}], calls, seconds)
        wait_until(lambda: answers(peer), process, "bare", 30, house.log("bare"))
        for keyed, name in ((False, "without Idempotency-Key"), (True, "with Idempotency-Key")):
            ours = Load(house.port, "/api/orders", headers, calls, seconds, keyed=keyed)
            Load(house.port, "/api/orders", headers, calls, 1.0, keyed=keyed).rate()
            pair = in_turns(ours.rate, peer.rate, rounds)
            tell_pair(f"POST /api/orders {name} : bare INSERT", pair, "/s", f"≥ {AIM}", reached=pair.ratio >= AIM)


def answers(peer: Load) -> bool:
    """Whether the bare application is up."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, peer.port)) == 0
