"""Units of measure: exact conversion within one dimension, and by the pack sizes of a pair.

A kilogram is never a metre. What the table does not know (a carton, a roll, a day of work) is
converted only where buyer and seller have agreed how much one of it holds.

Source: UN/ECE Recommendation 20, codes and conversion factors; a foot, a pound and a gallon by
the international definitions of 1959 and 1893.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from scf.kernel.rates import round_half_up

_TABLE: Final[Mapping[str, Mapping[str, str]]] = {
    # In each dimension: the code and how much of the first unit one of it is.
    "count": {
        "C62": "1", "H87": "1", "EA": "1", "PCE": "1", "NAR": "1", "PR": "2", "DZN": "12",
        "DPC": "12", "SCO": "20", "CEN": "100", "GRO": "144", "MIL": "1000", "GGR": "1728",
    },
    "mass": {
        "KGM": "1", "MGM": "0.000001", "GRM": "0.001", "HGM": "0.1", "DTN": "100", "TNE": "1000",
        "KTN": "1000000", "ONZ": "0.028349523125", "LBR": "0.45359237", "STN": "907.18474",
        "LTN": "1016.0469088",
    },
    "length": {
        "MTR": "1", "MMT": "0.001", "CMT": "0.01", "DMT": "0.1", "KMT": "1000", "INH": "0.0254",
        "FOT": "0.3048", "YRD": "0.9144", "SMI": "1609.344", "NMI": "1852",
    },
    "area": {
        "MTK": "1", "MMK": "0.000001", "CMK": "0.0001", "HAR": "10000", "KMK": "1000000",
        "INK": "0.00064516", "FTK": "0.09290304", "YDK": "0.83612736",
    },
    "volume": {
        "LTR": "1", "MLT": "0.001", "CLT": "0.01", "DLT": "0.1", "HLT": "100", "CMQ": "0.001",
        "DMQ": "1", "MTQ": "1000", "GLL": "3.785411784", "GLI": "4.54609",
    },
    # A day of work is no fixed number of hours: it takes an agreement.
    "time": {"SEC": "1", "MIN": "60", "HUR": "3600"},
    "energy": {"KWH": "1", "WHR": "0.001", "MWH": "1000", "GWH": "1000000"},
}  # fmt: skip
_FACTORS: Final = {
    code: (dimension, Fraction(factor))
    for dimension, codes in _TABLE.items()
    for code, factor in codes.items()
}


class Pack(NamedTuple):
    """What buyer and seller agreed: one ``pack`` of the item holds ``per_pack`` of ``unit``."""

    pack: str
    unit: str
    per_pack: Fraction


def dimension_of(unit: str) -> str:
    """Give the dimension of a unit, or nothing for one that takes an agreement."""
    return _FACTORS[unit][0] if unit in _FACTORS else ""


def factor(unit: str | None, wanted: str | None, packs: Iterable[Pack] = ()) -> Fraction | None:
    """Give how many of the wanted unit one of a unit is; None where nobody can say.

    A side that names no unit means the other's.
    """
    if not unit or not wanted or unit == wanted:
        return Fraction(1)
    direct = _in_table(unit, wanted)
    if direct is not None:
        return direct
    for pack in packs:
        held = _through(unit, wanted, pack)
        if held is None:
            back = _through(wanted, unit, pack)
            held = 1 / back if back else None
        if held is not None:
            return held
    return None


def _in_table(unit: str, wanted: str) -> Fraction | None:
    if unit == wanted:
        return Fraction(1)
    if unit not in _FACTORS or wanted not in _FACTORS:
        return None
    (dimension, own), (other, their) = _FACTORS[unit], _FACTORS[wanted]
    return own / their if dimension == other else None


def _through(unit: str, wanted: str, pack: Pack) -> Fraction | None:
    """Unpack: so many packs are so many of what they hold."""
    packed, held = _in_table(unit, pack.pack), _in_table(pack.unit, wanted)
    return None if packed is None or held is None else packed * pack.per_pack * held


def converted(micro: int, by: Fraction) -> int:
    """Give a quantity in another unit, rounded once, half up, to a millionth of that unit."""
    return micro if by == 1 else round_half_up(micro * by)


def may_hold(pack: str, unit: str) -> bool:
    """Tell whether an agreement may say that one holds so much of the other.

    Two units that the table knows are never related by agreement: within a dimension the table
    says how, and across two it cannot be.
    """
    return pack != unit and not (dimension_of(pack) and dimension_of(unit))
