"""Lives in a process of their own that is killed without warning, and started again.

The process is forked from a server that has everything imported, so that it starts at once. It
says after each acknowledged act that it was acknowledged; who kills it counts these words.
"""

import contextlib
import datetime as dt
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from scf.bootstrap import SLICES, Platform, build
from scf.db.models import AuditLog, Idempotency, Outbox
from scf.demo.bank_memory import recall
from scf.financing.models import Advance, Decision, FinancingRequest
from scf.kernel.clock import FixedClock
from scf.ledger.service import Chart, balances
from scf.parties.models import BusinessDate, Firm
from scf.reporting.verify import verify
from scf.settlement.models import PaymentFile, PaymentInstruction
from tests.support.deals import table
from tests.support.journal import Journal, read
from tests.support.lives import Lives, prepare
from tests.support.plans import START, Plan

SECONDS = 300
_CLOSED = ("DECLINED", "WITHDRAWN", "EXPIRED")


def platform_at(url: str) -> tuple[Platform, FixedClock]:
    """Open the platform as a process of its own does."""
    clock = FixedClock(dt.datetime.combine(START, dt.time(9), dt.UTC))
    return build(url, clock=clock), clock


def _live(url: str, folder: Path, plan: Plan, said: Connection) -> None:
    platform, clock = platform_at(url)
    journal = Journal(folder / "journal", lambda: said.send_bytes(b"."))
    Lives(platform, clock, folder, plan, journal).live()
    platform.close()


@contextlib.contextmanager
def started(work: Callable[..., None], *given: object) -> Iterator["Running"]:
    """Start a process that does some work and says so over the connection it is given last."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.crashing", *SLICES])
    ears, mouth = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(*given, mouth))
    process.start()
    mouth.close()
    try:
        yield Running(process, ears)
    finally:
        process.kill()
        process.join(SECONDS)
        ears.close()


class Batch:
    """A plan that is lived on one database, by as many processes as it takes."""

    def __init__(self, url: str, folder: Path, plan: Plan) -> None:
        self.url, self.folder, self.plan = url, folder, plan
        self.kills = 0
        folder.mkdir(parents=True, exist_ok=True)
        platform, _clock = platform_at(url)
        prepare(platform, folder)
        platform.close()

    @contextlib.contextmanager
    def running(self) -> Iterator["Running"]:
        """Start a process that lives the plan from where the journal ends."""
        with started(_live, self.url, self.folder, self.plan) as child:
            yield child

    def killed_at(self, moments: list[tuple[int, float]], *, between: bool = False) -> None:
        """Kill the process after so many acknowledgements and a moment more, again and again.

        With ``between`` everything must be true also of what each kill has left.
        """
        for acks, moment in moments:
            with self.running() as child:
                child.hear(acks)
                time.sleep(moment)
                assert child.process.is_alive()
                child.process.kill()
                self.kills += 1
            if between:
                platform, _clock = platform_at(self.url)
                assert verify(platform).breaches == [], self.kills
                platform.close()

    def finish(self) -> None:
        """Let a last process come to the end."""
        with self.running() as child:
            child.end()

    def journal(self) -> dict[str, Any]:
        """Give every acknowledged answer."""
        return dict(read(self.folder / "journal"))


class Running:
    """A process at its work."""

    def __init__(self, process: Any, ears: Connection) -> None:  # noqa: ANN401 - of the context
        self.process, self._ears = process, ears

    def hear(self, acks: int) -> None:
        """Wait until so many more acts are acknowledged."""
        for _ in range(acks):
            assert self._ears.poll(SECONDS)
            self._ears.recv_bytes()

    def end(self) -> None:
        """Wait until the process has come to its end, without an error."""
        with contextlib.suppress(EOFError):
            while self._ears.poll(SECONDS):
                self._ears.recv_bytes()
        self.process.join(SECONDS)
        assert self.process.exitcode == 0


def moments(seed: int, kills: int, acks: int) -> list[tuple[int, float]]:
    """Spread so many kills by chance over a batch of at least so many acknowledgements.

    Gives for each how many acknowledgements to wait for, counted from the start of its process,
    and the part of a second to wait then.
    """
    chance = random.Random(seed)
    places = sorted(chance.randrange(1, acks) for _ in range(kills))
    gaps = [here - before for before, here in zip([0, *places], places, strict=False)]
    return [(gap, chance.uniform(0.0, 0.03)) for gap in gaps]


# --- Afterwards -------------------------------------------------------------------------------


def must_be_whole(platform: Platform, batch: Batch) -> None:
    """Nothing acknowledged is lost, nothing doubled, nothing half done; the bank paid once."""
    assert verify(platform).breaches == []
    with platform.db.snapshot() as conn:
        _nothing_lost(conn, batch.journal())
        _one_effect_each(conn)
        _notices_are_effects(conn)
        _bank_paid_once(conn, batch.folder / "bank")
        _nothing_left(conn)


def _nothing_lost(conn: Any, journal: dict[str, Any]) -> None:  # noqa: ANN401
    keys = table(Idempotency)
    stored = {
        (row.org_id, row.command, row.key): (row.command_id, row.response)
        for row in conn.execute(select(keys))
    }
    commands = {
        key: answer
        for key, answer in journal.items()
        if isinstance(answer, dict) and "command_id" in answer
    }
    assert commands
    for key, answer in commands.items():
        have = stored[answer["org_id"], answer["command"], key]
        assert have == (answer["command_id"], answer["result"]), key


def _one_effect_each(conn: Any) -> None:  # noqa: ANN401
    """Every key has one row in the trail, every row of the trail one key."""
    keys, trail = table(Idempotency), table(AuditLog)
    in_trail = conn.execute(select(trail.c.command_id)).scalars().all()
    assert sorted(conn.execute(select(keys.c.command_id)).scalars()) == sorted(in_trail)
    assert len(set(in_trail)) == len(in_trail)
    assert conn.execute(select(func.count()).where(keys.c.response.is_(None))).scalar_one() == 0


def _notices_are_effects(conn: Any) -> None:  # noqa: ANN401
    outbox, requests, files = table(Outbox), table(FinancingRequest), table(PaymentFile)
    counted = select(outbox.c.topic, func.count()).group_by(outbox.c.topic)
    notices = dict(conn.execute(counted).all())
    states = Counter(conn.execute(select(requests.c.state)).scalars())
    days = conn.execute(select(table(BusinessDate).c.current_on)).scalar_one() - START
    decided = select(func.count()).where(
        table(Decision).c.step == 2, table(Decision).c.outcome == "APPROVE"
    )
    effects = {
        "request.submitted": states.total(),
        "request.closed": sum(states[state] for state in _CLOSED),
        "request.approved": conn.execute(decided).scalar_one(),
        "payout.released": len(conn.execute(select(files.c.id)).all()),
        "day.closed": days.days,
    }
    assert {name: notices.get(name, 0) for name in effects} == effects
    made = set(conn.execute(select(outbox.c.command_id)).scalars())
    assert made <= set(conn.execute(select(table(AuditLog).c.command_id)).scalars())


def _bank_paid_once(conn: Any, folder: Path) -> None:  # noqa: ANN401
    memory = recall(folder)
    paid: Counter[str] = Counter()
    for statement in memory.statements.values():
        for entry in statement.entries:
            if entry.amount_minor < 0:
                paid.update(payment.end_to_end_id for payment in entry.payments)
    assert set(paid.values()) <= {1}
    orders = table(PaymentInstruction)
    rows = conn.execute(select(orders)).all()
    assert set(paid) == {row.end_to_end_id for row in rows if row.state in {"SETTLED", "RETURNED"}}
    assert set(memory.payments) == {row.end_to_end_id for row in rows}
    financier = conn.execute(
        select(table(Firm).c.id).where(table(Firm).c.kind == "financier")
    ).scalar_one()
    cash = balances(conn, financier)["cash", "EUR"]
    assert cash == sum(memory.balances.values())


def _nothing_left(conn: Any) -> None:  # noqa: ANN401
    """All lives are over: of the financier's accounts only cash and income are left."""
    advance = table(Advance)
    ended = {"CLOSED", "DECLINED", "CANCELLED", "EXPIRED", "UNWOUND"}
    assert set(conn.execute(select(advance.c.state)).scalars()) <= ended
    for firm_id, kind in conn.execute(select(table(Firm).c.id, table(Firm).c.kind)):
        left = {
            code: amount
            for (code, _currency), amount in balances(conn, firm_id).items()
            if amount and Chart.lines[code].clears
        }
        # What the buyer undertook and paid to nobody here, as nobody financed it.
        if kind != "financier":
            left.pop("payables_in_supplier_finance_arrangement", None)
        assert left == {}, kind
