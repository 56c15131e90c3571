"""Pages that no link leads to: each stands behind a form, and is reached by sending it."""

import io
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import or_, select

from scf.financing.models import Advance
from scf.kernel.actor import OPERATOR, Role
from scf.notices.mail.commands import owner, with_code
from scf.parties.factors.vault import Vault
from scf.settlement.reminders.models import PaymentReminder
from tests.support.demo_world import DemoCopy
from tests.support.people import PASSWORD
from tests.support.served import KEY
from tests.web import signing
from tests.web.pages.walk import Walker, links
from tests.web.reminding import reminder_of

_REMINDER: Final[Any] = PaymentReminder.__table__  # type: ignore[attr-defined]
_ADVANCE: Final[Any] = Advance.__table__  # type: ignore[attr-defined]
SEARCHES: Final = ("/search", "/search?q=Valves", "/search?q=BV-2026")
NEWCOMER: Final = "newcomer@tributary.example"
TABLE: Final = (
    "Bill Number;Invoice Date;Due Date;Supplier VAT;Buyer VAT;Currency;Amount Due\n"
    "W-1;2026-03-10;2026-06-10;NL004495445B01;DE136695976;EUR;1200.50\n"
    "W-2;2026-03-10;10.13.2026;NL004495445B01;DE136695976;EUR;12.00.1\n"
)


def everything(demo: DemoCopy, person: str, of_each: int = 1) -> Walker:
    """Let a person open every page there is for the role."""
    walker = Walker(demo.served, person, of_each)
    (role,) = demo.served.world.people[person].roles
    prove_identity(walker)
    if role is Role.TREASURER:
        own_mailbox(walker)
    walker.walk()
    for address in SEARCHES:
        walker.page(address)
    for step in (*OF_EVERYBODY, *OF_ROLE.get(role, ())):
        step(walker)
    for rule in walker.missing:
        if "<" not in rule:
            walker.open(rule)
    for address, status in (("/nowhere", 404), (_of_others(role), 403)):
        walker.page(address, status)
    return walker


def at_the_gate(demo: DemoCopy) -> list[Walker]:
    """Let somebody come in: the door, the code, the lost phone, the first sign-in."""
    outside = Walker(demo.served)
    outside.page("/sign-in")
    outside.page("/nowhere", 404)
    known = Walker(demo.served)
    mira = demo.sign_ins["mira"]
    known.press(
        known.page("/sign-in"), "/sign-in", {"email": mira["email"], "password": mira["password"]}
    )
    known.page("/sign-in/recovery")
    world = demo.served.world
    world.run(
        "user.add",
        OPERATOR,
        email=NEWCOMER,
        name="Nele Wester",
        org_id=world.people["mira"].org_id,
        roles=[Role.TREASURER],
        password=PASSWORD,
    )
    fresh = Walker(demo.served)
    fresh.press(fresh.page("/sign-in"), "/sign-in", {"email": NEWCOMER, "password": PASSWORD})
    return [outside, known, fresh]


def prove_identity(walker: Walker) -> None:
    """Send a form that wants a fresh proof, prove identity, and be offered the form again."""
    asked = walker.press(walker.page("/account"), "/account/recovery-codes")
    assert asked.rule == "/account/confirm"
    signed = signing.signature(walker.served, walker.person)
    offered = walker.press(asked, "/account/confirm", signed)
    assert offered.rule == "/sign-in/resume"


def own_mailbox(walker: Walker) -> None:
    """Confirm the own mailbox, so that there is something to choose for it."""
    world, vault = walker.served.world, Vault(KEY.encode())
    who = world.people[walker.person]
    asked = with_code(vault, who, language="en", zone="UTC")
    world.run("mail.ask", who, **asked)
    code = vault.open(asked["sealed"], owner(who.user_id))
    world.run("mail.confirm", who, code=code)


def notice_by_mail(walker: Walker) -> None:
    """Come from an e-mail: its link leads to what the notice is about."""
    actions = (form.get("action") for form in walker.page("/notices").tree.forms)
    opens = next(action for action in actions if action.endswith("/open"))
    walker.open(opens.removesuffix("/open"))


def own_factors(walker: Walker) -> None:
    """Begin to replace the authenticator, and see fresh recovery codes."""
    account = walker.page("/account")
    walker.press(account, "/account/authenticator/begin")
    walker.press(account, "/account/recovery-codes")


def files_handed_in(walker: Walker) -> None:
    """Hand in a table with a bad row, one that waits for a word, and one that nobody can read."""
    table, picture = TABLE.encode(), b"\x89PNG\r\n\x1a\n"
    for name, content in (("bills.csv", table), ("more.csv", table + b" "), ("bills.xml", picture)):
        file = {"file": (io.BytesIO(content), name)}
        check = walker.press(walker.page("/uploads/"), "/uploads/", file)
        assert check.rule == "/uploads/<upload_id>/check"
        if name == "bills.csv":
            start = check.address.replace("/check", "/start")
            walker.follow(walker.press(check, start))


def offer(walker: Walker) -> None:
    """Ask for the money of the ready invoices."""
    walker.press(walker.page("/treasurer/"), "/treasurer/offer")


def acceptance(walker: Walker) -> None:
    """Choose every invoice of the list, to say one word about them."""
    chosen = walker.page("/anchor/acceptances")
    walker.press(chosen, "/anchor/acceptances/review", {"all": "1"})


def another_price(walker: Walker) -> None:
    """Ask in a case what another price would do."""
    rule = "/officer/cases/<request_id>"
    case = next(one.address for one in walker.sights if one.rule == rule)
    case = case.partition("?")[0]
    walker.page(f"{case}/price")
    walker.page(f"{case}/price?bp=10")


def another_grade(walker: Walker) -> None:
    """Ask on a trader's page what another grade would do."""
    of_firms = (address for one in list(walker.sights) for address in links(one)
                if walker.rule_of(address) == "/officer/firms/<firm_id>")  # fmt: skip
    for address in of_firms:
        graded = [one for one in links(walker.page(address)) if one.endswith("/grade")]
        if graded:
            walker.page(graded[0])
            walker.page(f"{graded[0]}?notches=1")
            return


def own_entry(walker: Walker) -> None:
    """Read the cash of all the years, and one entry of it."""
    account = next(one for one in links(walker.page("/books/")) if "/accounts/cash" in one)
    walker.follow(walker.page(f"{account.partition('?')[0]}?from=2020-01-01"))


def reminded(walker: Walker) -> None:
    """Read a reminder; a seller gets one only after a silent assignment, which the world lacks."""
    world = walker.served.world
    org_id = world.people[walker.person].org_id
    with world.platform.db.snapshot() as conn:
        sides = or_(_REMINDER.c.payer_id == org_id, _REMINDER.c.financier_id == org_id)
        known = conn.execute(select(_REMINDER.c.id).where(sides).limit(1)).scalar()
        sold = select(_ADVANCE.c.id).where(_ADVANCE.c.seller_id == org_id).limit(1)
        advance_id = str(conn.execute(sold).scalar())
    walker.follow(walker.page(f"/reminders/{known or reminder_of(world, advance_id, to=org_id)}"))


def webhook(walker: Walker) -> None:
    """Name an address for events."""
    event = {"url": "https://erp.example.com/events", "events": "over_advance.opened"}
    if walker.person == "adam":
        event["events"] = "day.closed"
    walker.press(walker.page("/connections/webhooks/new"), "/connections/webhooks", event)
    address = next(one for one in links(walker.page("/connections/")) if "/webhooks/0" in one)
    walker.page(address)


def channel(walker: Walker) -> None:
    """Open a drop folder."""
    new = walker.page("/connections/channels/new")
    walker.press(new, "/connections/channels", {"name": "ERP"})


def erp(walker: Walker) -> None:
    """Connect an ERP, and a shop."""
    asked = {"username": "scf", "password": "a word"}
    tryton = asked | {"name": "Tryton", "url": "https://erp.example.com/", "database": "company"}
    walker.press(walker.page("/connections/erp/new"), "/connections/erp", tryton)
    shop = asked | {"name": "Shop", "url": "https://shop.example.com/api/"}
    walker.press(walker.page("/connections/erp/new?kind=OSCAR"), "/connections/erp", shop)
    for address in [one for one in links(walker.page("/connections/")) if "/erp/0" in one]:
        walker.page(address)


OF_EVERYBODY: Final = (notice_by_mail, own_factors)
OF_ROLE: Final[dict[Role, tuple[Callable[[Walker], None], ...]]] = {
    Role.TREASURER: (offer, files_handed_in, webhook, channel, erp, own_entry, reminded),
    Role.ADMINISTRATOR: (webhook,),
    Role.ANCHOR_CLERK: (files_handed_in,),
    Role.ANCHOR_APPROVER: (acceptance, files_handed_in, webhook, channel, erp),
    **dict.fromkeys(
        (Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE),
        (another_price, another_grade, reminded),
    ),
}


def _of_others(role: Role) -> str:
    """Name a page that is not for this role."""
    return "/officer/queue" if role is Role.TREASURER else "/treasurer/"
