"""The demo world: eighteen months of three chains, lived through the platform's own commands.

The clock of the platform stands on each past day while that day is lived, so that what was known
when is as true as in a real bank's books. Nothing here writes a table. Same seed, same day: the
same world.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from scf.db.platform import Platform
from scf.demo import astray, cast, copies, enrol, misfits, names, second, sheets, trade, world
from scf.demo.story import Story
from scf.demo.taxoffice import TaxOffice
from scf.demo.trade import CURRENCY, Month, Paper
from scf.documents import rules
from scf.documents.models import Invoice
from scf.financing.models import FinancingRequest
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.clock import FixedClock
from scf.kernel.errors import Conflict
from scf.parties.factors.vault import Vault
from scf.parties.mark import begun
from scf.settlement import day

SEED: Final = 20261122
MONTHS: Final = 18
MONTHS_OF_FINANCE: Final = 7  # the bank comes later than the trade
SMALL_FIRMS_TELL_EVERY: Final = 3  # months; the anchors hand in their papers every month
ADVANCES_A_MONTH: Final = 8
WAITING: Final = 7  # requests that are left with the officers
PIECE: Final = 50
_invoice = Invoice.__table__  # type: ignore[attr-defined]
_request = FinancingRequest.__table__  # type: ignore[attr-defined]


def ensure(
    platform: Platform,
    clock: FixedClock,
    today: dt.date,
    users_file: Path,
    bank_folder: Path,
    vault: Vault | None = None,
    months: int = MONTHS,
) -> world.World:
    """Make the whole demo world as it stands on the morning of ``today``.

    The platform must run on ``clock``, which is moved through the past and left at the present.

    Raises
    ------
    Conflict
        ``DEMO_DATE`` and ``DEMO_UNFINISHED`` when another world is there: reset it first.
    """
    there = world.standing(platform, today, users_file)
    if there is not None:
        return there
    with platform.db.snapshot() as conn:
        if begun(conn):
            raise Conflict(
                "DEMO_UNFINISHED",
                "A demo world was begun here and not finished: add --reset to start again.",
            )
    now = clock.now()
    first = _months_before(today, months)
    _put(clock, _morning(first))
    story = _History(platform, clock, today, cast.make(SEED), bank_folder)
    story.latest = max(now, _morning(first))
    story.firms_join()
    lived = trade.history(story.cast, SEED + 1, first, today)
    story.months_pass(lived[:-MONTHS_OF_FINANCE])
    story.bank_comes(users_file, vault)
    story.months_pass(lived[-MONTHS_OF_FINANCE:])
    story.things_wait()
    office = TaxOffice(users_file.parent / "demo-tax.json", clock)
    second.comes(
        story, _only(_file("payables-finance"), CURRENCY), story.free_papers(), vault, office
    )
    copies.come(story, story.free_papers())
    names.come(story)
    misfits.come(story)
    astray.come(story)
    story.night()
    return world.keep(users_file, today, story.sign_ins)


def _months_before(day: dt.date, months: int) -> dt.date:
    total = day.year * 12 + day.month - 1 - months
    return dt.date(total // 12, total % 12 + 1, 1)


def _morning(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(7), dt.UTC)


def _put(clock: FixedClock, at: dt.datetime) -> None:
    clock.advance(at - clock.now())


def _file(code: str) -> str:
    return world.programme_file(code)


class _History(Story):
    """What happens in the demo world, month by month, and what is left to do."""

    # --- Firms, people, programmes

    def firms_join(self) -> None:
        """Every firm joins the platform, with a person who keeps its books there."""
        self.firms = world.firms_join(self.builder)
        for firm in self.cast.firms.values():
            number = [{"scheme": "duns", "value": firm.duns}]
            if firm.name in self.firms:
                known = {"firm_id": self.firms[firm.name], "identifiers": number}
                self.run("firm.identify", known, OPERATOR)
            else:
                made = self.run(
                    "firm.add",
                    {"name": firm.name, "country": firm.country, "identifiers": number},
                    OPERATOR,
                )
                self.firms[firm.name] = made["id"]
                evidence = {"firm_id": made["id"], "evidence": "register and papers looked up"}
                self.run("firm.activate", evidence, OPERATOR)
            self._person(firm)

    def bank_comes(self, users_file: Path, vault: Vault | None) -> None:
        """The bank opens its books, learns what it can of everybody, and sets its limits."""
        start = world.start(
            self.platform, self.clock.now().date(), users_file, vault, "payables-finance-by-risk"
        )
        self.sign_ins = [*start.sign_ins, *self.sign_ins]
        self.staff = dict(start.people)
        if vault is not None:
            enrol.everybody(self.platform, self.people.values(), vault)
        for firm in self.cast.firms.values():
            if firm.name not in world.FIRMS:
                self._account(firm)
            self._what_is_known(firm)
        for name in (cast.MARKETPLACE, cast.SHIPPER):
            self._programme_of(name)
        proposed = [
            self.run(
                "limit.set",
                {"kind": kind, "subject_id": subject, "currency": CURRENCY, "limit_minor": limit},
                self.staff[Role.OFFICER_MAKER],
            )
            for kind, subject, limit in self._limits()
        ]
        items = world.to_grant(proposed)
        self.run("limit.confirm", {"items": items}, self.staff[Role.OFFICER_CHECKER])

    def _account(self, firm: cast.Actor) -> None:
        added = self.run(
            "account.add",
            {
                "firm_id": self.firms[firm.name], "iban": firm.iban, "currency": CURRENCY,
                "holder": firm.name,
            },
            self.staff[Role.OFFICER_MAKER],
        )  # fmt: skip
        self.run(
            "account.verify",
            {"account_id": added["id"], "evidence": "called back on a known number"},
            self.staff[Role.OFFICER_CHECKER],
        )

    def _person(self, firm: cast.Actor) -> None:
        roles = [Role.TREASURER, Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER]
        word = "".join(letter for letter in firm.name.lower() if letter.isalnum())
        email, password = f"books@{word}.{world.DOMAIN}", world.new_password()
        made = self.run(
            "user.add",
            {
                "email": email, "name": f"{firm.name}, books", "org_id": self.firms[firm.name],
                "roles": [role.value for role in roles], "password": password,
            },
            OPERATOR,
        )  # fmt: skip
        self.people[firm.name] = Actor(
            made["id"], self.firms[firm.name], frozenset(roles), firm.name
        )
        if firm.part == "anchor" or firm.name == world.SUPPLIER:
            return
        self.sign_ins.append(
            {"role": "treasurer", "organisation": firm.name, "email": email, "password": password}
        )

    def _what_is_known(self, firm: cast.Actor) -> None:
        today = self.clock.now().date()
        year = today.year - 1
        common = {"firm_id": self.firms[firm.name], "evidence": "annual accounts, as filed"}
        facts: list[dict[str, Any]] = [
            {"kind": "registry", "founded_on": dt.date(firm.founded, 3, 1)},
            {
                "kind": "statement", "period_end_on": dt.date(year, 12, 31),
                "received_on": today - dt.timedelta(days=20), "currency": CURRENCY,
                "revenue_minor": firm.revenue * 100, "equity_ppm": firm.equity_ppm,
                "liquidity_minor": firm.revenue * 100 // 14,
                "weekly_cost_minor": firm.revenue * 100 // 55,
            },
        ]  # fmt: skip
        if firm.part == "anchor":
            facts.append(
                {"kind": "rating", "pd_ppm": 1_500, "valid_to": self.today + dt.timedelta(days=200)}
            )
        for fact in facts:
            added = self.run("firm.fact", {**common, **fact}, self.staff[Role.OFFICER_MAKER])
            if added["waits_for_second"]:
                self.run(
                    "firm.fact.confirm", {"fact_id": added["id"]}, self.staff[Role.OFFICER_CHECKER]
                )

    def _programme_of(self, anchor: str) -> None:
        """Open a programme within which the policy decides on small requests by itself."""
        word = anchor.split(maxsplit=1)[0].lower()
        content = (
            _file("payables-finance-by-risk")
            .replace('code = "payables-finance-by-risk"', f'code = "{word}-suppliers"')
            .replace('name = "Payables finance, priced by risk"', f'name = "{anchor}: early pay"')
            .replace(
                'checks_before_decision = ["duplicate", "screening", "tax_status", "title_search"]',
                'checks_before_decision = ["duplicate"]',
            )
            .replace(
                'checks_before_payout = ["e_signature", "registration", "recheck"]',
                'checks_before_payout = ["e_signature"]',
            )
        )
        content = _only(content, CURRENCY).replace('approval = "four_eyes"\n', "")
        content += (
            '\n[[terms.approval.EUR]]\nup_to = "50000.00"\nauto = true\npeople = 1\n'
            '[[terms.approval.EUR]]\nup_to = "250000.00"\npeople = 1\n'
            "[[terms.approval.EUR]]\npeople = 2\n"
        )
        loaded = self.run(
            "programme.load",
            {
                "content": content, "anchor_id": self.firms[anchor],
                "effective_on": self.clock.now().date(),
            },
            self.staff[Role.OFFICER_MAKER],
        )  # fmt: skip
        self.run(
            "programme.activate", {"programme_id": loaded["id"]}, self.staff[Role.OFFICER_CHECKER]
        )
        self.firms[f"programme of {anchor}"] = loaded["id"]

    def _limits(self) -> Iterable[tuple[str, str, int]]:
        yield "financier", self.firms[world.FINANCIER], 4_000_000_000
        yield "obligor", self.firms[world.ANCHOR], 900_000_000
        for anchor in (cast.MARKETPLACE, cast.SHIPPER):
            yield "programme", self.firms[f"programme of {anchor}"], 400_000_000
            yield "obligor", self.firms[anchor], 400_000_000
        for part in ("supplier", "merchant", "carrier"):
            for firm in self.cast.of(part):
                if firm.name != world.SUPPLIER:
                    yield "seller", self.firms[firm.name], 150_000_000

    # --- Months

    def months_pass(self, months: Sequence[Month]) -> None:
        """Live some months: papers, words of the buyers, payments, finance, ends of day."""
        for month in months:
            self.month += 1
            last = month.last >= self.today - dt.timedelta(days=1)
            self.papers.extend(month.papers)
            self._to(self.today if last else month.last + dt.timedelta(days=1))
            self._hand_in(month, last=last)
            if self.staff and not last:
                self._finance(month)
            self._tell_payments(everybody=last or self.month % SMALL_FIRMS_TELL_EVERY == 0)

    def _to(self, morning: dt.date) -> None:
        """Go to a morning; on the way the anchors pay what they have undertaken, on its day."""
        for on in sorted(known for known in self.owed if known < morning):
            papers = self.owed.pop(on)
            self._close(on)
            by_anchor: dict[str, list[Paper]] = defaultdict(list)
            for paper in papers:
                by_anchor[paper.buyer.name].append(paper)
            for due in by_anchor.values():
                self._pay(due)
        self._close(morning)

    def _pay(self, papers: Sequence[Paper]) -> None:
        """An anchor pays everything of one day at once, naming the invoices."""
        numbers = [paper.number for paper in papers]
        with self.platform.db.snapshot() as conn:
            rows = conn.execute(select(_invoice).where(_invoice.c.number.in_(numbers))).all()
        amount = sum(rules.owed(row) for row in rows)
        if amount:
            self.receive(papers[0].buyer, amount, ", ".join(numbers))

    def _close(self, morning: dt.date) -> None:
        if min(_morning(morning), self.latest) <= self.clock.now():
            return
        # The last morning may still lie ahead of the real clock.
        _put(self.clock, min(_morning(morning), self.latest))
        if self.staff:
            eve = morning - dt.timedelta(days=1)
            day.close_to(self.platform, self.firms[world.FINANCIER], eve)

    def _hand_in(self, month: Month, *, last: bool) -> None:
        for paper in month.papers:
            self.waiting[paper.buyer.name].append(paper)
        small_too = last or self.month % SMALL_FIRMS_TELL_EVERY == 0
        for buyer, papers in list(self.waiting.items()):
            anchor = papers[0].buyer.part == "anchor"
            if not (anchor or small_too):
                continue
            del self.waiting[buyer]
            who = self.people[buyer]
            if anchor:
                self.upload(who, "orders", sheets.ORDERS, trade.orders_csv(papers))
            self.upload(who, "invoices", sheets.INVOICES, trade.invoices_csv(papers))
            self.remember(papers)
            known = papers
            if anchor and self.staff:
                # The word of an anchor is an undertaking now: it gives it where somebody wants
                # money early, and of what is still to come for all but the newest.
                wanted = {paper.number for paper in self._wishes(month)}
                newest = papers[len(papers) * 2 // 3 :] if last else []
                known = [
                    paper
                    for paper in papers
                    if paper not in newest and (paper.number in wanted or paper.due_on > self.today)
                ]
                self.unaccepted.update(paper.number for paper in newest)
            self.accept(who, known)
            self._credit(papers, month.last)

    def _credit(self, papers: Sequence[Paper], on: dt.date) -> None:
        by_seller: dict[str, list[Paper]] = defaultdict(list)
        for paper in papers:
            if paper.credited_minor:
                by_seller[paper.seller.name].append(paper)
        for seller, credited in by_seller.items():
            content = trade.credits_csv(credited, on)
            self.upload(self.people[seller], "credit-notes", sheets.CREDITS, content)

    def _tell_payments(self, *, everybody: bool) -> None:
        """The sellers enter what they were paid since they last did."""
        today = self.clock.now().date()
        by_seller: dict[str, list[Paper]] = defaultdict(list)
        for paper in self.papers:
            if paper.number not in self.ids or not (everybody or paper.buyer.part == "anchor"):
                continue
            due = paper.paid_on is not None and paper.paid_on < today
            if due and paper.number not in self.told:
                by_seller[paper.seller.name].append(paper)
                self.told.add(paper.number)
        for seller, papers in by_seller.items():
            self.upload(
                self.people[seller], "received", sheets.PAYMENTS, trade.payments_csv(papers)
            )

    # --- Finance

    def _wishes(self, month: Month) -> list[Paper]:
        """Choose which invoices of a month somebody wants to have paid early."""
        of = [
            [
                paper
                for paper in month.papers
                if paper.buyer.name == anchor and not paper.credited_minor
            ]
            for anchor in (world.ANCHOR, cast.MARKETPLACE, cast.SHIPPER)
        ]
        chosen = [paper for papers in of for paper in papers[:: max(1, len(papers) // 3)]]
        return chosen[:ADVANCES_A_MONTH]

    def _finance(self, month: Month) -> None:
        """Some sellers of each programme are paid early for what was accepted last month."""
        self.night()
        asked = [paper for paper in self._wishes(month) if self.ask(paper, decide=True)]
        for paper in asked:
            self.told.add(paper.number)
            self.owed[max(paper.paid_on or paper.due_on, self.clock.now().date())].append(paper)
        if asked:
            self.pay_out()

    # --- What waits for somebody today

    def things_wait(self) -> None:
        """Leave something to do for every role: requests, papers, money and a newcomer."""
        self.night()
        waiting = self.free_papers()
        submitted = [paper for paper in waiting if paper.seller.name != world.SUPPLIER]
        place = 0
        for paper in submitted:
            request = self.ask(paper, decide=False) if place < WAITING else None
            if request is None:
                continue
            place += 1
            if place in {4, 5}:
                self.decide(request, second=False)  # now another officer's turn
            elif place in {6, 7}:
                self.decide(request)  # now to be paid out
        supplier = self.people[world.SUPPLIER]
        self._contest()
        # From a firm that owes the bank nothing, so that a person must say what it is for.
        self.receive(self.cast.of("dealer")[0], 1_234_500, "as agreed by telephone")
        self._broken_papers()
        self._newcomer(supplier)

    def free_papers(self) -> list[Paper]:
        """Give accepted invoices on the anchors that nobody finances, the largest first."""
        with self.platform.db.snapshot() as conn:
            free = set(
                conn.execute(
                    select(_invoice.c.number).where(
                        _invoice.c.acceptance_state == "ACCEPTED",
                        _invoice.c.payment_state == "OPEN",
                        _invoice.c.held_minor + _invoice.c.outstanding_minor == 0,
                        _invoice.c.due_on > self.today + dt.timedelta(days=14),
                    )
                ).scalars()
            )
        found = [paper for paper in self.papers if paper.number in free]
        anchors = [paper for paper in found if paper.buyer.part == "anchor"]
        return sorted(anchors, key=lambda paper: (-paper.amount_minor, paper.number))

    def _contest(self) -> None:
        """The anchor contests a part of an invoice that it has not accepted yet."""
        for paper in reversed(self.papers):
            mine = paper.buyer.name == world.ANCHOR
            if mine and paper.seller.name == world.SUPPLIER and paper.number in self.unaccepted:
                self.run(
                    "invoice.dispute",
                    {
                        "invoice_id": self.ids[paper.number],
                        "amount_minor": paper.amount_minor // 8,
                        "reason": "Two boxes arrived damaged.",
                    },
                    self.people[world.ANCHOR],
                )
                return

    def _broken_papers(self) -> None:
        """A file of the anchor with good rows and three that want correcting."""
        firm = self.cast.firms[world.SUPPLIER]
        issued, due = self.today - dt.timedelta(days=4), self.today + dt.timedelta(days=86)
        good = [f"BV-N{place:02d},,{issued},{due},{1850 + 310 * place}.00" for place in range(1, 6)]
        bad = [
            f"BV-N06,,{issued},{due},twelve",
            f"BV-N07,,31.13.2026,{due},2400.00",
            f"BV-N08,,{issued},{issued - dt.timedelta(days=30)},1999.00",
        ]
        rows = [f"{row},{firm.duns},{self.cast.firms[world.ANCHOR].duns}" for row in good + bad]
        content = "\n".join(["number,order,date,due,amount,seller,buyer", *rows]).encode()
        self.upload(self.people[world.ANCHOR], "deliveries", sheets.INVOICES, content)

    def _newcomer(self, supplier: Actor) -> None:
        """Somebody whom nobody knows yet sells to the supplier; the bank may let it in."""
        firm = self.cast.firms[world.SUPPLIER]
        issued, due = self.today - dt.timedelta(days=6), self.today + dt.timedelta(days=54)
        row = f"TF-2201,,{issued},{due},7420.00,771234560,{firm.duns},Tarn Fittings"
        mapping = {
            **sheets.INVOICES,
            "columns": {**sheets.INVOICES["columns"], "seller_name": "name"},
        }
        content = f"number,order,date,due,amount,seller,buyer,name\n{row}\n".encode()
        self.upload(supplier, "tarn-fittings", mapping, content)


def _only(content: str, currency: str) -> str:
    """Keep one currency of a programme file."""
    head, *parts = content.split("\n[terms.currency.")
    kept = [part for part in parts if part.startswith(f"{currency}]")]
    return "\n[terms.currency.".join([head, *kept])
