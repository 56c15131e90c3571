"""The chain as arrays: who sells to whom, and for how much."""

import dataclasses
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class SupplyGraph:
    """Firms and the relations between them; goods run from seller to buyer, money back.

    Made by :func:`graph.build.from_relations`. Firms are counted from 0 in the order of their
    names, relations in the order of (seller, buyer).

    Attributes
    ----------
    firms : tuple of str, length n
        Names, ascending.
    seller, buyer : ndarray of int64, shape (m,)
        The two ends of each relation, each pair once, never a firm with itself.
    value : ndarray of int64, shape (m,)
        Amount of each relation, in minor units of one currency, not negative.
    """

    firms: tuple[str, ...]
    seller: "Ints"
    buyer: "Ints"
    value: "Ints"

    @property
    def n_firms(self) -> int:
        """The number of firms."""
        return len(self.firms)

    @property
    def n_relations(self) -> int:
        """The number of relations."""
        return len(self.seller)

    @cached_property
    def index(self) -> dict[str, int]:
        """The number of each firm."""
        return {firm: number for number, firm in enumerate(self.firms)}

    @cached_property
    def sales(self) -> tuple["Ints", "Ints"]:
        """Relations by seller: (indptr, relation numbers), buyers ascending within each."""
        import numpy as np

        return _indptr(self.seller, self.n_firms), np.arange(self.n_relations, dtype=np.int64)

    @cached_property
    def purchases(self) -> tuple["Ints", "Ints"]:
        """Relations by buyer: (indptr, relation numbers), sellers ascending within each."""
        import numpy as np

        order = np.argsort(self.buyer, kind="stable")
        return _indptr(self.buyer, self.n_firms), order

    def number(self, firm: str) -> int:
        """Give the number of a firm.

        Raises
        ------
        ValueError
            When it is not in the graph.
        """
        if firm not in self.index:
            raise ValueError(f"firm {firm} is not in the graph")
        return self.index[firm]

    def sales_of(self, firm: int) -> "Ints":
        """Give the relations in which a firm sells; O(1)."""
        indptr, order = self.sales
        return order[indptr[firm] : indptr[firm + 1]]

    def purchases_of(self, firm: int) -> "Ints":
        """Give the relations in which a firm buys; O(1)."""
        indptr, order = self.purchases
        return order[indptr[firm] : indptr[firm + 1]]

    def to_networkx(self, firms: Iterable[int] | None = None) -> Any:  # noqa: ANN401 - a DiGraph
        """Give a networkx view of some firms and the relations between them.

        For small neighbourhoods: a hundred thousand firms take seconds here.

        Parameters
        ----------
        firms : iterable of int, optional
            All of them if left out.

        Returns
        -------
        networkx.DiGraph
            Nodes are names, edges carry ``value``.

        Examples
        --------
        >>> from graph.build import from_relations
        >>> chain = from_relations(["steel", "parts"], ["parts", "cars"], [5, 7])
        >>> chain.to_networkx().edges["parts", "cars"]["value"]
        7
        """
        import networkx as nx

        wanted = set(range(self.n_firms) if firms is None else firms)
        view: nx.DiGraph[str] = nx.DiGraph()
        view.add_nodes_from(self.firms[firm] for firm in sorted(wanted))
        for firm in sorted(wanted):
            for relation in self.sales_of(firm).tolist():
                buyer = int(self.buyer[relation])
                if buyer in wanted:
                    view.add_edge(
                        self.firms[firm], self.firms[buyer], value=int(self.value[relation])
                    )
        return view


def _indptr(ends: "Ints", n: int) -> "Ints":
    import numpy as np

    counts = np.bincount(ends, minlength=n)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
