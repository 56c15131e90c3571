"""Take the pictures of README and documentation from the real portal over a demo world of its own.

    .venv/bin/python tools/pictures.py [FOLDER]

Makes a demo world beside the one of ``make run``, serves it on this machine, signs its people in
and writes ``docs/pictures/*.png`` in few colours, so small. Needs Chromium and the ``dev`` and
``pdf`` sets of libraries, as the tests do.
"""

import io
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from scf.settlement import statements  # noqa: E402
from tests.support.chromium import PROGRAMS, QUIET, opened  # noqa: E402
from tests.support.demo_world import DemoCopy, DemoWorld, make  # noqa: E402
from tests.support.tryton import tryton  # noqa: E402
from tests.walk.books import OrdersToBooks  # noqa: E402
from tests.walk.test_things_go_wrong import Case  # noqa: E402
from tests.walk.walker import DESK  # noqa: E402

COLOURS = 256
SAMPLES = ROOT / "docs/tutorial/samples"


class Picture(NamedTuple):
    """What is shown, to whom, how."""

    name: str
    who: str
    path: str
    scheme: str = "light"
    width: int = 1440
    height: int = 900
    press: str = ""  # what is pressed before, as a selector
    bring: str = ""  # the sample that is handed in before that, its columns on the page


PICTURES = (
    Picture("treasurer-home", "mira", "/treasurer/", height=1000),
    Picture("treasurer-confirm", "mira", "/treasurer/", height=1000, press="aside button.primary"),
    Picture("treasurer-phone", "mira", "/treasurer/", "dark", 390, 844),
    Picture("officer-queue", "omar", "/officer/queue"),
    Picture("officer-case", "omar", "/officer/queue?view=mine", "dark", height=1000,
            press="main tbody tr:nth-child(2) a"),
    Picture("chain-explorer", "omar", "/officer/chain", height=1000),
    Picture("anchor-acceptances", "anna", "/anchor/acceptances"),
    Picture("spreadsheet-columns", "mira", "/uploads/", height=1180, bring="open-items.csv"),
    Picture("spreadsheet-repair", "mira", "/uploads/", height=1000, bring="open-items.csv",
            press="#how button.primary"),
)  # fmt: skip


def taken(page: Page) -> bytes:
    """Take the page as it is in the window, in few colours."""
    picture = Image.open(io.BytesIO(page.screenshot()))
    # By coverage: a colour that few dots have, such as a grade of risk, stays what it is.
    few = picture.convert("RGB").quantize(
        COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )
    packed = io.BytesIO()
    few.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def take(browser: Browser, address: str, session_id: str, wanted: Picture) -> bytes:
    """Open a page as somebody and take it."""
    page, complaints = opened(
        browser, address, session_id=session_id, scheme=wanted.scheme, width=wanted.width
    )
    page.set_viewport_size({"width": wanted.width, "height": wanted.height})
    page.goto(address + wanted.path)
    if wanted.bring:
        page.set_input_files("input[type=file]", SAMPLES / wanted.bring)
        page.locator("main button.primary").first.click()
        page.wait_for_url("**/check")
    if wanted.press:
        page.locator(wanted.press).first.click()
        page.wait_for_load_state()
    content = taken(page)
    page.context.close()
    if complaints:
        raise SystemExit(f"pictures: {wanted.name}: {complaints}")
    return content


def kept(into: Path, name: str, content: bytes) -> None:
    """Write a picture and tell its size."""
    (into / f"{name}.png").write_bytes(content)
    print(f"{name}.png {len(content) // 1024} kB")


def story(browser: Browser, copy: DemoCopy, folder: Path, into: Path) -> None:
    """Walk from an order in a Tryton of its own to the books, and take what is seen on the way."""

    def serve(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://localhost:{server.port}"

    def snap(name: str, page: Page) -> None:
        page.set_viewport_size({"width": 1440, "height": 1000})
        kept(into, name, taken(page))

    with tryton(folder) as server:
        OrdersToBooks(browser, serve, copy, server, DESK, snap).whole()


def trouble(case: Case) -> Iterator[Picture]:
    """Let things go wrong one after the other, and say what each looks like."""
    run, people = case.copy.platform.run, case.copy.served.world.people

    def read(name: str, data: bytes) -> None:
        statements.read_file(case.copy.platform, people["omar"], data, name)

    row = case.of("Karst Fasteners")
    read(*case.given_back(row.id))
    yield Picture("trouble-returned", "omar", f"/officer/advances/{row.id}")
    row = case.of("Brook Valves", 1)
    said = {"invoice_id": row.invoice_id, "amount_minor": 100_000, "reason": "four valves leak"}
    run("invoice.dispute", said, people["carl"], key="dispute")
    at = f"/treasurer/invoices/{row.invoice_id}"
    yield Picture("trouble-dispute", "mira", at, height=1120, press="main .rows details > summary")
    row = case.of("Alder Plastics")
    case.to(row.due_on + timedelta(days=2))
    for kind, amount in (("allowance", row.face_minor // 2), ("write_off", None)):
        proposal = {
            "advance_id": row.id, "kind": kind, "amount_minor": amount, "ground": "insolvency",
            "note": "insolvency opened, court file 12",
        }  # fmt: skip
        made = run("impairment.propose", proposal, people["omar"], key=f"propose {kind}").result
        word = {"proposal_id": made["proposal_id"], "agree": True}
        run("impairment.decide", word, people["chen"], key=f"decide {kind}")
    read(*case.received(row.obligor_id, 5_000_000, row.number))
    yield Picture("trouble-written-off", "omar", f"/officer/advances/{row.id}", height=1000)


def troubles(browser: Browser, copy: DemoCopy, into: Path) -> None:
    """Take what things look like when they go wrong, in a world of their own."""
    server = make_server("127.0.0.1", 0, copy.served.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for wanted in trouble(Case(copy)):
        session_id = copy.served.browser(wanted.who).session_id
        content = take(browser, f"http://localhost:{server.port}", session_id, wanted)
        kept(into, wanted.name, content)
    server.shutdown()


def main() -> None:
    """Take all pictures."""
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/pictures"
    into.mkdir(parents=True, exist_ok=True)
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise SystemExit("pictures: Chromium is needed")
    from scf.bootstrap import create_schema

    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty.db")
        create_schema(f"sqlite:///{empty}")
        make(Path(folder, "world"), empty)
        with DemoWorld(Path(folder, "world")).copied(Path(folder, "copy")) as copy:
            server = make_server("127.0.0.1", 0, copy.served.app, threaded=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://localhost:{server.port}"
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=program, args=QUIET)
                for wanted in PICTURES:
                    session_id = copy.served.browser(wanted.who).session_id
                    content = take(browser, address, session_id, wanted)
                    kept(into, wanted.name, content)
                story(browser, copy, Path(folder, "tryton"), into)
                with DemoWorld(Path(folder, "world")).copied(Path(folder, "wrong")) as wrong:
                    troubles(browser, wrong, into)
                browser.close()
            server.shutdown()


if __name__ == "__main__":
    main()
