"""Signing in through the real steps, and signing an act: the one way in which tests do it.

The clock of a test stands still, so a person has three codes at any moment (the present step and
its neighbours); when all are used, the clock moves on by one step, as a person waits.
"""

from scf.parties.factors import codes, proof
from scf.parties.factors.vault import Vault
from tests.support.people import PASSWORD
from tests.support.served import KEY, Browser, Served


def enrol(served: Served, person: str) -> str:
    """Give a person an authenticator, once, by the product's own command; gives its secret."""
    world = served.world
    if person not in world.authenticators:
        actor, secret = world.people[person], codes.new_secret()
        sealed = Vault(KEY.encode()).seal(secret, actor.user_id)
        world.run("factor.enrol", actor, sealed=sealed)
        world.authenticators[person] = secret
    return world.authenticators[person]


def code(served: Served, person: str) -> str:
    """Give the next code of a person that was not used."""
    world, secret = served.world, enrol(served, person)
    with world.platform.db.snapshot() as conn:
        used = proof.used_steps(conn, world.people[person].user_id)
    step = codes.next_unused(world.clock.now(), used)
    if step is None:
        world.clock.advance(seconds=codes.STEP_SECONDS)
        return code(served, person)
    return codes.code_of(secret, step)


def signature(served: Served, person: str) -> dict[str, str]:
    """Give the fields by which a person signs an act in a form of the portal."""
    return {"code": code(served, person)}


def email_of(served: Served, person: str) -> str:
    """Give the address by which a person of the test's world signs in."""
    world = served.world
    org_id = world.people[person].org_id
    firm = next(short for short, firm_id in world.firms.items() if firm_id == org_id)
    return f"{person}@{firm}.example"


def sign_in(served: Served, person: str, browser: Browser | None = None) -> Browser:
    """Sign a person in by password and code, as a person does, and give the browser."""
    enrol(served, person)
    browser = browser or served.browser()
    answer = browser.sign_in(email_of(served, person), PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in/code")
    answer = browser.post("/sign-in/code", signature(served, person))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return browser
