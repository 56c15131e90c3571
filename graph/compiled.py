"""Loops over arrays that are compiled once the arrays are large.

A kernel is one plain Python function over arrays and numbers. For a few thousand steps it runs as
it is, since compiling it would take longer; for more it is compiled by numba (set ``model``), and
without numba it stays as it is: slower, with the same results.
"""

from collections.abc import Callable
from typing import Any, Final, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

WORTH_COMPILING: Final = 300_000  # steps that plain Python does in the time of a compilation


class Kernel(Generic[P, R]):
    """A loop, plain and compiled.

    Attributes
    ----------
    plain : callable
        The function as it is written.
    """

    def __init__(self, plain: Callable[P, R]) -> None:
        self.plain = plain
        self._fast: Callable[P, R] | None = None

    def of(self, steps: int) -> Callable[P, R]:
        """Give the form that suits so many steps; what was compiled before is used for any.

        Examples
        --------
        >>> @kernel
        ... def total(values):
        ...     found = 0
        ...     for value in values:
        ...         found += value
        ...     return found
        >>> total.of(3)([1, 2, 3])
        6
        """
        if self._fast is not None:
            return self._fast
        return self.plain if steps < WORTH_COMPILING else self.fast

    @property
    def fast(self) -> Callable[P, R]:
        """The compiled form; the plain one where numba is not installed."""
        if self._fast is None:
            self._fast = _compile(self.plain)
        return self._fast


def kernel(plain: Callable[P, R]) -> Kernel[P, R]:
    """Make a kernel of a function; it may call no other kernel and hold no Python objects."""
    return Kernel(plain)


def _compile(plain: Callable[P, R]) -> Callable[P, R]:
    try:
        import numba
    except ImportError:
        return plain
    try:
        made: Any = numba.njit(cache=True)(plain)
    except RuntimeError:  # nowhere to keep the compiled code: it is compiled in each process
        made = numba.njit(plain)
    return made  # type: ignore[no-any-return]
