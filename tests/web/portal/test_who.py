"""The pages on which a person says who a document means, and joins two records of one firm."""

from typing import Any

from scf.db.engine import Database
from scf.documents.identity.merging import consequences
from scf.kernel.actor import OPERATOR, Role
from scf.kernel.ids import new_id
from tests.documents import ubl
from tests.documents.trade import trade_on
from tests.support.served import Browser, Served, application


def test_who_a_paper_means_is_settled_on_a_page(db: Database) -> None:
    trade = trade_on(db)
    world = trade.world
    trade.invoices({"number": "A-1", "amount": "1.00"})  # the buyer knows the seller
    trade.hand_in(ubl.invoice("N-1", "500.00", seller="300000003"))
    served = Served(world, application(world))
    clerk = served.browser("clerk")
    listed = clerk.get("/who").get_data(as_text=True)
    assert "Seller Company" in listed
    assert "1 document waits" in clerk.get("/uploads/").get_data(as_text=True)
    (finding,) = [row for row in trade.findings() if row.code == "FIRM_UNKNOWN"]
    address = f"/who/{finding.id}"
    page = clerk.get(address).get_data(as_text=True)
    assert "The same name" in page
    token = clerk.form_token(address)
    for wrong in ({"choice": "", "reason": "why not"}, {"choice": "SENT_BACK", "reason": ""}):
        assert clerk.post(address, {"key": new_id(), **wrong}, token=token).status_code == 422
    seller = world.firms["seller"]
    answer = {"key": new_id(), "choice": f"KNOWN:{seller}", "reason": "our supplier list"}
    for _ in range(2):  # pressed twice, settled once
        assert clerk.post(address, answer, token=token).status_code == 303
    assert "Seller Company" not in clerk.get("/who").get_data(as_text=True)
    assert 'href="/who"' not in clerk.get("/uploads/").get_data(as_text=True)


def test_records_are_joined_and_parted_by_two_people(db: Database) -> None:
    trade = trade_on(db)
    world = trade.world
    served = Served(world, application(world))
    world.firm("bank", "financier")
    for short, role in (("maker", Role.OFFICER_MAKER), ("checker", Role.OFFICER_CHECKER)):
        world.person(short, "bank", role)
    twin = world.run("firm.add", world.people["maker"], name="Seller Company Ltd", country="DE")
    other = world.run("firm.add", OPERATOR, name="Seller Company", country="DE")
    maker, checker = served.browser("maker"), served.browser("checker")
    records = f"/officer/firms/{other['id']}/records"
    assert "Seller Company Ltd" in maker.get(records).get_data(as_text=True)
    shown = maker.get(f"{records}?with={twin['id']}").get_data(as_text=True)
    assert "What joining does" in shown
    assert "Propose joining them" in shown
    token = maker.form_token(records)
    asked = {"key": new_id(), "firm_id": twin["id"], "reason": "one register entry"}
    merge = f"/officer/firms/{other['id']}/merge"
    assert maker.post(merge, asked, token=token).status_code == 303
    assert f'href="{records}"' in checker.get("/officer/firms").get_data(as_text=True)
    waiting = checker.get(records).get_data(as_text=True)
    assert "Waits for a second person" in waiting
    shown = maker.get(f"{records}?with={twin['id']}").get_data(as_text=True)
    assert "Propose joining them" not in shown
    assert "This is proposed already" in shown
    merge_id = waiting.split('name="merge_id" value="')[1].split('"')[0]
    token = checker.form_token(records)
    word = {"key": new_id(), "merge_id": merge_id, "word": "yes", "reason": "seen it too"}
    done = checker.post(f"/officer/firms/{other['id']}/merge-word", word, token=token)
    assert done.status_code == 303
    assert "Records that this one stands for" in maker.get(records).get_data(as_text=True)
    with db.snapshot() as conn:
        left = consequences(conn, world.people["maker"], str(twin["id"]), str(other["id"]))
    assert {one.code for one in left.obstacles} == {"MERGED_ALREADY"}
    given_up = checker.get(f"/officer/firms/{twin['id']}").get_data(as_text=True)
    assert "Seller Company stands for this record" in given_up
    assert "Activate Seller Company Ltd" not in given_up  # it would be refused
    assert "Stands for</dt><dd>Seller Company Ltd" in page_of(checker, other)
    apart = {"key": new_id(), "firm_id": twin["id"], "reason": "two tax numbers"}
    token = maker.form_token(records)
    assert (
        maker.post(records.replace("/records", "/unmerge"), apart, token=token).status_code == 303
    )
    assert "Parting them waits for a second person" in maker.get(records).get_data(as_text=True)
    waiting = checker.get(records).get_data(as_text=True)
    word["merge_id"] = waiting.split('name="merge_id" value="')[1].split('"')[0]
    token = checker.form_token(records)
    parted = checker.post(
        f"/officer/firms/{other['id']}/merge-word", word | {"key": new_id()}, token=token
    )
    assert parted.status_code == 303
    assert "Activate Seller Company Ltd" in page_of(checker, twin)
    assert "Stands for</dt>" not in page_of(checker, other)


def page_of(browser: Browser, firm: dict[str, Any]) -> str:
    answer = browser.get(f"/officer/firms/{firm['id']}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)
