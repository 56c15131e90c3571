"""A large file is sent by the page's script slice by slice, and goes on after a cut."""

import hashlib

from scf.db.engine import Database
from scf.documents.transfers.rules import SLICE_BYTES
from tests.support.served import HOST
from tests.web.portal.anchor.world import Person, served

CONTENT = b"number;amount\n" * (SLICE_BYTES // 14 + 20_000)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_goes_on_where_it_was_and_then_waits_for_its_check(db: Database) -> None:
    clerk = Person(served(db), "clerk")
    clerk.get("/uploads/")
    known = {"name": "large.csv", "size": str(len(CONTENT)), "sha256": sha(CONTENT)}

    def ask(path: str, key: str, data: object) -> tuple[int, dict[str, object]]:
        sent = {"csrf_token": clerk.token(), "key": key, **data} if isinstance(data, dict) else data
        answer = clerk.browser.client.post(
            path,
            base_url=HOST,
            data=sent,
            headers={
                "Referer": f"{HOST}/uploads/",
                "Origin": HOST,
                "X-CSRFToken": clerk.token(),
            },
        )
        return answer.status_code, answer.get_json()

    def bring(state: dict[str, object], number: int, content: bytes) -> int:
        path = f"{state['bring']}?number={number}&sha256={sha(content)}"
        return ask(path, "", content)[0]

    _status, state = ask("/uploads/transfers", "k1", known)
    assert state["missing"] == [0, 1]
    assert bring(state, 0, CONTENT[:SLICE_BYTES]) == 200
    assert bring(state, 1, CONTENT[SLICE_BYTES:-1]) == 422
    status, told = ask(str(state["complete"]), "k1", {})
    assert (status, told) == (409, {"refused": "Slices of the file are missing."})
    page = clerk.get("/uploads/")
    assert "Not wholly here yet" in page
    assert f"{100 * SLICE_BYTES // len(CONTENT)} % is here" in page
    # Another page of the same person chooses the same file.
    _status, again = ask("/uploads/transfers", "k2", known)
    assert (again["id"], again["missing"]) == (state["id"], [1])
    assert again["received"] == SLICE_BYTES
    assert bring(again, 1, CONTENT[SLICE_BYTES:]) == 200
    _status, done = ask(str(again["complete"]), "k2", {})
    assert ask(str(again["complete"]), "k2", {})[1] == done  # pressed twice
    assert str(done["href"]).endswith("/check")
    page = clerk.get("/uploads/")
    assert "Not wholly here yet" not in page
    assert page.count("Waits for your check") == 1
