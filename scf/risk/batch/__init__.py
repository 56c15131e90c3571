"""A whole book priced again from columnar files: invoices, pairs, firms, prices.

Written once: expressions of ibis for what an engine does (``layout``, ``checking``, ``pairs``,
``joining``), and a function from record batch to record batch for the price (``mapping``). The
engine is DuckDB inside the process, or a Spark cluster (``engines``); shuffle, spill and partitions
are the engine's business. Between the two the chain is solved in memory on one node (``firms``).
``repricing`` runs it all. Nothing here is imported on the way to the first page.
"""
