"""The second financier of the demo world: its own people, one anchor that deals with the first too.

It comes last and small: a contract programme, a few merchants, two pay-outs of today, and a request
that waits. What the first bank finances it cannot, and neither reads a line of the other's books.
"""

import secrets
from typing import Any, Final

from schwifty import IBAN
from stdnum import luhn

from scf.demo import cast, enrol, registry, world
from scf.demo.story import Story
from scf.demo.taxoffice import TaxOffice, facts_of
from scf.demo.trade import CURRENCY, Paper
from scf.documents.taxcheck import asking
from scf.financing.taxwatch import watching
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.parties.factors.vault import Vault

LEI: Final = "529900T8BM49AURSDO55"
PEOPLE: Final = (
    ("nils", "Nils Aas", Role.OFFICER_MAKER),
    ("petra", "Petra Koch", Role.OFFICER_CHECKER),
    ("vera", "Vera Sand", Role.HEAD_OFFICE),
    ("ivan", "Ivan Brod", Role.ADMINISTRATOR),
)
PAID, WAITING = 2, 2  # requests that are paid out today, and that are left with the officers
_CODE: Final = "northgate-kestrel"
_ASKS_TAX: Final = (
    'match_mode = "none"',
    'match_mode = "none"\ntax_check = "full"\ntax_scheme = "sdi"',
)


def comes(
    story: Story, content: str, papers: list[Paper], vault: Vault | None, office: TaxOffice
) -> None:
    """Let the second bank open its books, sign with the marketplace, and finance some merchants.

    Parameters
    ----------
    content
        Its programme file, in the world's currency alone.
    papers
        Accepted invoices that nobody finances, in the order in which they are wished for.
    office
        Where the merchants report their invoices: this bank asks before it pays, and each week.
    """
    mine = [paper for paper in papers if paper.buyer.name == cast.MARKETPLACE]
    firm_id = _founded(story)
    first, story.staff = story.staff, _people(story, firm_id, vault)
    sellers = list(dict.fromkeys(paper.seller.name for paper in mine))[: PAID + WAITING]
    programme_id = _programme(story, content.replace(*_ASKS_TAX))
    wished = [next(one for one in mine if one.seller.name == name) for name in sellers]
    _report(story, office, wished)
    shared = registry.joined(story, first[Role.ADMINISTRATOR], story.staff[Role.ADMINISTRATOR])
    if shared:
        registry.pledged(story, wished[-1])
    _accounts(story, sellers, firm_id)
    _limits(story, programme_id, sellers, firm_id)
    for place, paper in enumerate(wished):
        request = story.ask(paper, decide=False, programme_id=programme_id)
        if request is not None and place < PAID:
            story.decide(request)
        elif request is not None and place == PAID:
            story.decide(request, second=False)
    story.pay_out()
    # Voided once the money was out: somebody at the bank has to see to it.
    office.void(wished[0].number)
    watching.refresh(story.platform, [story.ids[wished[0].number]], "payout")
    story.staff = first


def _report(story: Story, office: TaxOffice, papers: list[Paper]) -> None:
    """Let merchants take a tax number and report their invoices, and the office answer for them."""
    for place, paper in enumerate(papers):
        digits = f"{743_110 + place * 97:07d}015"
        vat = f"IT{digits}{luhn.calc_check_digit(digits)}"
        story.run(
            "firm.identify",
            {
                "firm_id": story.firms[paper.seller.name],
                "identifiers": [{"scheme": "vat", "value": vat}],
            },
            OPERATOR,
        )
    with story.platform.db.snapshot() as conn:
        rows = asking.invoices_of(conn, [story.ids[paper.number] for paper in papers])
        asks = asking.asks_for(conn, rows, "sdi")
    office.register([facts_of(ask) for ask in asks.values()])
    story.asks(office)


def _founded(story: Story) -> str:
    made = story.run(
        "firm.add",
        {
            "name": cast.SECOND_FINANCIER, "country": "DE", "kind": "financier",
            "identifiers": [{"scheme": "lei", "value": LEI}],
        },
        OPERATOR,
    )  # fmt: skip
    evidence = {"firm_id": made["id"], "evidence": "part of the demo world"}
    story.run("firm.activate", evidence, OPERATOR)
    story.run("day.open", {"financier_id": made["id"], "on": story.today}, OPERATOR)
    return str(made["id"])


def _people(story: Story, firm_id: str, vault: Vault | None) -> dict[Role, Actor]:
    staff: dict[Role, Actor] = {}
    for word, name, role in PEOPLE:
        email, password = f"{word}@{world.DOMAIN}", secrets.token_urlsafe(12)
        made = story.run(
            "user.add",
            {
                "email": email, "name": name, "org_id": firm_id, "roles": [role.value],
                "password": password,
            },
            OPERATOR,
        )  # fmt: skip
        staff[role] = Actor(made["id"], firm_id, frozenset({role}), name)
        story.sign_ins.append(
            {
                "role": role.value, "organisation": cast.SECOND_FINANCIER, "email": email,
                "password": password,
            }
        )  # fmt: skip
    if vault is not None:
        enrol.everybody(story.platform, staff.values(), vault)
    return staff


def _programme(story: Story, content: str) -> str:
    maker, checker = story.staff[Role.OFFICER_MAKER], story.staff[Role.OFFICER_CHECKER]
    loaded = story.run(
        "programme.load",
        {
            "content": content.replace('code = "payables-finance"', f'code = "{_CODE}"'),
            "anchor_id": story.firms[cast.MARKETPLACE], "effective_on": story.today,
        },
        maker,
    )  # fmt: skip
    story.run("programme.activate", {"programme_id": loaded["id"]}, checker)
    fixing = story.run(
        "fixing.add",
        {"benchmark": "EURIBOR-3M", "fixed_on": story.today, "percent": world.EXAMPLE_FIXING},
        maker,
    )
    read = {"fixing_id": fixing["id"], "percent": world.EXAMPLE_FIXING}
    story.run("fixing.confirm", read, checker)
    return str(loaded["id"])


def _accounts(story: Story, sellers: list[str], firm_id: str) -> None:
    """Each bank verifies for itself where it pays to; it sees no record of the other's."""
    own = str(IBAN.generate("DE", "12030000", "0000202099"))
    known = [(story.firms[name], name, story.cast.firms[name].iban) for name in sellers]
    for owner, holder, iban in [(firm_id, cast.SECOND_FINANCIER, own), *known]:
        account: dict[str, Any] = {
            "firm_id": owner, "iban": iban, "currency": CURRENCY, "holder": holder,
        }  # fmt: skip
        added = story.run("account.add", account, story.staff[Role.OFFICER_MAKER])
        story.run(
            "account.verify",
            {"account_id": added["id"], "evidence": "called back on a known number"},
            story.staff[Role.OFFICER_CHECKER],
        )


def _limits(story: Story, programme_id: str, sellers: list[str], firm_id: str) -> None:
    nodes = [
        ("financier", firm_id, 200_000_000),
        ("programme", programme_id, 100_000_000),
        ("obligor", story.firms[cast.MARKETPLACE], 100_000_000),
        *(("seller", story.firms[name], 50_000_000) for name in sellers),
    ]
    proposed = [
        story.run(
            "limit.set",
            {"kind": kind, "subject_id": subject, "currency": CURRENCY, "limit_minor": limit},
            story.staff[Role.OFFICER_MAKER],
        )
        for kind, subject, limit in nodes
    ]
    items = world.to_grant(proposed)
    story.run("limit.confirm", {"items": items}, story.staff[Role.OFFICER_CHECKER])
