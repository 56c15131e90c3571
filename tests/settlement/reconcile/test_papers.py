"""Papers beside credits: who owes is believed to the cent, and nobody is believed twice."""

import pytest

from scf.settlement.reconcile import Entries, OpenItems, Paper, Verdict, reconcile
from scf.settlement.reconcile import columns as why
from tests.settlement.reconcile.test_reconcile import items_of

ITEMS = items_of(
    ("INV-2026-0101", 1000, "A"), ("INV-2026-0202", 1000, "A"), ("INV-2026-0303", 700, "B")
)
BOTH = (("i0", 600), ("i1", 900))  # less by what the payer took off
OWN = Paper("advice", BOTH, own=True)


def heard(
    *papers: Paper, amount: int = 1500, text: str = "run 7", sender: str = "A", more: int = 0
) -> Verdict:
    """Match one entry that papers speak of, and perhaps more that look the same."""
    count = 1 + more
    items: OpenItems = ITEMS
    entries = Entries(
        ids=[f"e{place}" for place in range(count)],
        amounts=[amount] * count,
        currencies=["EUR"] * count,
        texts=[text] * count,
        senders=[(sender,) if sender else ()] * count,
        papers=[papers] * count,
    )
    return reconcile(entries, items)[0]


def test_the_payers_own_paper_is_believed_to_the_cent() -> None:
    verdict = heard(OWN)
    assert verdict.certain
    assert verdict.best is not None
    assert {one.item: one.amount for one in verdict.best.pays} == {0: 600, 1: 900}
    assert why.PAPER in verdict.best.reasons
    assert heard(OWN, Paper("again", tuple(reversed(BOTH)), own=True)).certain


@pytest.mark.parametrize(
    ("papers", "more"),
    [
        ((Paper("advice", BOTH),), {}),  # somebody else's
        ((OWN,), {"sender": "B"}),
        ((OWN,), {"sender": ""}),
        ((OWN,), {"amount": 1499}),
        ((OWN,), {"text": "INV-2026-0303"}),  # and the text names what is B's
        ((OWN, Paper("other", (("i0", 700), ("i1", 800)), own=True)), {}),
        ((OWN,), {"more": 1}),  # one paper, two entries
        ((Paper("advice", (("i0", 1100), ("i1", 400)), own=True),), {}),  # more than is open
        ((Paper("advice", (("i0", 600), ("i9", 900)), own=True),), {}),  # not open here
        ((Paper("advice", (("i0", 600), ("i0", 900)), own=True),), {}),
        ((Paper("advice", (("i0", 800), ("i2", 700)), own=True),), {}),  # not all its own
    ],
)
def test_a_paper_that_does_not_fit_only_proposes(
    papers: tuple[Paper, ...], more: dict[str, object]
) -> None:
    verdict = heard(*papers, **more)  # type: ignore[arg-type]
    assert not verdict.certain
    for one in verdict.proposals:
        assert sum(pay.amount for pay in one.pays) <= 1500
        assert all(pay.amount <= ITEMS.amounts[pay.item] for pay in one.pays)


def test_text_and_paper_that_differ_go_to_a_person() -> None:
    assert heard(amount=1000, text="INV-2026-0202").certain
    other = heard(Paper("advice", (("i0", 1000),), own=True), amount=1000, text="INV-2026-0202")
    assert not other.certain
    assert {one.pays[0].item for one in other.proposals} == {0, 1}
    same = heard(Paper("advice", (("i1", 1000),), own=False), amount=1000, text="INV-2026-0202")
    assert same.certain
