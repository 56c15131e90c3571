"""The posting tables 4.1 to 4.4 and 4.11 to 4.14, word for word, as the tests read them.

One line a journal: ``book: Dr account amount; Cr account amount``; a book that has no entry in a
row does not appear. The rows of a table stand in the order of the page they come from.
"""

# ruff: noqa: E501 - a row of a table stands on one line

from scf.kernel.money import parse_minor

TABLES = {
    "4.1 undertaking": "O: Dr trade payables 1,000,000; Cr payables in supplier finance arrangement 1,000,000",
    "4.1 instructed": "F: Dr receivables purchased 1,000,000; Cr payments in transit 988,375; Cr unearned discount 11,625",
    "4.1 settled": """
        S: Dr cash 988,375; Dr finance cost (loss on derecognition) 11,625; Cr trade receivables 1,000,000
        F: Dr payments in transit 988,375; Cr cash 988,375""",
    "4.1 first close": "F: Dr unearned discount 129.17; Cr discount income 129.17",
    "4.1 all closes": "F: Dr unearned discount 11,625; Cr discount income 11,625",
    "4.1 maturity": """
        O: Dr payables in supplier finance arrangement 1,000,000; Cr cash 1,000,000
        F: Dr cash 1,000,000; Cr receivables purchased 1,000,000""",
    "4.2 pay-out": """
        S: Dr cash 988,375; Dr deferred finance cost (contra borrowings) 11,625; Cr borrowings 1,000,000
        F: Dr loans to sellers 1,000,000; Cr cash 988,375; Cr unearned discount 11,625""",
    "4.2 all closes": """
        S: Dr finance cost 11,625; Cr deferred finance cost (contra borrowings) 11,625
        F: Dr unearned discount 11,625; Cr discount income 11,625""",
    "4.2 debtor pays": """
        S: Dr borrowings 1,000,000; Cr trade receivables 1,000,000
        O: Dr trade payables 1,000,000; Cr cash 1,000,000
        F: Dr cash 1,000,000; Cr loans to sellers 1,000,000""",
    "4.2 recourse met": """
        S: Dr borrowings 1,000,000; Cr cash 1,000,000
        F: Dr cash 1,000,000; Cr loans to sellers 1,000,000""",
    "4.3 twelve closes": """
        O: Dr finance cost (late payment) 2,325; Cr accrued penalty 2,325
        F: Dr penalty receivable 2,325; Cr penalty income 2,325""",
    "4.3 full receipt": """
        O: Dr payables in supplier finance arrangement 1,000,000; Dr accrued penalty 2,325; Cr cash 1,002,325
        F: Dr cash 1,002,325; Cr receivables purchased 1,000,000; Cr penalty receivable 2,325""",
    "4.3 step 1": """
        O: Dr accrued penalty 1,356.25; Cr finance cost (late payment) 1,356.25
        F: Dr penalty income 1,356.25; Cr penalty receivable 1,356.25""",
    "4.3 step 2": """
        O: Dr accrued penalty 968.75; Dr payables in supplier finance arrangement 399,031.25; Cr cash 400,000
        F: Dr cash 400,000; Cr penalty receivable 968.75; Cr receivables purchased 399,031.25""",
    "4.3 step 3": """
        O: Dr finance cost (late payment) 815.06; Cr accrued penalty 815.06
        F: Dr penalty receivable 815.06; Cr penalty income 815.06""",
    "4.3 step 4": """
        O: Dr payables in supplier finance arrangement 600,968.75; Dr accrued penalty 815.06; Cr cash 601,783.81
        F: Dr cash 601,783.81; Cr receivables purchased 600,968.75; Cr penalty receivable 815.06""",
    "4.4 face": """
        O: Dr payables in supplier finance arrangement 1,000,000; Cr cash 1,000,000
        F: Dr cash 1,000,000; Cr receivables purchased 1,000,000""",
    "4.4 release": """
        O: Dr rebate receivable 2,066.67; Cr finance income 2,066.67
        F: Dr unearned discount 2,583.33; Cr rebate payable 2,066.67; Cr discount income 516.66""",
    "4.4 rebate paid": """
        O: Dr cash 2,066.67; Cr rebate receivable 2,066.67
        F: Dr rebate payable 2,066.67; Cr cash 2,066.67""",
    "4.11 stage 1": "F: Dr impairment loss 146.31; Cr loss allowance 146.31",
    "4.11 stage 3": "F: Dr impairment loss 399,853.69; Cr loss allowance 399,853.69",
    "4.11 penalty off": "F: Dr penalty income 2,325; Cr penalty receivable 2,325",
    "4.11 proceeds": """
        O: Dr payables in supplier finance arrangement 600,000; Cr cash 600,000
        F: Dr cash 600,000; Cr receivables purchased 600,000""",
    "4.11 write-off": "F: Dr loss allowance 400,000; Cr receivables purchased 400,000",
    "4.11 recovery": """
        O: Dr payables in supplier finance arrangement 50,000; Cr cash 50,000
        F: Dr cash 50,000; Cr recoveries of amounts written off 50,000""",
    "4.12 unidentified": "F: Dr cash 1,000,000; Cr suspense 1,000,000",
    "4.12 identified": """
        O: Dr payables in supplier finance arrangement 1,000,000; Cr cash 1,000,000
        F: Dr suspense 1,000,000; Cr receivables purchased 1,000,000""",
    "4.12 over-payment": """
        O: Dr payables in supplier finance arrangement 1,000,000; Dr due from financier 10,000; Cr cash 1,010,000
        F: Dr cash 1,010,000; Cr receivables purchased 1,000,000; Cr due to payers 10,000""",
    "4.12 refund": """
        O: Dr cash 10,000; Cr due from financier 10,000
        F: Dr due to payers 10,000; Cr cash 10,000""",
    "4.12 short": """
        O: Dr payables in supplier finance arrangement 950,000; Cr cash 950,000
        F: Dr cash 950,000; Cr receivables purchased 950,000""",
    "4.12 misdirected": """
        S: Dr cash 1,000,000; Cr collections held for financier 1,000,000
        O: Dr claim on supplier (misdirected) 1,000,000; Cr cash 1,000,000""",
    "4.12 turned over": """
        S: Dr collections held for financier 1,000,000; Cr cash 1,000,000
        O: Dr payables in supplier finance arrangement 1,000,000; Cr claim on supplier (misdirected) 1,000,000
        F: Dr cash 1,000,000; Cr receivables purchased 1,000,000""",
    "4.13 rejected": "F: Dr payments in transit 988,375; Dr unearned discount 11,625; Cr receivables purchased 1,000,000",
    "4.13 returned": """
        S: Dr due from financier 988,375; Cr cash 988,375
        F: Dr cash 988,375; Cr payments in transit 988,375""",
    "4.13 income reversed": "F: Dr discount income 258.33; Cr unearned discount 258.33",
    "4.13 sale undone": """
        S: Dr trade receivables 1,000,000; Cr finance cost (loss on derecognition) 11,625; Cr due from financier 988,375
        F: Dr payments in transit 988,375; Dr unearned discount 11,625; Cr receivables purchased 1,000,000""",
    "4.14 accepted": """
        S: Dr revenue (returns) 30,000; Cr credit notes due to anchor 30,000
        O: Dr credit notes due from supplier 30,000; Cr purchases or inventory 30,000""",
    "4.14 set": """
        S: Dr credit notes due to anchor 30,000; Cr trade receivables 30,000
        O: Dr trade payables 30,000; Cr credit notes due from supplier 30,000""",
    "4.13 sent again": "F: Dr payments in transit 988,375; Cr cash 988,375",
}  # fmt: skip

Row = dict[tuple[str, str], int]


def row(name: str) -> Row:
    """Give a row as (book, account name) → minor units of EUR, debit positive."""
    return parsed(TABLES[name])


def parsed(text: str) -> Row:
    """Read the journals of one row of a table."""
    found: Row = {}
    for journal in text.strip().splitlines():
        book, _, lines = journal.strip().partition(": ")
        for line in lines.split("; "):
            side, _, rest = line.partition(" ")
            account, _, amount = rest.rpartition(" ")
            minor = parse_minor(amount.replace(",", ""), "EUR")
            found[book, account] = minor if side == "Dr" else -minor
        assert sum(value for (owner, _), value in found.items() if owner == book) == 0, journal
    return found
