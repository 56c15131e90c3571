"""Two installations share a registry over HTTP: one claim is paid by one of them, and by nobody
while the registry is away.
"""

import dataclasses
import json
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select

from scf.bootstrap import before_commands, load_slices
from scf.db.engine import Database
from scf.documents import intake
from scf.documents.models import Invoice
from scf.documents.readers.mapping import ColumnMapping
from scf.financing.models import Advance
from scf.kernel.errors import RuleViolation
from scf.programmes.registry.connecting import members_of, registries_of
from scf.programmes.registry.server import RegistryServer
from tests.settlement.test_registry import BUYER_VAT, NO_CHECKS, SELLER_LEI, take_part
from tests.support.deals import CHECKER, MAKER, TREASURER, Deals, table

CLUB = "club"
KEYS = f'[{CLUB}.keys]\n1 = "{"5a" * 32}"\n'
TOKEN = "south-" + "t" * 32
TABLE = ColumnMapping.from_json(
    json.dumps(
        {
            "kind": "invoice",
            "columns": {
                "seller_lei": "von", "buyer_vat": "an", "number": "Nummer", "issue_on": "Datum",
                "due_on": "zahlbar", "payable": "Betrag",
            },
            "default_currency": "EUR",
            "decimal": "comma",
        }
    )
)  # fmt: skip


class House(Deals):
    """One bank with an installation and a database of its own, and its file of registries."""

    def __init__(self, db: Database, file: Path, member: str) -> None:
        super().__init__(db, **NO_CHECKS)
        load_slices()
        self.platform = dataclasses.replace(
            self.platform,
            services={"registry": registries_of(file, may_make=False)},
            before=before_commands(),
        )
        take_part(self, db, member)

    def sent(self, number: str, amount: str = "1.000,00") -> str:
        """Let the seller hand in its invoice as a table; the buyer accepts it."""
        row = f"{number};{SELLER_LEI[1]};{BUYER_VAT[1]};2026-03-01;2026-06-06;{amount}"
        head = "Nummer;von;an;Datum;zahlbar;Betrag"
        received = self.run(
            "upload.receive", TREASURER, name="rechnungen.csv", format="csv", mapping=TABLE,
            content=f"{head}\n{row}\n".encode(),
        )  # fmt: skip
        assert intake.run_upload(self.platform, received["upload_id"])["stored"] == 1
        invoice = table(Invoice)
        with self.db.snapshot() as conn:
            found = conn.execute(select(invoice.c.id).where(invoice.c.number == number))
            invoice_id = str(found.scalar_one())
        self.accept(invoice_id)
        return invoice_id

    def asked(self, invoice_id: str) -> str:
        return str(self.request(invoice_id)["id"])

    def approved(self, request_id: str) -> str:
        """Bring a request to a payment file that waits for its release."""
        self.decide(request_id, MAKER)
        self.decide(request_id, CHECKER)
        return str(self.run("payout.prepare", MAKER)["files"][0]["file_id"])

    def released(self, file_id: str) -> str:
        """Try to pay; gives the state of the file, or the code of the refusal."""
        try:
            return str(self.run("payout.release", CHECKER, file_id=file_id)["state"])
        except RuleViolation as refusal:
            return refusal.code

    def paid(self) -> int:
        return sum(row.state == "INSTRUCTED" for row in self.all(Advance))


class Two(NamedTuple):
    """Bank north, which keeps the book, bank south, and the door between them."""

    north: House
    south: House
    door: RegistryServer


@pytest.fixture
def two(db: Database, sqlite_template: Path, tmp_path: Path) -> Iterator[Two]:
    keeper = tmp_path / "north.toml"
    keeper.write_text(f'{KEYS}[{CLUB}.members]\nsouth = "{TOKEN}"\n')
    north = House(db, keeper, "north")
    door = RegistryServer(north.platform, CLUB, members_of(keeper, CLUB))
    thread = threading.Thread(target=door.serve_forever, daemon=True)
    thread.start()
    guest = tmp_path / "south.toml"
    guest.write_text(f'[{CLUB}]\naddress = "{door.address}"\ntoken = "{TOKEN}"\n{KEYS}')
    elsewhere = Database(f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'south.db')}")
    yield Two(north, House(elsewhere, guest, "south"), door)
    if not door.ending.is_set():
        door.close()
    thread.join()
    elsewhere.close()


def test_what_one_house_has_paid_the_other_neither_approves_nor_pays(two: Two) -> None:
    """The same invoice is typed in at the one and comes as a table to the other."""
    first = two.north.approved(
        two.north.asked(two.north.invoice("1,000.00", number="RE-2026-0041"))
    )
    late = two.south.asked(two.south.sent("re 2026/41"))
    assert two.north.released(first) == "SENT"
    with pytest.raises(RuleViolation) as refusal:
        two.south.decide(late, MAKER)
    assert refusal.value.code == "ALREADY_FINANCED"
    assert (two.north.paid(), two.south.paid()) == (1, 0)
    other = two.south.approved(two.south.asked(two.south.sent("RE 2026/42", "2.500,00")))
    assert two.south.released(other) == "SENT"


def test_while_the_registry_is_away_the_other_house_refers_and_pays_nothing(two: Two) -> None:
    south = two.south
    ready, waiting = (south.asked(south.sent(f"W-{n}", f"{n}.000,00")) for n in (1, 7))
    file_id = south.approved(ready)
    two.door.close()
    assert south.released(file_id) == "REGISTRY_DOWN"
    with pytest.raises(RuleViolation) as refusal:
        south.decide(waiting, MAKER)
    assert refusal.value.code == "REGISTRY_DOWN"
    assert south.paid() == 0


def test_of_two_houses_that_pay_one_claim_at_once_one_does(two: Two) -> None:
    files = {
        two.north: two.north.approved(two.north.asked(two.north.sent("RACE-07"))),
        two.south: two.south.approved(two.south.asked(two.south.sent("race 7"))),
    }
    came: Counter[str] = Counter()
    gate = threading.Barrier(len(files))

    def pay(house: House, file_id: str) -> None:
        gate.wait()
        came[house.released(file_id)] += 1

    threads = [threading.Thread(target=pay, args=one) for one in files.items()]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert came["SENT"] == 1
    assert came["ALREADY_FINANCED"] == 1
    assert two.north.paid() + two.south.paid() == 1


def test_a_member_without_a_token_of_its_own_is_no_member(tmp_path: Path) -> None:
    file = tmp_path / "registries.toml"
    file.write_text(f'{KEYS}[{CLUB}.members]\nsouth = "short"\n')
    with pytest.raises(ValueError, match="token of its own"):
        members_of(file, CLUB)
