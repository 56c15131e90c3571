"""Who a document means, and records of one firm, as programs settle them."""

from typing import Any

from scf.db.engine import Database
from scf.kernel.actor import OPERATOR, Role
from tests.documents import ubl
from tests.documents.trade import trade_on
from tests.support.served import Served, application


def test_a_case_is_settled_and_records_are_joined_by_programs(db: Database) -> None:
    trade = trade_on(db)
    world = trade.world
    trade.invoices({"number": "A-1", "amount": "1.00"})  # the buyer knows the seller
    trade.hand_in(ubl.invoice("N-1", "500.00", seller="300000003"))
    trade.hand_in(ubl.invoice("N-2", "600.00", seller="300000004"))
    world.firm("bank", "financier")
    for short, role in (("maker", Role.OFFICER_MAKER), ("checker", Role.OFFICER_CHECKER)):
        world.person(short, "bank", role)
    served = Served(world, application(world))

    def say(person: str, method: str, path: str, status: int = 200, **how: Any) -> Any:  # noqa: ANN401
        answer = served.api(person, method, path, **how)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json()

    for person in ("clerk", "maker", "checker"):
        world.token(person)
    first = say("clerk", "GET", "/identity-cases?limit=1")
    rest = say("clerk", "GET", f"/identity-cases?limit=1&cursor={first['next_cursor']}")
    (case,), (other,) = first["items"], rest["items"]
    assert (case["name"], case["documents"], rest["next_cursor"]) == ("Seller Company", 1, "")
    assert other["id"] != case["id"]
    shown = say("clerk", "GET", f"/identity-cases/{case['id']}")
    assert shown["candidates"][0]["firm_id"] == world.firms["seller"]
    assert "NAME_SAME" in {part["code"] for part in shown["candidates"][0]["parts"]}
    word = {"outcome": "KNOWN", "firm_id": world.firms["seller"], "reason": "our supplier list"}
    decide = f"/identity-cases/{case['id']}/decide"
    for _ in range(2):  # sent twice under one key, settled once
        settled = say("clerk", "POST", decide, json=word, key="one")
        assert settled["firm_id"] == world.firms["seller"]
    assert say("clerk", "POST", decide, 422, json=word, key="two")["code"] == "IDENTITY_SETTLED"
    assert [one["id"] for one in say("clerk", "GET", "/identity-cases")["items"]] == [other["id"]]

    twin = world.run("firm.add", OPERATOR, name="Twin Works Ltd", country="DE")["id"]
    stays = world.run("firm.add", OPERATOR, name="Twin Works", country="DE")["id"]
    effect = say("maker", "GET", f"/firms/{twin}/merge-effect/{stays}")
    assert (effect["obstacles"], effect["points"] > 0) == ([], True)
    (obstacle,) = say("maker", "GET", f"/firms/{twin}/merge-effect/{twin}")["obstacles"]
    assert obstacle["code"] == "MERGE_SAME"
    proposal = {"firm_id": twin, "survivor_id": stays, "reason": "one register entry"}
    merge = say("maker", "POST", "/firm-merges", 201, json=proposal)
    act, yes = f"/firm-merges/{merge['id']}/decide", {"confirm": True, "reason": "seen it too"}
    assert say("maker", "POST", act, 422, json=yes, key="own")["code"] == "SAME_PERSON"
    assert say("checker", "POST", act, json=yes)["state"] == "DONE"
    (done,) = say("checker", "GET", "/firm-merges?state=DONE")["items"]
    assert done == say("maker", "GET", f"/firm-merges/{merge['id']}")
    parting = {"reason": "two owners after all"}
    assert say("maker", "POST", f"/firms/{twin}/unmerge", 201, json=parting)["kind"] == "UNMERGE"
