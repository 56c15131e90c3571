"""Firms are invited, checked, found by their numbers; money goes to proven accounts."""

import datetime as dt

import pytest
from sqlalchemy import insert, select

from scf.db.engine import Database
from scf.db.models import AuditLog, Job
from scf.documents.models import DocumentFinding
from scf.kernel.actor import OPERATOR, Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation
from scf.kernel.ids import new_id
from scf.parties.identity import resolving
from scf.parties.identity.resolving import Said, Settled, settle_parties
from scf.parties.models import BankAccount, Firm
from scf.parties.service import (
    business_date,
    firm_by,
    firm_names,
    own_account_id,
    resolve_party,
    verified_account,
)
from tests.support.people import NOON, World, small_prepare, small_world

prepare = small_prepare  # every test begins in the small world

VAT, LEI = "DE136695976", "213800KUD8LAJWSQ9D15"
IBANS = ("DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606")


def activated(world: World, **more: object) -> str:
    """Give a firm that the anchor named and the bank's maker activated."""
    added = world.run("firm.add", world.people["clerk"], name="Brook Valves", **more)
    firm_id = str(added["id"])
    world.run("firm.activate", world.people["maker"], firm_id=firm_id, evidence="register")
    return firm_id


def resolved(world: World, *pairs: tuple[str, str], name: str = "", org: str = "anchor") -> object:
    with world.platform.db.snapshot() as conn:
        return resolve_party(conn, pairs, name, "", world.firms[org])


def test_an_invited_firm_is_found_only_after_an_officer_activates_it(db: Database) -> None:
    world = small_world(db)
    added = world.run(
        "firm.add",
        world.people["clerk"],
        name="Hengda",
        country="CN",
        identifiers=[{"scheme": "vat", "value": "de 136 695 976"}],
    )
    assert added["state"] == "INVITED"
    assert resolved(world, ("vat", VAT)) is None
    active = world.run(
        "firm.activate", world.people["maker"], firm_id=added["id"], evidence="register extract"
    )
    assert active["state"] == "ACTIVE"
    assert resolved(world, ("vat", VAT)) == added["id"]
    with db.snapshot() as conn:
        job = conn.execute(
            select(Job.__table__).where(Job.__table__.c.kind == "documents.revalidate")  # type: ignore[attr-defined]
        ).all()[-1]
        trail = conn.execute(
            select(AuditLog.__table__).order_by(AuditLog.__table__.c.seq.desc()).limit(1)  # type: ignore[attr-defined]
        ).one()
    assert job.payload == {"firm_id": added["id"]}
    assert trail.changes[0]["after"] == {
        "state": "ACTIVE",
        "manual_check": ["open_dossier", "hand_in", "approve"],
        "evidence": "register extract",
    }


def test_a_clerk_cannot_activate(db: Database) -> None:
    world = small_world(db)
    with pytest.raises(NotAllowed) as refused:
        world.run(
            "firm.activate",
            world.people["clerk"],
            firm_id=world.firms["supplier"],
            evidence="myself",
        )
    assert refused.value.facts["needs_one_of"] == ["officer_checker", "officer_maker"]


def test_a_name_counts_only_for_the_organisation_that_uses_it(db: Database) -> None:
    world = small_world(db)
    added = world.run("firm.add", world.people["clerk"], name="Hengda Precision")
    world.run("firm.activate", world.people["maker"], firm_id=added["id"], evidence="seen")
    assert resolved(world, name="HENGDA  precision") == added["id"]
    assert resolved(world, name="Hengda Precision", org="supplier") is None


def test_two_public_numbers_of_two_firms_name_nobody(db: Database) -> None:
    world = small_world(db)
    world.firm("one", identifiers=[{"scheme": "vat", "value": VAT}])
    world.firm("two", identifiers=[{"scheme": "lei", "value": LEI}])
    assert resolved(world, ("vat", VAT), org="one") == world.firms["one"]
    assert resolved(world, ("vat", VAT), ("lei", LEI), org="one") is None


def test_many_parties_are_settled_together_as_each_would_be_alone(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolving, "_AT_ONCE", 2)  # several statements for the few here
    world = small_world(db)
    brook = activated(world, identifiers=[{"scheme": "vat", "value": VAT}])
    anchor = world.firms["anchor"]
    world.firm("rush", identifiers=[{"scheme": "lei", "value": LEI}])
    expected = {
        Said((("vat", VAT),), "Brook Valves", "DE"): Settled(brook),
        Said((("vat", VAT),), "", ""): Settled(brook),
        Said((("vat", VAT), ("lei", LEI)), "Brook Valves", ""): Settled(None, contradicts=True),
        Said((("vat", VAT),), "Anchor Company", ""): Settled(None, contradicts=True),
        # Whom the anchor may not know of answers nothing.
        Said((("vat", VAT),), "Supplier Company", ""): Settled(brook),
        Said((("vat", VAT),), "Nobody Ever Heard Of", ""): Settled(brook),
        Said((), "brook  VALVES", ""): Settled(brook),
        Said((("duns", "999999999"),), "Stranger Works", ""): Settled(None),
        Said((("lei", LEI),), "Rush Company", ""): Settled(world.firms["rush"]),
    }
    with db.snapshot() as conn:
        together = settle_parties(conn, list(expected), anchor)
        alone = [settle_parties(conn, [one], anchor)[0] for one in expected]
        assert settle_parties(conn, [], anchor) == []
    assert together == alone == list(expected.values())


def test_a_known_public_number_cannot_be_invited_again(db: Database) -> None:
    world = small_world(db)
    world.firm("known", identifiers=[{"scheme": "vat", "value": VAT}])
    with pytest.raises(Conflict) as refused:
        world.run(
            "firm.add",
            world.people["clerk"],
            name="Other",
            identifiers=[{"scheme": "vat", "value": VAT}],
        )
    assert refused.value.facts["firm_ids"] == [world.firms["known"]]


def test_a_mistyped_number_is_refused_when_a_hand_types_it(db: Database) -> None:
    world = small_world(db)
    with pytest.raises(InvalidInput, match="IDENTIFIER"):
        world.run(
            "firm.add",
            world.people["clerk"],
            name="Other",
            identifiers=[{"scheme": "vat", "value": "DE136695977"}],
        )


def test_further_numbers_lead_to_the_same_firm_and_wake_its_documents(db: Database) -> None:
    world = small_world(db)
    supplier = world.firms["supplier"]
    world.run(
        "firm.identify",
        world.people["maker"],
        firm_id=supplier,
        identifiers=[{"scheme": "lei", "value": LEI}],
    )
    assert resolved(world, ("lei", LEI)) == supplier
    with db.snapshot() as conn:
        jobs = conn.execute(select(Job.__table__.c.payload)).scalars().all()  # type: ignore[attr-defined]
    assert jobs.count({"firm_id": supplier}) == 2  # activated, then identified
    with pytest.raises(Conflict, match="IDENTIFIER_TAKEN"):
        world.run(
            "firm.identify",
            world.people["maker"],
            firm_id=world.firms["anchor"],
            identifiers=[{"scheme": "lei", "value": LEI}],
        )


def test_a_suspended_firm_is_found_no_more_until_it_is_reinstated(db: Database) -> None:
    world = small_world(db)
    maker = world.people["maker"]
    supplier = activated(world, identifiers=[{"scheme": "lei", "value": LEI}])
    world.run("firm.suspend", maker, firm_id=supplier, reason="sanctions hit")
    assert resolved(world, ("lei", LEI)) is None
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        world.run("firm.suspend", maker, firm_id=supplier, reason="again")
    world.run("firm.activate", maker, firm_id=supplier, evidence="false hit")
    assert resolved(world, ("lei", LEI)) == supplier
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        world.run("firm.activate", maker, firm_id=supplier, evidence="again")


def test_a_stale_version_is_refused(db: Database) -> None:
    world = small_world(db)
    with pytest.raises(Conflict, match="STALE"):
        world.run(
            "firm.suspend",
            world.people["maker"],
            firm_id=activated(world),
            reason="old page",
            version=1,
        )


def test_only_the_operator_adds_a_financier(db: Database) -> None:
    world = small_world(db)
    with pytest.raises(NotAllowed):
        world.run("firm.add", world.people["maker"], name="Shadow Bank", kind="financier")


def test_money_goes_only_to_an_account_that_another_person_verified(db: Database) -> None:
    world = small_world(db)
    bank, supplier = world.firms["bank"], world.firms["supplier"]
    added = world.run(
        "account.add", world.people["maker"], firm_id=supplier, iban=IBANS[0], currency="EUR"
    )
    with db.snapshot() as conn:
        assert verified_account(conn, supplier, "EUR", financier_id=bank) is None
    with pytest.raises(RuleViolation, match="SAME_PERSON"):
        world.run(
            "account.verify", world.people["maker"], account_id=added["id"], evidence="letter"
        )
    world.run("account.verify", world.people["checker"], account_id=added["id"], evidence="letter")
    with db.snapshot() as conn:
        found = verified_account(conn, supplier, "EUR", financier_id=bank)
        assert verified_account(conn, supplier, "USD", financier_id=bank) is None
    assert found is not None
    assert (found.number, found.is_iban, found.holder) == (IBANS[0], 1, "Supplier Company")


def test_a_second_account_of_the_same_mailbox_is_no_second_person(db: Database) -> None:
    world = small_world(db)
    alone = world.people["maker"]
    again = world.person("maker+2", "bank", Role.OFFICER_CHECKER)
    account = world.run(
        "account.add", alone, firm_id=world.firms["supplier"], iban=IBANS[0], currency="EUR"
    )
    with pytest.raises(RuleViolation, match="SAME_PERSON"):
        world.run("account.verify", again, account_id=account["id"], evidence="letter")
    firm = world.run("firm.add", alone, name="Brook Valves")
    with pytest.raises(RuleViolation, match="SAME_PERSON"):
        world.run("firm.activate", again, firm_id=firm["id"], evidence="register")


def test_a_changed_account_cools_off_and_the_earlier_one_still_receives(db: Database) -> None:
    world = small_world(db)
    supplier, checker = world.firms["supplier"], world.people["checker"]
    first, second = (
        str(world.run("account.add", world.people["treasurer"], iban=iban, currency="EUR")["id"])
        for iban in IBANS[:2]
    )
    world.run("account.verify", checker, account_id=first, evidence="letter")
    changed = world.run("account.verify", checker, account_id=second, evidence="call-back")
    assert changed["usable_on"] == "2026-03-05"  # Monday and three banking days

    def goes_to(on: dt.date | None) -> str | None:
        with db.snapshot() as conn:
            row = verified_account(conn, supplier, "EUR", on, financier_id=world.firms["bank"])
        return row.id if row else None

    assert goes_to(None) == goes_to(dt.date(2026, 3, 4)) == first
    assert goes_to(dt.date(2026, 3, 5)) == second
    world.run("account.close", world.people["treasurer"], account_id=first)
    assert goes_to(dt.date(2026, 3, 4)) is None


def test_changing_back_cools_off_too(db: Database) -> None:
    world = small_world(db)
    checker, treasurer = world.people["checker"], world.people["treasurer"]
    first = world.run("account.add", treasurer, iban=IBANS[0], currency="EUR")
    world.run("account.verify", checker, account_id=first["id"], evidence="letter")
    world.run("account.close", treasurer, account_id=first["id"])
    again = world.run("account.add", treasurer, iban=IBANS[2], currency="EUR")
    verified = world.run("account.verify", checker, account_id=again["id"], evidence="letter")
    assert verified["usable_on"] == "2026-03-05"


def test_a_firm_adds_no_account_to_another_firm(db: Database) -> None:
    world = small_world(db)
    with pytest.raises(NotFound):  # the anchor is no trade partner yet, so it does not exist
        world.run(
            "account.add",
            world.people["treasurer"],
            firm_id=world.firms["anchor"],
            iban=IBANS[0],
            currency="EUR",
        )


def test_an_account_is_one_number_in_one_currency(db: Database) -> None:
    world = small_world(db)
    treasurer = world.people["treasurer"]
    for bad in (
        {"iban": IBANS[0], "number": "12345678", "currency": "EUR"},
        {"currency": "EUR"},
        {"number": "12345678", "currency": "EUR"},
        {"iban": IBANS[0], "currency": "XXQ"},
        {"iban": IBANS[0], "currency": "eur"},
        {"iban": "DE00370400440532013000", "currency": "EUR"},
    ):
        with pytest.raises(InvalidInput):
            world.run("account.add", treasurer, **bad)
    world.run("account.add", treasurer, iban=IBANS[0], currency="EUR")
    with pytest.raises(Conflict, match="ACCOUNT_EXISTS"):
        world.run("account.add", treasurer, iban=IBANS[0], currency="EUR")


def test_a_firm_sees_itself_and_its_partners_and_nobody_else(db: Database) -> None:
    world = small_world(db)
    world.run("firm.add", world.people["clerk"], name="Invited by the anchor")

    def seen(person: str) -> set[str]:
        with db.read(world.people[person]) as session:
            return {row.name for row in session.execute(select(Firm)).scalars()}

    assert seen("treasurer") == {"Supplier Company"}
    assert seen("clerk") == {"Anchor Company", "Invited by the anchor"}
    assert seen("maker") >= {"Bank Company", "Anchor Company", "Supplier Company"}


def test_accounts_are_seen_by_their_firm_and_the_bank(db: Database) -> None:
    world = small_world(db)
    world.run("account.add", world.people["treasurer"], iban=IBANS[0], currency="EUR")

    def count(person: str) -> int:
        with db.read(world.people[person]) as session:
            return len(session.execute(select(BankAccount)).scalars().all())

    assert (count("treasurer"), count("maker"), count("clerk")) == (1, 1, 0)


def test_small_questions_have_plain_answers(db: Database) -> None:
    world = small_world(db)
    anchor = world.firms["anchor"]
    world.run(
        "firm.identify",
        OPERATOR,
        firm_id=anchor,
        identifiers=[{"scheme": "reg:GB", "value": "01:23"}],
    )
    with db.snapshot() as conn:
        assert business_date(conn, world.firms["bank"]) == NOON.date()
        with pytest.raises(NotFound, match="BUSINESS_DATE"):
            business_date(conn, anchor)
        assert firm_names(conn, [anchor, "nobody", ""]) == {anchor: "Anchor Company"}
        assert firm_names(conn, []) == {}
        assert firm_by(conn, anchor) == firm_by(conn, "reg:GB:01:23") == anchor
        with pytest.raises(NotFound, match="FIRM"):
            firm_by(conn, "vat:DE136695976")


def finding(world: World, *identifiers: tuple[str, str], org: str = "anchor") -> str:
    """Store the finding of a document whose buyer nobody knows, as an import writes it."""
    finding_id = new_id()
    with world.platform.db.writer.begin() as conn:
        conn.execute(
            insert(DocumentFinding.__table__),  # type: ignore[attr-defined]
            {
                "id": finding_id,
                "org_id": world.firms[org],
                "upload_id": "upload",
                "severity": "WARNING",
                "code": "FIRM_UNKNOWN",
                "place": "seller",
                "message": "Nobody knows this firm.",
                "value": "Brook Valves",
                "facts": {
                    "side": "seller",
                    "party": {
                        "name": "Brook Valves",
                        "country": "NL",
                        "identifiers": [{"scheme": s, "value": v} for s, v in identifiers],
                    },
                },
                "created_at": NOON,
            },
        )
    return finding_id


def test_a_finding_becomes_a_firm_that_its_documents_find(db: Database) -> None:
    world = small_world(db)
    found = finding(world, ("vat", VAT), ("vat", "GB1232434"), ("id", "K-17"))
    added = world.run("firm.add", world.people["clerk"], finding_id=found)
    assert (added["name"], added["state"]) == ("Brook Valves", "INVITED")
    world.run("firm.activate", world.people["maker"], firm_id=added["id"], evidence="register")
    for pairs, name in (
        ([("vat", VAT)], ""),
        ([("vat", "GB1232434")], ""),
        ([("id", "K-17")], ""),
        ([], "brook valves"),
    ):
        assert resolved(world, *pairs, name=name) == added["id"]
    # What fails its check or is a mere customer number names the firm to nobody else.
    assert resolved(world, ("vat", VAT), org="supplier") == added["id"]
    assert resolved(world, ("vat", "GB1232434"), org="supplier") is None
    assert resolved(world, ("id", "K-17"), org="supplier") is None


def test_a_finding_can_also_name_a_firm_that_is_known(db: Database) -> None:
    world = small_world(db)
    found = finding(world, ("id", "K-17"), org="bank")
    supplier = world.firms["supplier"]
    world.run("firm.identify", world.people["maker"], firm_id=supplier, finding_id=found)
    assert resolved(world, ("id", "K-17"), org="bank") == supplier
    assert resolved(world, name="Brook Valves", org="bank") == supplier


def test_another_organisations_finding_does_not_exist(db: Database) -> None:
    world = small_world(db)
    found = finding(world, ("vat", VAT))
    with pytest.raises(NotFound):
        world.run("firm.add", world.people["treasurer"], finding_id=found)


def test_two_banks_may_give_a_firm_the_same_number(db: Database) -> None:
    world = small_world(db)
    treasurer = world.people["treasurer"]
    one = {"number": "12345678", "clearing_system": "GBDSC", "currency": "GBP"}
    first = world.run("account.add", treasurer, clearing_member="200000", **one)
    other = world.run("account.add", treasurer, clearing_member="400000", **one)
    assert first["id"] != other["id"]
    with pytest.raises(Conflict, match="already has this account"):
        world.run("account.add", treasurer, clearing_member="20-00-00", **one)
    with db.snapshot() as conn:
        assert own_account_id(conn, world.firms["bank"], "12345678") is None
        with pytest.raises(Conflict, match="two banks"):
            own_account_id(conn, world.firms["supplier"], "12345678", "GBP")
