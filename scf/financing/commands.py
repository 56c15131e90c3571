"""Every command of the slice: importing this registers them."""

from scf.financing import (
    authority,
    bulk,
    counter,
    decide,
    ending,
    oversight,
    questions,
    reprice,
    submit,
)

__all__ = [
    "authority",
    "bulk",
    "counter",
    "decide",
    "ending",
    "oversight",
    "questions",
    "reprice",
    "submit",
]
