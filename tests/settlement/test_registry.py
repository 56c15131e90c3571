"""The duplicate registry: keyed prints, one winner, and no money on an unconfirmed claim."""

import dataclasses
import datetime as dt
import importlib
import threading
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert

from scf.bootstrap import SLICES, before_commands
from scf.db.engine import Database
from scf.documents.duplicates.models import DuplicateSuspicion
from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import new_id
from scf.parties.models import FirmIdentifier
from scf.programmes.registry.http import HttpRegistry
from scf.programmes.registry.local import LocalRegistry
from scf.programmes.registry.models import RegistryWord
from scf.programmes.registry.port import Act, Answer, Claim, Membership, Registry, away
from scf.programmes.registry.prints import prints_of
from scf.programmes.registry.server import RegistryServer
from tests.financing.matrix import matrix_file
from tests.support.deals import ANCHOR, BANK, CHECKER, MAKER, SELLER, TREASURER, Deals, table

CLUB, KEY, NEXT_KEY = "club", b"k" * 32, b"n" * 32
SELLER_LEI, BUYER_VAT = ("lei", "529900T8BM49AURSDO55"), ("vat", "DE136695976")
ADMIN = Actor("u-admin", BANK, frozenset({Role.ADMINISTRATOR}))
NO_CHECKS = {"checks_before_decision": "[]", "checks_before_payout": "[]"}


def paper(number: str = "INV-7", **changes: object) -> SimpleNamespace:
    usual = {"payable_minor": 100_000, "currency": "EUR", "issue_on": dt.date(2026, 3, 1),
             "document_uuid": None}  # fmt: skip
    return SimpleNamespace(number=number, **(usual | changes))


def prints(row: object, *keys: tuple[int, bytes], key: bytes = KEY) -> tuple[Any, ...]:
    return prints_of(dict(keys or [(1, key)]), row, [SELLER_LEI], [BUYER_VAT])


def number_prints(row: object, *keys: tuple[int, bytes], key: bytes = KEY) -> set[str]:
    return {one.value for one in prints(row, *keys, key=key) if one.kind == "number"}


# --- Prints ---------------------------------------------------------------------------------------


def test_a_disguised_number_has_the_same_print_and_another_key_another_one() -> None:
    assert number_prints(paper("INV-7")) == number_prints(paper("invoice no. 007"))
    assert number_prints(paper("INV-7")).isdisjoint(number_prints(paper("INV-8")))
    assert number_prints(paper("INV-7")).isdisjoint(number_prints(paper("INV-7"), key=NEXT_KEY))


def test_prints_need_public_numbers_of_both_firms() -> None:
    assert prints_of({1: KEY}, paper(), [("id", "77")], [BUYER_VAT]) == ()


def test_members_find_each_other_while_a_key_is_changed() -> None:
    before, during, after = ({1: KEY}, {1: KEY, 2: NEXT_KEY}, {2: NEXT_KEY})
    old, both, new = (number_prints(paper(), *keys.items()) for keys in (before, during, after))
    assert old & both
    assert both & new
    assert not old & new


# --- The world ------------------------------------------------------------------------------------


class Moody:
    """A registry in front of the book that fails, or does something, at a chosen act."""

    def __init__(self, book: Registry) -> None:
        self.book = book
        self.acts: list[str] = []
        self.fails_at = 99
        self.meanwhile: Any = None

    def ask(self, act: Act, member: str, claims: Sequence[Claim]) -> list[Answer]:
        self.acts.append(act)
        if self.meanwhile is not None:
            self.meanwhile(len(self.acts))
        if len(self.acts) >= self.fails_at:
            return away(claims, "NO_CONNECTION")
        return self.book.ask(act, member, claims)


def take_part(deals: Deals, db: Database, member: str) -> None:
    """Let a bank join a registry, with the numbers by which its firms are known everywhere."""
    with db.writer.begin() as conn:
        for firm, (scheme, value) in ((SELLER, SELLER_LEI), (ANCHOR, BUYER_VAT)):
            known = {
                "id": new_id(), "firm_id": firm, "scheme": scheme, "value": value,
                "scope_org_id": "", "created_at": deals.clock.now(),
            }  # fmt: skip
            conn.execute(insert(table(FirmIdentifier)), known)
        deals.add_account(conn, BANK, "NL91ABNA0417164300")
    deals.run("registry.join", ADMIN, consortium=CLUB, member=member)


class Members(Deals):
    """Deals of a bank that takes part in a registry whose book is kept here."""

    def __init__(self, db: Database) -> None:
        super().__init__(db, **NO_CHECKS)
        for name in SLICES:
            importlib.import_module(name)
        self.book = LocalRegistry(self.platform, CLUB)
        self.moody = Moody(self.book)
        reach = {CLUB: lambda _platform, member: Membership(CLUB, member, {1: KEY}, self.moody)}
        self.platform = dataclasses.replace(
            self.platform, services={"registry": reach}, before=before_commands()
        )
        take_part(self, db, "north")

    def file_of(self, invoice_id: str) -> str:
        """Bring an invoice to a payment file that waits for its release."""
        request_id = str(self.request(invoice_id)["id"])
        self.decide(request_id, MAKER)
        self.decide(request_id, CHECKER)
        return str(self.run("payout.prepare", MAKER)["files"][0]["file_id"])

    def elsewhere(self, act: Act, invoice_id: str) -> Answer:
        """Let another member's installation, which has other ids, ask about the same invoice."""
        row = next(row for row in self.all(Invoice) if row.id == invoice_id)
        [answer] = self.book.ask(act, "south", [Claim(f"s-{row.number}", prints(row))])
        return answer

    def words(self) -> list[tuple[str, str]]:
        rows = sorted(self.all(RegistryWord), key=lambda row: row.id)
        return [(row.step, row.state) for row in rows]

    def release_file(self, file_id: str) -> dict[str, Any]:
        return self.run("payout.release", CHECKER, file_id=file_id)


@pytest.fixture
def deals(db: Database) -> Members:
    return Members(db)


# --- Money ----------------------------------------------------------------------------------------


def test_a_claim_is_searched_registered_and_searched_again_before_it_is_paid(
    deals: Members,
) -> None:
    invoice = deals.invoice("1,000.00", number="A-1")
    file_id = deals.file_of(invoice)
    deals.moody.acts.clear()
    assert deals.release_file(file_id)["state"] == "SENT"
    assert deals.moody.acts == ["search", "register", "search"]
    assert deals.words()[-3:] == [("search", "FREE"), ("register", "OWN"), ("again", "OWN")]
    assert deals.elsewhere("register", invoice).state == "HELD"


def test_what_another_member_has_is_not_approved_and_not_paid(deals: Members) -> None:
    invoice = deals.invoice("1,000.00", number="A-1")
    file_id = deals.file_of(invoice)
    assert deals.elsewhere("register", invoice).state == "OWN"
    with pytest.raises(RuleViolation) as refusal:
        deals.release_file(file_id)
    assert refusal.value.code == "ALREADY_FINANCED"
    assert {row.state for row in deals.all(Advance)} == {"RECHECKED"}
    other = deals.invoice("1,000.00", number="A-2")
    deals.elsewhere("register", other)
    request = deals.request(other)
    with pytest.raises(RuleViolation) as refusal:
        deals.decide(str(request["id"]), MAKER)
    assert refusal.value.code == "ALREADY_FINANCED"


class SmallCases(Members):
    """Such a bank, where one officer's word is enough for a small case."""

    file = staticmethod(matrix_file)


def test_cases_approved_together_are_searched_first_and_what_is_held_is_left(
    db: Database,
) -> None:
    deals = SmallCases(db)
    free, held = (deals.invoice("100.00", number=f"B-{n}") for n in (1, 2))
    requests = [str(deals.request(one)["id"]) for one in (free, held)]
    deals.elsewhere("register", held)
    deals.moody.acts.clear()
    items = [{"request_id": one, "version": 1} for one in requests]
    answer = deals.run("request.approve_many", MAKER, items=items, note="small and alike")
    assert deals.moody.acts == ["search"]
    assert [one["id"] for one in answer["approved"]] == requests[:1]
    assert [(one["id"], one["code"]) for one in answer["skipped"]] == [
        (requests[1], "ALREADY_FINANCED")
    ]


def test_nothing_is_approved_together_while_the_registry_does_not_answer(db: Database) -> None:
    deals = SmallCases(db)
    request_id = str(deals.request(deals.invoice("100.00", number="B-1"))["id"])
    deals.moody.fails_at = 0
    items = [{"request_id": request_id, "version": 1}]
    answer = deals.run("request.approve_many", MAKER, items=items, note="small and alike")
    assert answer["approved"] == []
    assert answer["skipped"][0]["code"] == "REGISTRY_DOWN"


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_registry_that_goes_away_between_two_steps_lets_no_money_out(
    deals: Members, step: int
) -> None:
    file_id = deals.file_of(deals.invoice("1,000.00", number="A-1"))
    deals.moody.acts.clear()
    deals.moody.fails_at = step
    with pytest.raises(RuleViolation) as refusal:
        deals.release_file(file_id)
    assert refusal.value.code == "REGISTRY_DOWN"
    assert {row.state for row in deals.all(Advance)} == {"RECHECKED"}
    deals.moody.fails_at = 99
    assert deals.release_file(file_id)["state"] == "SENT"


def test_a_rival_between_search_and_registration_leaves_one_winner(deals: Members) -> None:
    invoice = deals.invoice("1,000.00", number="A-1")
    file_id = deals.file_of(invoice)
    deals.moody.acts.clear()
    deals.moody.meanwhile = lambda n: deals.elsewhere("register", invoice) if n == 2 else None
    with pytest.raises(RuleViolation) as refusal:
        deals.release_file(file_id)
    assert refusal.value.code == "ALREADY_FINANCED"


def test_what_is_withdrawn_may_be_financed_elsewhere(deals: Members) -> None:
    invoice = deals.invoice("1,000.00", number="A-1")
    request_id = str(deals.request(invoice)["id"])
    deals.run("request.withdraw", TREASURER, request_id=request_id)
    assert deals.platform.worker().drain() >= 1
    assert deals.words()[-1] == ("release", "DONE")
    assert deals.elsewhere("register", invoice).state == "OWN"


def test_what_a_new_member_finances_already_is_registered_as_its_own(deals: Members) -> None:
    invoice = deals.invoice("1,000.00", number="A-1")
    deals.request(invoice)
    assert deals.elsewhere("search", invoice).state == "FREE"
    deals.moody.fails_at = 0
    deals.platform.worker().drain()
    assert deals.elsewhere("search", invoice).state == "FREE"
    deals.moody.fails_at = 99
    deals.clock.advance(dt.timedelta(days=1))
    deals.platform.worker().drain()
    assert deals.elsewhere("search", invoice).state == "HELD"


def two_papers(deals: Members) -> tuple[str, str]:
    """Store two papers of one claim, the second of which this bank calls the copy."""
    first, second = (deals.invoice("1,000.00", number=f"A-{n}") for n in (1, 902))
    found = DuplicateSuspicion(
        id=new_id(), invoice_id=second, twin_id=first, seller_id=SELLER, buyer_id=ANCHOR,
        code="SAME_AMOUNT", facts={}, found_at=deals.clock.now(),
    )  # fmt: skip
    with deals.db.writer.begin() as conn:
        deals._insert(conn, found)
    word = {"suspicion_id": found.id, "outcome": "SAME", "reason": "sent twice"}
    assert deals.run("duplicate.decide", MAKER, **word)["state"] == "DECIDED"
    return first, second


def test_a_claim_of_two_papers_is_taken_under_the_numbers_of_both(deals: Members) -> None:
    first, second = two_papers(deals)
    assert deals.release_file(deals.file_of(first))["state"] == "SENT"
    assert deals.elsewhere("register", second).state == "HELD"
    assert deals.elsewhere("register", deals.invoice("1,000.00", number="C-7")).state == "OWN"


def test_of_two_banks_that_call_opposite_papers_the_copy_the_second_is_told_whose_claim_it_is(
    deals: Members,
) -> None:
    first, second = two_papers(deals)
    file_id = deals.file_of(first)
    assert deals.elsewhere("register", second).state == "OWN"
    with pytest.raises(RuleViolation) as refusal:
        deals.release_file(file_id)
    assert refusal.value.code == "ALREADY_FINANCED"
    assert deals.elsewhere("release", second).state == "DONE"
    assert deals.release_file(file_id)["state"] == "SENT"


def test_a_paper_with_the_same_identifier_looks_similar_whatever_else_it_says(
    deals: Members,
) -> None:
    one = paper("INV-7", document_uuid="ab" * 16)
    other = paper("Z-9", document_uuid="ab" * 16, payable_minor=7, issue_on=dt.date(2026, 3, 9))
    deals.book.ask("register", "south", [Claim("s", prints(one))])
    taken = prints_of({1: KEY}, other, [("vat", "FR83404833048")], [BUYER_VAT])
    assert deals.book.ask("search", "north", [Claim("n", taken)])[0].state == "SIMILAR"
    assert {each.kind for each in taken} == {"number", "money", "paper"}


# --- The book and the wire ------------------------------------------------------------------------


def test_of_many_at_once_one_gets_the_claim(deals: Members) -> None:
    answers: dict[str, str] = {}

    def take(member: str) -> None:
        claim = Claim(f"{member}-1", prints(paper("RACE-1")))
        answers[member] = deals.book.ask("register", member, [claim])[0].state

    threads = [threading.Thread(target=take, args=(f"m{n}",)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers.values()) == ["HELD", "HELD", "HELD", "OWN"]


def test_the_same_amount_and_day_under_another_number_looks_similar(deals: Members) -> None:
    deals.book.ask("register", "south", [Claim("s", prints(paper("INV-7")))])
    [answer] = deals.book.ask("search", "north", [Claim("n", prints(paper("INV-9")))])
    assert answer.state == "SIMILAR"


class MoodyServer(RegistryServer):
    """The book of a registry that may be down, slow, or talk nonsense."""

    mood = "well"

    def told(self, answers: list[Answer]) -> tuple[int, list[dict[str, Any]]]:
        """Give what goes out in this mood."""
        if self.mood == "slow":
            self.dawdle()
        status, said = super().told(answers)
        return (503, []) if self.mood == "down" else (status, said[self.mood == "garbage" :])


@pytest.fixture
def server(deals: Members) -> Iterator[MoodyServer]:
    made = MoodyServer(deals.platform, CLUB, {"t-north": "north", "t-south": "south"})
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.close()
    thread.join()


def test_two_installations_share_a_registry_over_http_and_nothing_strange_is_believed(
    server: MoodyServer,
) -> None:
    north, south = (HttpRegistry(server.address, f"t-{who}", 0.3) for who in ("north", "south"))
    claims = [Claim("c", prints(paper("WIRE-1")))]
    assert north.ask("register", "", claims)[0].state == "OWN"
    assert south.ask("register", "", claims)[0].state == "HELD"
    assert HttpRegistry(server.address, "stolen").ask("search", "", claims)[0].reason == "HTTP_401"
    for mood, reason in (("down", "HTTP_503"), ("garbage", "GARBAGE"), ("slow", "NO_CONNECTION")):
        server.mood = mood
        assert south.ask("search", "", claims) == [Answer("UNAVAILABLE", reason=reason)]
    server.mood = "well"
    assert north.ask("release", "", claims)[0].state == "DONE"
    assert south.ask("register", "", claims)[0].state == "OWN"
