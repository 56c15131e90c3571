"""Published data sets as rows and what became of them."""

import math
from collections.abc import Iterable

import numpy as np

from scoring.odds import Floats, Ints


def read_arff(lines: Iterable[str]) -> tuple[Floats, Ints]:
    """Read a table of numbers whose last column is the class, 0 or 1, in Weka's ARFF.

    Parameters
    ----------
    lines : iterable of str
        Of the file. Sparse rows, text and dates are not read.

    Returns
    -------
    rows : ndarray of float64, shape (n, f)
        NaN for a question mark.
    fails : ndarray of int64, shape (n,)

    Raises
    ------
    ValueError
        A line is not of that form; the message says which.

    Notes
    -----
    The form of the Polish companies of M. Zieba, S. Tomczak, J. Tomczak, Expert Systems with
    Applications 58, 2016 (data set 365 of the UCI repository).

    Examples
    --------
    >>> rows, fails = read_arff(["@attribute a numeric", "@attribute class {0,1}", "@data", "?,1"])
    >>> rows.tolist(), fails.tolist()
    ([[nan]], [1])
    """
    columns, begun = 0, False
    found: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("%"):
            continue
        if begun:
            found.append(_row(text, columns, number))
        elif text.lower().startswith("@attribute"):
            columns += 1
        elif text.lower() == "@data":
            begun = True
    if not found:
        raise ValueError("The file has no rows after a line @data.")
    table = np.array(found, np.float64)
    classes = table[:, -1]
    if not np.isin(classes, (0.0, 1.0)).all():
        raise ValueError("The last column is the class and holds 0 and 1 only.")
    return table[:, :-1], classes.astype(np.int64)


def _row(text: str, columns: int, number: int) -> list[float]:
    cells = text.split(",")
    if len(cells) != columns:
        raise ValueError(f"Line {number} has {len(cells)} values for {columns} attributes.")
    try:
        values = [math.nan if cell.strip() == "?" else float(cell) for cell in cells]
    except ValueError:
        raise ValueError(f"Line {number} holds a value that is no number.") from None
    if any(math.isinf(value) for value in values):
        raise ValueError(f"Line {number} holds a value that is not finite.")
    return values
