"""A process that spends until it is killed: reserve, write the audit line, send, settle, write the audit line.

Run as `python -m tests.store.spender FOLDER SEED CAP`. What it sends goes into FOLDER/sent, a line for each request.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from gateway.core.spending import Caps, Reservation
from gateway.ports import AuditEntry
from gateway.store.database import Database
from gateway.store.ledger import SQLiteLedger
from gateway.telemetry.audit import AuditLog

KEY, WORST, AT = b"k" * 32, 100, 86_400.0
AT_ONCE = 4


class Spender:
    """One gateway's share of the spending."""

    def __init__(self, folder: Path, *, seed: str, cap: int) -> None:
        self._ledger = SQLiteLedger(Database(folder / "holdfast.sqlite3"))
        self._audit = AuditLog(folder, key=KEY, wall=lambda: AT, file_bytes=20_000, older=10_000)
        self._sent = os.open(folder / "sent", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._dice = random.Random(seed)
        self._name = f"{seed}-{os.getpid()}"
        self._caps = Caps(total=cap)
        self._count = 0

    async def spend(self) -> None:
        """One request after the other."""
        while True:
            await asyncio.sleep(0.003)  # two of them share one file: neither may starve the other
            self._count += 1
            request = f"{self._name}-{self._count}"
            reserved = await self._ledger.reserve(WORST, request=request, key="ann", at=AT, caps=self._caps)
            if isinstance(reserved, Reservation):
                await self._send(request, reserved)
            os.write(1, b"." if isinstance(reserved, Reservation) else b"-")

    async def _send(self, request: str, reserved: Reservation) -> None:
        said = AuditEntry(
            event="away", request=request, policy="p", target="gemini/pro", cost=WORST, reservation=reserved.id
        )
        if not await self._audit.write(said):
            return
        cost = self._dice.randint(0, WORST)
        os.write(self._sent, f"{request} {reserved.id} {cost}\n".encode())
        await asyncio.sleep(self._dice.random() / 500)
        await self._ledger.settle(reserved, cost)
        said = AuditEntry(event="back", request=request, policy="p", cost=cost, reservation=reserved.id)
        await self._audit.write(said)


async def main(folder: str, seed: str, cap: str) -> None:
    spender = Spender(Path(folder), seed=seed, cap=int(cap))
    await asyncio.gather(*(spender.spend() for _ in range(AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
