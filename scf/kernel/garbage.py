"""How often a long-lived process looks for garbage that reference counts do not free.

What a process loads before its first job, some 400,000 objects of libraries and tables, lives as
long as the process. Python's collector walks through all of it again whenever enough new objects
have outlived two younger generations: a seventh of the time of a large import, and a pause of a
tenth of a second in the middle of a page.
"""

import gc
from typing import Final

# Objects made before the youngest are looked at: about the rows of one slice.
_YOUNG: Final = 50_000
_MIDDLE: Final = 20
_OLD: Final = 50


def settle() -> None:
    """Take what is loaded by now out of the collector's sight, and look at the rest less often.

    Called once by each process when it is ready to work; nothing depends on it but its speed.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
