"""From bytes to documents: ``read_file`` for XML, ``csvfile.open_table`` for tables.

A reader knows nothing of the database, of time or of settings: the same bytes always give the
same documents and the same findings. It never raises for what is wrong with a file; it raises
only when it cannot work at all (a missing library).
"""

from scf.documents.readers.files import (
    FORMAT_NAMES,
    MAX_DOCUMENT_BYTES,
    READABLE,
    TABULAR,
    FormatName,
    read_file,
    read_xml,
)
from scf.documents.readers.sniff import Format, format_of, sniff, unpack

__all__ = [
    "FORMAT_NAMES",
    "MAX_DOCUMENT_BYTES",
    "READABLE",
    "TABULAR",
    "Format",
    "FormatName",
    "format_of",
    "read_file",
    "read_xml",
    "sniff",
    "unpack",
]
