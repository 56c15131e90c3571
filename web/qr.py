"""A QR code (ISO/IEC 18004) as the path of an inline SVG, drawn on the server."""

from dataclasses import dataclass
from typing import Final

QUIET: Final = 4  # modules of white around the code, as readers need


@dataclass(frozen=True)
class Drawn:
    """The side of the square in modules, and one path for all dark ones."""

    side: int
    path: str


def qr_path(text: str) -> Drawn:
    """Return the code of a text; runs of dark modules in a row are one stroke each."""
    import segno

    rows = segno.make(text, error="m", micro=False).matrix
    parts: list[str] = []
    for down, row in enumerate(rows):
        start = None
        for across, dark in enumerate((*row, 0)):
            if dark and start is None:
                start = across
            elif not dark and start is not None:
                parts.append(
                    f"M{start + QUIET} {down + QUIET}h{across - start}v1h-{across - start}z"
                )
                start = None
    return Drawn(len(rows) + 2 * QUIET, "".join(parts))
