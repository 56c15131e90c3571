"""The running platform as every slice may know it: a database, a clock, a runner, the worker."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import BaseModel

from scf.db.engine import Database
from scf.db.leases import Claimed, Handler, Worker
from scf.db.runner import Outcome, Runner
from scf.kernel.actor import Actor
from scf.kernel.clock import Clock

Before = Callable[["Platform", Any, Actor], None]


@dataclass(frozen=True)
class Platform:
    """Put together by ``scf.bootstrap.build``; everything else is handed one.

    Attributes
    ----------
    services
        What answers outside the platform, by name: nothing in it is asked inside a transaction.
    before
        What is fetched from outside before a command, by its name; the command checks it inside.
    given_up
        What is done per kind of job when one is not tried again.
    """

    db: Database
    clock: Clock
    runner: Runner
    handlers: Callable[["Platform"], Mapping[str, Handler]]
    deliver: Callable[["Platform", Claimed], None]
    services: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Before] = field(default_factory=dict)
    given_up: Mapping[str, Callable[["Platform", Claimed], None]] = field(default_factory=dict)

    def run(
        self,
        name: str,
        payload: Mapping[str, Any] | BaseModel,
        actor: Actor,
        *,
        key: str,
        reason: str = "",
        dry_run: bool = False,
    ) -> Outcome:
        """Run one command; see :meth:`scf.db.runner.Runner.run`."""
        fetch = self.before.get(name)
        if fetch is not None and not dry_run:
            fetch(self, payload, actor)
        return self.runner.run(name, payload, actor=actor, key=key, reason=reason, dry_run=dry_run)

    def worker(self, name: str = "worker") -> Worker:
        """Give a worker that knows every kind of job."""
        return Worker(
            self.db,
            self.clock,
            name,
            self.handlers(self),
            partial(self.deliver, self),
            {kind: partial(end, self) for kind, end in self.given_up.items()},
        )

    def close(self) -> None:
        """Give the database connections back."""
        self.db.close()
