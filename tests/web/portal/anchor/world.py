"""A served world with an anchor, its programme and a supplier that documents can name."""

import re
from typing import Any

from scf.db.engine import Database
from scf.kernel.actor import Role
from tests.support.people import World, world_on
from tests.support.served import HOST, Browser, Served, application
from tests.web.signing import sign_in

ANCHOR_VAT = "DE136695976"
SUPPLIER_VAT = "NL004495445B01"


def anchor_world(db: Database) -> World:
    """Make a bank, an anchor with clerk and approver, and one supplier."""
    world = world_on(db)
    world.firm("bank", "financier")
    world.firm("anchor", identifiers=[{"scheme": "vat", "value": ANCHOR_VAT}], country="DE")
    world.firm("supplier", identifiers=[{"scheme": "vat", "value": SUPPLIER_VAT}], country="NL")
    world.person("clerk", "anchor", Role.ANCHOR_CLERK)
    world.person("approver", "anchor", Role.ANCHOR_APPROVER)
    world.person("treasurer", "supplier", Role.TREASURER)
    return world


def served(db: Database) -> Served:
    """Serve it."""
    world = anchor_world(db)
    return Served(world, application(world))


class Person:
    """Somebody signed in, who reads pages and sends their forms as they stand."""

    def __init__(self, of: Served, name: str) -> None:
        self.browser: Browser = sign_in(of, name)
        self.html = ""
        self.at = ""

    def get(self, path: str) -> str:
        """Open a page, following where it leads."""
        answer = self.browser.get(path, follow_redirects=True)
        self.html, self.at = answer.get_data(as_text=True), answer.request.path
        assert answer.status_code == 200, (path, answer.status_code, self.html[-2000:])
        return self.html

    def post(self, path: str, data: Any, *, follow: bool = True) -> str:  # noqa: ANN401
        """Send a form of the page that is open; gives the page that follows."""
        answer = self.browser.client.post(
            path,
            base_url=HOST,
            data={"csrf_token": self.token(), **data},
            headers={"Referer": f"{HOST}{self.at}", "Origin": HOST},
        )
        self.status = answer.status_code
        if follow and answer.status_code == 303:
            return self.get(answer.headers["Location"])
        self.html = answer.get_data(as_text=True)
        return self.html

    def token(self) -> str:
        """Read the token of the open page."""
        return self.field("csrf_token")

    def field(self, name: str) -> str:
        """Read the value of a hidden field of the open page."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.html)
        assert found, f"{name} on {self.at}"
        return found[1]

    def fields(self, within: str) -> dict[str, Any]:
        """Read all fields of the form that is sent to an address, as a browser would send them."""
        import html as escaped

        form = re.search(
            rf'<form[^>]*action="{re.escape(within)}"[^>]*>(.*?)</form>', self.html, re.DOTALL
        )
        assert form, f"no form to {within} on {self.at}"
        sent: dict[str, Any] = {}
        for tag in re.findall(r"<input[^>]*>", form[1]):
            at = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
            if at.get("type") in {"checkbox", "radio"} and " checked" not in tag:
                continue
            if "name" in at:
                sent.setdefault(at["name"], []).append(escaped.unescape(at.get("value", "")))
        owned = [form[1]]
        named = re.search(rf'<form[^>]*id="([^"]+)"[^>]*action="{re.escape(within)}', self.html)
        if named:
            outside = rf'<select[^>]*form="{named[1]}"[^>]*>.*?</select>'
            owned += re.findall(outside, self.html, re.DOTALL)
        for part in owned:
            for key, body in re.findall(
                r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', part, re.DOTALL
            ):
                values = re.findall(r'<option value="([^"]*)"( selected)?', body)
                chosen = [value for value, mark in values if mark] or [values[0][0]]
                sent[key] = [escaped.unescape(chosen[0])]
        return sent
