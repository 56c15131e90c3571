"""A ZIP of documents: one upload, and every file in it an upload of its own that belongs to it.

``opening`` measures the archive and says which of its files may be read, ``running`` reads them by
the way of many files (``scf.documents.batch``), ``results`` tells what became of each.
"""
