"""What gunicorn serves in the measurement of quotes: the whole application, on the world's day.

``SCF_BENCH_DATABASE`` names the database. Only the clock stands still, and the limits of a single
caller are out of the way, as the few callers of the measurement ask more often than people do.
"""

import os
from functools import cache

from flask import Flask

from scf.bootstrap import build
from scf.kernel import garbage
from scf.kernel.clock import FixedClock
from scf.offers import riskprice
from scf.parties.ratelimit import Limit
from tests.support.demo_world import NOW
from tests.support.people import World
from tests.support.served import application


@cache
def _application() -> Flask:
    clock = FixedClock(NOW)
    platform = build(os.environ["SCF_BENCH_DATABASE"], clock=clock)
    # A seller may ask for fifty prices a day that it does not take; here it takes none.
    setattr(riskprice, "WHAT_IFS_A_DAY", 1_000_000)  # noqa: B010 - it is final everywhere else
    made = application(World(platform, clock), api_calls=Limit(tries=1_000_000, seconds=60))
    garbage.settle()  # as web.wsgi does
    return made


def app(environ, start_response):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - WSGI
    """Answer one request; the platform is built at a process's first one."""
    return _application()(environ, start_response)
