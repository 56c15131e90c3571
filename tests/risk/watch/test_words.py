"""Every figure that judges a firm has a name and a unit in words."""

from scf.bootstrap import load_appetite
from scf.risk.appetite import in_force
from scoring.features import NAMES
from web.portal.officer.figurewords import FIGURES


def test_every_input_of_card_and_models_is_told_in_words() -> None:
    load_appetite()
    inputs = {row.input for row in in_force().policy.card.rows}
    assert {*inputs, *NAMES, "score"} <= set(FIGURES)
    assert all(str(text) and str(unit) for text, unit in FIGURES.values())
