"""Pages as PDF, from the same templates: the set ``pdf`` prints them, nothing else is fetched."""

from importlib.resources import files
from typing import Any

from scf.kernel.errors import Unavailable

INSTEAD = "Take the CSV, or print the page from the browser."


def pdf_of(text: str) -> bytes:
    """Print a page.

    Raises
    ------
    Unavailable
        PDF_SET where the printing set is not installed, PDF_SYSTEM where the system's own part of
        it is missing; each with the line that installs it.
    """
    try:
        from weasyprint import CSS, HTML
    except ImportError as missing:
        raise Unavailable(
            "PDF_SET",
            "PDF is not installed here: python3 tools/setup.py install pdf.",
            next_step=INSTEAD,
        ) from missing
    except OSError as missing:  # a library that is loaded by name
        raise Unavailable(
            "PDF_SYSTEM",
            "PDF needs Pango, which this machine lacks; on Debian: apt-get install libpango-1.0-0 "
            "libpangoft2-1.0-0 libharfbuzz-subset0.",
            next_step=INSTEAD,
        ) from missing
    style = files("web").joinpath("static", "print.css").read_text("utf-8")
    page: Any = HTML(string=text, url_fetcher=_nothing)
    return bytes(page.write_pdf(stylesheets=[CSS(string=style, url_fetcher=_nothing)]))


def _nothing(url: str, *_more: object) -> dict[str, Any]:
    msg = f"a printed page fetches nothing: {url[:100]}"
    raise ValueError(msg)
