"""What a model may look at: declared once, worked out as of any morning.

`features(events, t)` reads only what became known before day t, so the answer on the whole ledger
and on the ledger cut at t is the same to the last bit.
"""

from scoring.features.events import (
    AMENDED,
    CONCEDED,
    CREDITED,
    DISPUTED,
    KINDS,
    MOVED,
    PAID,
    SOLD,
    UNDERTAKEN,
    Changes,
    Events,
    Failures,
    Foundings,
    Invoices,
    Statements,
    empty,
)
from scoring.features.measuring import Position, features, reported
from scoring.features.registry import FEATURES, NAMES, Feature, named, of_groups
from scoring.features.standing import Standing, standing
from scoring.features.trading import QUARTER

__all__ = [
    "AMENDED",
    "CONCEDED",
    "CREDITED",
    "DISPUTED",
    "FEATURES",
    "KINDS",
    "MOVED",
    "NAMES",
    "PAID",
    "QUARTER",
    "SOLD",
    "UNDERTAKEN",
    "Changes",
    "Events",
    "Failures",
    "Feature",
    "Foundings",
    "Invoices",
    "Position",
    "Standing",
    "Statements",
    "empty",
    "features",
    "named",
    "of_groups",
    "reported",
    "standing",
]
