"""Every command of the slice: importing this registers them."""

from scf.financing import decide, submit

__all__ = ["decide", "submit"]
