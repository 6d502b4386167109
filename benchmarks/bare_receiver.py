"""The peer of the receiver: a socket, each frame one row, one commit for all that wait, the same ACK; nothing else."""

import asyncio
import sys
from datetime import UTC, datetime

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

from benchmarks.house import HOST
from config.settings import get_settings
from dispatch.gateways import dc09
from dispatch.gateways.dc09 import Envelope, Splitter

TABLE = (
    "CREATE TABLE IF NOT EXISTS bare_frames (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account text, "
    "body bytea, at timestamptz DEFAULT now())"
)
INSERT = text(
    "INSERT INTO bare_frames (account, body) SELECT * FROM unnest(cast(:accounts AS text[]), cast(:bodies AS bytea[]))"
)
Waiting = tuple[Envelope, "asyncio.Future[None]"]


def keep(engine: Engine, batch: "list[Waiting]") -> None:
    """One statement, one commit."""
    values = {"accounts": [one.account for one, _ in batch], "bodies": [one.body for one, _ in batch]}
    with engine.begin() as connection:
        connection.execute(INSERT, values)


async def clerk(engine: Engine, queue: "asyncio.Queue[Waiting]") -> None:
    """Keep what waits, all of it at once, for ever."""
    while True:
        batch = [await queue.get()]
        while queue.qsize():
            batch.append(queue.get_nowait())
        await asyncio.to_thread(keep, engine, batch)
        for _, kept in batch:
            kept.set_result(None)


async def receive(port: int) -> None:
    """Answer frames until this process is ended."""
    queue: asyncio.Queue[Waiting] = asyncio.Queue()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        splitter = Splitter()
        while chunk := await reader.read(4_096):
            for line in splitter.feed(chunk):
                envelope, kept = dc09.read(line), asyncio.get_running_loop().create_future()
                queue.put_nowait((envelope, kept))
                await kept
                writer.write(dc09.acknowledge(envelope, now=datetime.now(UTC)))
        writer.close()

    engine = create_engine(get_settings().database_url, pool_size=1)
    server = await asyncio.start_server(talk, HOST, port, backlog=512)
    async with server:
        await asyncio.gather(clerk(engine, queue), server.serve_forever())


if __name__ == "__main__":
    asyncio.run(receive(int(sys.argv[1])))
