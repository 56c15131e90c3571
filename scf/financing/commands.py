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
from scf.financing.taxwatch import answers, desk

__all__ = [
    "answers",
    "authority",
    "bulk",
    "counter",
    "decide",
    "desk",
    "ending",
    "oversight",
    "questions",
    "reprice",
    "submit",
]
