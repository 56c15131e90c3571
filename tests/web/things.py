"""One object of every kind that trade brings about, made by the main path between three firms.

``supplier-x`` sells to ``anchor-x`` and is financed by ``bank-a``; nobody else has a part in it.
"""

import dataclasses
import datetime as dt
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from scf.demo import bank
from scf.documents import intake
from scf.documents.duplicates.models import DuplicateSuspicion
from scf.documents.match.models import PackSize
from scf.documents.messages.models import TradeMessage
from scf.documents.models import CreditNote, Invoice, Order, Receipt, Upload
from scf.financing.models import Advance, CounterOffer, Decision, OverAdvance, RequestReview
from scf.impairment.acts import PROPOSAL
from scf.impairment.models import ImpairmentProposal, LossAllowance
from scf.kernel.actor import OPERATOR
from scf.kernel.ids import new_id
from scf.ledger.models import Account, Posting
from scf.risk.appetite import in_force
from scf.risk.assessing import Assessed
from scf.risk.models import RiskAssessment
from scf.risk.promoting import Trained
from scf.risk.watch.drifting import Moved, Watched
from scf.risk.watch.models import ModelAlarm
from scf.risk.writing import About, Batch
from scf.settlement import statements
from scf.settlement.advised import handing
from scf.settlement.models import BankEntry, PaymentInstruction
from tests.support.people import NOON, World
from tests.support.taxes import store_answers
from tests.web.reminding import reminder_of

SAMPLES = Path(__file__).parents[2] / "docs" / "tutorial" / "samples"
IBANS = {
    "bank-a": "DE02120300000000202051",
    "supplier-x": "NL91ABNA0417164300",
}
NUMBERS = {"anchor-x": "DE136695976", "supplier-x": "NL004495445B01"}
BEFORE_DECISION = ("duplicate", "screening", "tax_status", "title_search")
BEFORE_PAYOUT = ("e_signature", "registration", "recheck")


def trade(world: World, programme_id: str) -> dict[str, str]:
    """Make the objects; gives their ids by kind."""
    maker, checker = (world.people[f"bank-a-officer-{word}"] for word in ("maker", "checker"))
    treasurer = world.people["supplier-x-treasurer"]
    approver = world.people["anchor-x-anchor-approver"]
    _prepare(world, programme_id)
    order_upload = _upload(world, "order-4711.xml")
    upload = _upload(world, "invoice-bv-2026-118.xml")
    shown = _ids(world, order_upload, upload)
    invoice = shown["invoice"]
    world.run("invoice.accept", approver, items=[{"invoice_id": invoice}])
    dispute = world.run(
        "invoice.dispute", approver, invoice_id=invoice, amount_minor=100, reason="scratched"
    )
    quote = world.run("quote.make", treasurer, invoice_ids=[invoice])
    request = world.run("request.submit", treasurer, quote_id=quote["id"])
    for kind in BEFORE_DECISION:
        _check(world, request["id"], kind)
    for version, person in ((1, maker), (2, checker)):
        world.run(
            "request.decide", person, request_id=request["id"], version=version, outcome="APPROVE"
        )
    for kind in BEFORE_PAYOUT:
        _check(world, request["id"], kind)
    file = world.run("payout.prepare", maker)["files"][0]
    return {
        **shown,
        **_money_in(world),
        **_paper(world, upload),
        "own_invoice": invoice,
        "chain_firm": world.firms["supplier-x"],
        "upload": upload,
        "transfer": world.run(
            "transfer.open", treasurer, name="large.csv", size=1, sha256="0" * 64
        )["transfer_id"],
        "dispute": dispute["id"],
        "quote": quote["id"],
        "request": request["id"],
        "advance": request["advances"][0]["id"],
        **_in_the_books(world),
        "over_advance": _over_advance(world, request["advances"][0]["id"]),
        "reminder": reminder_of(world, request["advances"][0]["id"]),
        "provision_proposal": _provision(world, request["advances"][0]["id"]),
        **_taxes(world, invoice),
        "decision": _decision(world),
        "fixing": _waiting_fixing(world),
        "period": _waiting_period(world),
        "publication": _waiting_rates(world),
        "officer": maker.user_id,
        **_looked_at(world, request["id"]),
        "suspicion": _suspicion(world, invoice),
        "assessment": _assessment(world),
        "model": _model(world),
        "model_alarm": _alarm(world),
        "payment_file": file["file_id"],
        "payment": _payment(world),
    }


def _prepare(world: World, programme_id: str) -> None:
    maker, checker = (world.people[f"bank-a-officer-{word}"] for word in ("maker", "checker"))
    for firm, number in NUMBERS.items():
        world.run(
            "firm.identify",
            OPERATOR,
            firm_id=world.firms[firm],
            identifiers=[{"scheme": "vat", "value": number}],
        )
    for firm, iban in IBANS.items():
        account = world.run(
            "account.add", maker, firm_id=world.firms[firm], iban=iban, currency="EUR"
        )
        world.run("account.verify", checker, account_id=account["id"], evidence="bank letter")
    world.run("programme.activate", checker, programme_id=programme_id)
    nodes = [
        world.run(
            "limit.set",
            maker,
            kind=kind,
            subject_id=subject,
            currency="EUR",
            limit_minor=1_000_000_000,
        )
        for kind, subject in (
            ("financier", world.firms["bank-a"]),
            ("programme", programme_id),
            ("obligor", world.firms["anchor-x"]),
            ("seller", world.firms["supplier-x"]),
        )
    ]
    granted = [{"limit_id": one["id"], "limit_minor": one["proposed_minor"]} for one in nodes]
    world.run("limit.confirm", checker, items=granted)
    value = world.run(
        "fixing.add", maker, benchmark="EURIBOR-3M", fixed_on=NOON.date(), percent="3.45"
    )
    world.run("fixing.confirm", checker, fixing_id=value["id"], percent="3.45")


def _waiting_fixing(world: World) -> str:
    """Record a value that nobody has confirmed."""
    on = NOON.date() - dt.timedelta(days=1)
    made = world.run(
        "fixing.add",
        world.people["bank-a-officer-maker"],
        benchmark="EURIBOR-3M",
        fixed_on=on,
        percent="3.44",
    )
    return str(made["id"])


def _waiting_period(world: World) -> str:
    """Propose to close what is long over, as somebody who has left: each of these may confirm."""
    on = NOON.date() - dt.timedelta(days=400)
    maker = replace(world.people["bank-a-officer-maker"], user_id="somebody-who-left")
    return str(world.run("period.close", maker, to_on=on, note="the year before")["id"])


def _waiting_rates(world: World) -> str:
    """Record an exchange rate that nobody has confirmed."""
    on = NOON.date() - dt.timedelta(days=1)
    rate = {"base": "EUR", "quote": "USD", "fixed_on": on, "rate": "1.0870"}
    maker = world.people["bank-a-officer-maker"]
    return str(world.run("rates.add", maker, source="ECB", rates=[rate])["id"])


def _upload(world: World, name: str) -> str:
    """Hand a sample in, dated before this world's day."""
    content = (SAMPLES / name).read_bytes().replace(b"2026-03-06", b"2026-02-20")
    upload_id = world.run(
        "upload.receive", world.people["supplier-x-treasurer"], name=name, content=content
    )["upload_id"]
    summary = intake.run_upload(world.platform, upload_id)
    assert (summary["stored"], summary["bad"]) == (1, 0), summary
    return str(upload_id)


def _ids(world: World, order_upload: str, upload: str) -> dict[str, str]:
    found = {}
    with world.platform.db.snapshot() as conn:
        for kind, model, source in (("order", Order, order_upload), ("invoice", Invoice, upload)):
            table: Any = model.__table__  # type: ignore[union-attr]
            query = select(table.c.id).where(table.c.upload_id == source)
            found[kind] = str(conn.execute(query).scalar_one())
    return found


def _check(world: World, request_id: str, kind: str) -> None:
    world.run(
        "request.check",
        world.people["bank-a-officer-maker"],
        request_id=request_id,
        kind=kind,
        result="CLEAR",
        evidence="seen in the secret file",
    )


def _over_advance(world: World, advance_id: str) -> str:
    """Store an over-advance that the reserve has cured, as a credit note leaves it."""
    table: Any = Advance.__table__  # type: ignore[attr-defined]
    with world.platform.db.writer.begin() as conn:
        advance = conn.execute(select(table).where(table.c.id == advance_id)).one()
        row = OverAdvance(
            id=new_id(),
            advance_id=advance.id,
            invoice_id=advance.invoice_id,
            seller_id=advance.seller_id,
            financier_id=advance.financier_id,
            currency=advance.currency,
            amount_minor=100,
            cause="credit_note",
            cause_id=new_id(),
            reserve_minor=100,
            repurchase_minor=0,
            open_minor=0,
            cure="none",
            state="CURED",
            on_date=NOON.date(),
            closed_on=NOON.date(),
            command_id=new_id(),
            opened_at=NOON,
        )
        conn.execute(insert(OverAdvance.__table__), row.model_dump())  # type: ignore[attr-defined]
    return str(row.id)


def _provision(world: World, advance_id: str) -> str:
    """Store what a close of the day sets aside for an advance, and an officer's proposal."""
    financier = world.firms["bank-a"]
    stands = LossAllowance(
        id=advance_id, financier_id=financier, currency="EUR", stage=1, since_on=NOON.date(),
        reason="PERFORMING", allowance_minor=100, exposure_minor=10_000, penalty_off_minor=0,
        days_past_due=0, start_pd="0.02", pd="0.02", lgd="0.45", number=1,
        measured_on=NOON.date(), assessment_id=None, specific_minor=None,
    )  # fmt: skip
    proposal = ImpairmentProposal(
        id=new_id(), advance_id=advance_id, financier_id=financier, kind="allowance",
        state="PROPOSED", currency="EUR", amount_minor=500, ground="default", note="seen it",
        proposed_by=world.people["bank-a-officer-maker"].user_id, proposed_on=NOON.date(),
        proposed_at=NOON, decided_by=None, decided_on=None, decided_at=None, answer=None,
    )  # fmt: skip
    with world.platform.db.writer.begin() as conn:
        conn.execute(insert(LossAllowance.__table__), stands.model_dump())  # type: ignore[attr-defined]
        conn.execute(insert(PROPOSAL), proposal.model_dump())
    return str(proposal.id)


def _in_the_books(world: World) -> dict[str, str]:
    """Name an entry of the anchor's book, its acceptance, and an account that it opened."""
    with world.platform.db.snapshot() as conn:
        row = conn.execute(
            select(Posting.__table__.c.entry_id, Account.__table__.c.code)  # type: ignore[attr-defined]
            .join(Account.__table__, Account.__table__.c.id == Posting.__table__.c.account_id)  # type: ignore[attr-defined]
            .where(Account.__table__.c.org_id == world.firms["anchor-x"])  # type: ignore[attr-defined]
            .order_by(Account.__table__.c.code)  # type: ignore[attr-defined]
        ).first()
    assert row is not None
    return {"ledger_entry": row.entry_id, "ledger_account": row.code}


def _taxes(world: World, invoice_id: str) -> dict[str, str]:
    maker = world.people["bank-a-officer-maker"]
    with world.platform.db.writer.begin() as conn:
        return store_answers(conn, invoice_id, maker, world.firms["supplier-x"])


def _decision(world: World) -> str:
    table: Any = Decision.__table__  # type: ignore[attr-defined]
    with world.platform.db.snapshot() as conn:
        return str(conn.execute(select(table.c.id).order_by(table.c.step)).scalars().first())


def _looked_at(world: World, request_id: str) -> dict[str, str]:
    """Store a counter-offer that was made once, and a review that was drawn."""
    offers: Any = CounterOffer.__table__  # type: ignore[attr-defined]
    reviews: Any = RequestReview.__table__  # type: ignore[attr-defined]
    offer = {
        "id": new_id(), "request_id": request_id, "round": 9, "state": "OPEN", "currency": "EUR",
        "face_minor": 2, "discount_minor": 1, "fee_minor": 0, "net_minor": 1, "all_in_ppm": 0,
        "effective_ppm": 0, "lines": [], "signed_digest": "d", "valid_until": NOON,
        "made_at": NOON,
    }  # fmt: skip
    drawn = {
        "id": new_id(), "request_id": request_id, "financier_id": world.firms["bank-a"],
        "state": "OPEN", "drawn_at": NOON,
    }  # fmt: skip
    with world.platform.db.writer.begin() as conn:
        conn.execute(insert(offers), offer)
        conn.execute(insert(reviews), drawn)
    return {"counter_offer": str(offer["id"]), "review": str(drawn["id"])}


def _suspicion(world: World, invoice_id: str) -> str:
    """Store that the invoice looks like one that is void by now, which stops nothing."""
    invoices: Any = Invoice.__table__  # type: ignore[attr-defined]
    with world.platform.db.writer.begin() as conn:
        row = conn.execute(select(invoices).where(invoices.c.id == invoice_id)).one()
        twin = row._asdict() | {"id": new_id(), "document_state": "VOID", "version": 1}
        conn.execute(insert(invoices), twin)
        found = {
            "id": new_id(), "invoice_id": invoice_id, "twin_id": twin["id"],
            "seller_id": row.seller_id, "buyer_id": row.buyer_id, "code": "SAME_ORDER",
            "facts": {"days": 0, "difference_minor": 0, "same_order": True, "same_lines": True},
            "found_at": NOON,
        }  # fmt: skip
        conn.execute(insert(DuplicateSuspicion.__table__), found)  # type: ignore[attr-defined]
    return str(found["id"])


def _money_in(world: World) -> dict[str, str]:
    """Let money come in that nobody can place."""
    with tempfile.TemporaryDirectory() as folder:
        _name, data = bank.receive(
            from_name="Somebody Else",
            from_account="DE02500105170137075030",
            to_account=IBANS["bank-a"],
            amount_minor=12_345,
            currency="EUR",
            reference="for the last time",
            on=NOON.date(),
            state_dir=Path(folder),
        )
    statements.read_file(world.platform, world.people["bank-a-officer-maker"], data, "camt.xml")
    table: Any = BankEntry.__table__  # type: ignore[attr-defined]
    with world.platform.db.snapshot() as conn:
        row = conn.execute(select(table.c.id, table.c.statement_id)).one()
    paper = (
        "payer,number,reference,paid_on,currency,item,gross,deduction,reason,paper,net\n"
        f"{world.firms['anchor-x']},RA-1,PAY-1,2026-03-10,EUR,INV-1,999.99,,,,999.99\n"
    )
    officer = world.people["bank-a-officer-maker"]
    kept = handing.hand_in(world.platform, officer, paper.encode(), "advice.csv")
    return {
        "bank_entry": row.id,
        "bank_statement": row.statement_id,
        "advice_paper": kept["advice_id"],
    }


def _paper(world: World, upload: str) -> dict[str, str]:
    """Store a receipt advice, a credit note and a message that set nothing off."""
    uploads: Any = Upload.__table__  # type: ignore[attr-defined]
    with world.platform.db.writer.begin() as conn:
        original = conn.execute(
            select(uploads.c.original_id).where(uploads.c.id == upload)
        ).scalar_one()
        common: dict[str, Any] = {
            "number": "X-1",
            "canonical_number": "X1",
            "seller_id": world.firms["supplier-x"],
            "buyer_id": world.firms["anchor-x"],
            "issue_on": NOON.date() - dt.timedelta(days=5),
            "currency": "EUR",
            "document_state": "VALIDATED",
            "parties": {},
            "org_id": world.firms["supplier-x"],
            "upload_id": upload,
            "original_id": original,
            "created_at": NOON,
        }
        receipt = Receipt(id=new_id(), duplicate_key=new_id(), lines=[], **common)
        note = CreditNote(
            id=new_id(),
            duplicate_key=new_id(),
            credit_state="UNLINKED",
            amount_minor=1_000,
            named_invoices=[],
            **common,
        )
        message = TradeMessage(
            id=new_id(),
            kind="remittance",
            duplicate_key=new_id(),
            lines=[],
            named_invoices=[],
            note="",
            **common,
        )
        pack = PackSize(
            id=new_id(),
            seller_id=world.firms["supplier-x"],
            buyer_id=world.firms["anchor-x"],
            item_key="seller:V-1",
            item="Valve",
            pack_unit="CT",
            unit="EA",
            per_pack_micro=12_000_000,
            user_id=new_id(),
            withdrawn_by=None,
            withdrawn_at=None,
            at=NOON,
        )
        for row in (receipt, note, message, pack):
            conn.execute(insert(type(row).__table__), row.model_dump())  # type: ignore[union-attr]
    return {"receipt": receipt.id, "credit_note": note.id, "trade_message": message.id,
            "pack": pack.id}  # fmt: skip


def _assessment(world: World) -> str:
    """Let the bank keep what it thinks of the seller."""
    bank_id = world.firms["bank-a"]
    known = {"kind": "expert_prior", "pd": 0.02, "pd_card": 0.02, "flags": [], "points": [],
             "floor_bound": False, "risk": {"own_hazard": 0.02, "total_hazard": 0.02}}  # fmt: skip
    one = Assessed(world.firms["supplier-x"], "C1", False, "{}", json.dumps(known), None)
    about = About("snapshot", NOON.date().isoformat(), 0, in_force().digest)
    world.run(
        "risk.assess",
        dataclasses.replace(OPERATOR, org_id=bank_id),
        snapshot_id="snapshot",
        slice="0",
        content=Batch(about, in_force(), [one]),
    )
    table: Any = RiskAssessment.__table__  # type: ignore[attr-defined]
    with world.platform.db.snapshot() as conn:
        return str(conn.execute(select(table.c.id)).scalar_one())


def _alarm(world: World) -> str:
    """Let a night find that the firms have moved."""
    bank_id = world.firms["bank-a"]
    far = Moved("score", 400_000, 100_000, "act")
    one = Watched("card:expert-1", "snapshot", NOON.date(), 9, 9, None, None, (far,))
    world.run(
        "risk.watch",
        dataclasses.replace(OPERATOR, org_id=bank_id),
        snapshot_id="snapshot",
        content=[one],
    )
    table: Any = ModelAlarm.__table__  # type: ignore[attr-defined]
    with world.platform.db.snapshot() as conn:
        return str(conn.execute(select(table.c.id)).scalar_one())


def _model(world: World) -> str:
    """Let the bank keep a trained model; nobody opens its file here."""
    card = {
        "target": "a failure within a year",
        "windows": [{"use": "train", "first_on": "2024-01-01", "last_on": "2025-01-01",
                     "rows": 90, "failures": 9}],
        "columns": [{"name": "late_share", "unit": "share", "sign": 1, "lowest": 0.0,
                     "highest": 1.0}],
        "settings": {"trees": "2"},
        "measures": {"auc": 0.7},
    }  # fmt: skip
    made = Trained(
        name="own-2026", kind="trained", file=b"a model", schema_hash="s", data_hash="d",
        card=json.dumps(card), tenths={"model": [[9, 0.4, 1]], "card": []},
        trained_on=NOON.date(),
    )  # fmt: skip
    who = world.people["bank-a-officer-maker"]
    found = world.run("model.register", who, file_digest=made.file_digest, content=made)
    return str(found["id"])


def _payment(world: World) -> str:
    """Give the payment that was ordered."""
    table = PaymentInstruction.__table__  # type: ignore[attr-defined]
    with world.platform.db.snapshot() as conn:
        return str(conn.execute(select(table.c.id)).scalar_one())
