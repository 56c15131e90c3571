"""What each rule of EN 16931 wants, in a sentence that a person in accounts understands.

The words are our own and can be told in any language; what the published rule itself says stands
beside them as the stylesheet gives it. The rules on tax come once per tax category: they stand in
``sentences_tax``. A rule that is not listed is told by its family.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scf.documents.einvoice.sentences_tax import tax_sentence
from scf.kernel.errors import Words

_RULES: Final[Mapping[str, Words]] = {
    # What must be there.
    "BR-01": Words("The invoice does not say which specification it follows."),
    "BR-02": Words("The invoice has no number."),
    "BR-03": Words("The invoice has no date of issue."),
    "BR-04": Words("The invoice does not say of what type it is."),
    "BR-05": Words("The invoice does not say its currency."),
    "BR-06": Words("The seller's name is missing."),
    "BR-07": Words("The buyer's name is missing."),
    "BR-08": Words("The seller's postal address is missing."),
    "BR-09": Words("The seller's address has no country."),
    "BR-10": Words("The buyer's postal address is missing."),
    "BR-11": Words("The buyer's address has no country."),
    "BR-12": Words("The sum of the lines is missing."),
    "BR-13": Words("The total without tax is missing."),
    "BR-14": Words("The total with tax is missing."),
    "BR-15": Words("The amount to pay is missing."),
    "BR-16": Words("The invoice has no line."),
    "BR-17": Words("Somebody other than the seller is to be paid, and is not named."),
    "BR-18": Words("The seller's tax representative is not named."),
    "BR-19": Words("The address of the seller's tax representative is missing."),
    "BR-20": Words("The address of the seller's tax representative has no country."),
    "BR-21": Words("A line has no number of its own."),
    "BR-22": Words("A line has no quantity."),
    "BR-23": Words("A line gives a quantity without its unit."),
    "BR-24": Words("A line has no net amount."),
    "BR-25": Words("A line does not name what was sold."),
    "BR-26": Words("A line has no net price."),
    "BR-27": Words("A net price is below zero."),
    "BR-28": Words("A gross price is below zero."),
    "BR-29": Words("The invoiced period ends before it begins."),
    "BR-30": Words("The period of a line ends before it begins."),
    "BR-31": Words("An allowance on the whole invoice has no amount."),
    "BR-32": Words("An allowance on the whole invoice has no tax category."),
    "BR-33": Words("An allowance on the whole invoice gives no reason."),
    "BR-36": Words("A charge on the whole invoice has no amount."),
    "BR-37": Words("A charge on the whole invoice has no tax category."),
    "BR-38": Words("A charge on the whole invoice gives no reason."),
    "BR-41": Words("An allowance on a line has no amount."),
    "BR-42": Words("An allowance on a line gives no reason."),
    "BR-43": Words("A charge on a line has no amount."),
    "BR-44": Words("A charge on a line gives no reason."),
    "BR-45": Words("A part of the tax breakdown has no taxable amount."),
    "BR-46": Words("A part of the tax breakdown has no tax amount."),
    "BR-47": Words("A part of the tax breakdown has no tax category."),
    "BR-48": Words("A part of the tax breakdown has no tax rate."),
    "BR-49": Words("The payment instruction does not say how to pay."),
    "BR-50": Words("A transfer is asked for, but the account to pay to is missing."),
    "BR-51": Words("The invoice shows a payment card number in full."),
    "BR-52": Words("A supporting document is named without its reference."),
    "BR-53": Words("The tax in the accounting currency is missing."),
    "BR-54": Words("A property of an item lacks its name or its value."),
    "BR-55": Words("An earlier invoice is referred to without its number."),
    "BR-56": Words("The seller's tax representative has no VAT number."),
    "BR-57": Words("The delivery address has no country."),
    "BR-61": Words("The invoice asks for a transfer and names no account to pay to."),
    "BR-62": Words("The seller's electronic address does not say of what kind it is."),
    "BR-63": Words("The buyer's electronic address does not say of what kind it is."),
    "BR-64": Words("An item number does not say by which standard it is given."),
    "BR-65": Words("An item class does not say by which list it is given."),
    # What must agree.
    "BR-CO-03": Words("The day of the tax is given both as a date and as a code."),
    "BR-CO-04": Words("A line has no tax category."),
    "BR-CO-05": Words("Code and text of an allowance give different reasons."),
    "BR-CO-06": Words("Code and text of a charge give different reasons."),
    "BR-CO-07": Words("Code and text of a line's allowance give different reasons."),
    "BR-CO-08": Words("Code and text of a line's charge give different reasons."),
    "BR-CO-09": Words("A VAT number does not begin with the code of its country."),
    "BR-CO-10": Words("The lines do not add up to the stated sum of the lines."),
    "BR-CO-11": Words("The allowances do not add up to their stated sum."),
    "BR-CO-12": Words("The charges do not add up to their stated sum."),
    "BR-CO-13": Words("Lines less allowances plus charges do not come to the total without tax."),
    "BR-CO-14": Words("The parts of the tax breakdown do not add up to the stated tax."),
    "BR-CO-15": Words("The total without tax plus the tax does not come to the total with tax."),
    "BR-CO-16": Words("The total less what is paid, rounded, does not come to the amount to pay."),
    "BR-CO-17": Words("A tax amount is not the taxable amount times the rate."),
    "BR-CO-18": Words("The invoice has no tax breakdown."),
    "BR-CO-19": Words("The invoiced period has neither beginning nor end."),
    "BR-CO-20": Words("The period of a line has neither beginning nor end."),
    "BR-CO-21": Words("An allowance has neither a reason nor a code for one."),
    "BR-CO-22": Words("A charge has neither a reason nor a code for one."),
    "BR-CO-23": Words("A line's allowance has neither a reason nor a code for one."),
    "BR-CO-24": Words("A line's charge has neither a reason nor a code for one."),
    "BR-CO-25": Words("Money is due, and the invoice says neither when nor on what terms."),
    "BR-CO-26": Words("The seller is named without any number by which to know it."),
    # Codes.
    "BR-CL-01": Words("The type of the document is no code of the list for invoices."),
    "BR-CL-03": Words("An amount is in a currency that is no code of ISO 4217."),
    "BR-CL-04": Words("The invoice's currency is no code of ISO 4217."),
    "BR-CL-05": Words("The currency of the tax is no code of ISO 4217."),
    "BR-CL-06": Words("The code for the day of the tax is not in its list."),
    "BR-CL-07": Words("The kind of an invoiced object is not in its list of codes."),
    "BR-CL-08": Words("The subject of a note is not in its list of codes."),
    "BR-CL-10": Words("A number is given by a scheme that is not in the list of ISO 6523."),
    "BR-CL-11": Words(
        "A register number is given by a scheme that is not in the list of ISO 6523."
    ),
    "BR-CL-13": Words("An item class is given by a list that is not known."),
    "BR-CL-14": Words("A country is no code of ISO 3166-1."),
    "BR-CL-15": Words("A country of origin is no code of ISO 3166-1."),
    "BR-CL-16": Words("The way to pay is not in its list of codes."),
    "BR-CL-17": Words("A tax category is not in its list of codes."),
    "BR-CL-18": Words("The tax category of a line is not in its list of codes."),
    "BR-CL-19": Words("The reason of an allowance is not in its list of codes."),
    "BR-CL-20": Words("The reason of a charge is not in its list of codes."),
    "BR-CL-21": Words("An item number is given by a scheme that is not in the list of ISO 6523."),
    "BR-CL-22": Words("The reason for no tax is not in its list of codes."),
    "BR-CL-23": Words("A unit of measure is not in its list of codes."),
    "BR-CL-24": Words("An attachment is of a kind that may not be attached."),
    "BR-CL-25": Words("The kind of an electronic address is not in its list of codes."),
    "BR-CL-26": Words(
        "A place of delivery is given by a scheme that is not in the list of ISO 6523."
    ),
    # Amounts of at most two decimals.
    "BR-DEC-01": Words("The amount of an allowance has more than two decimals."),
    "BR-DEC-02": Words("The base of an allowance has more than two decimals."),
    "BR-DEC-05": Words("The amount of a charge has more than two decimals."),
    "BR-DEC-06": Words("The base of a charge has more than two decimals."),
    "BR-DEC-09": Words("The sum of the lines has more than two decimals."),
    "BR-DEC-10": Words("The sum of the allowances has more than two decimals."),
    "BR-DEC-11": Words("The sum of the charges has more than two decimals."),
    "BR-DEC-12": Words("The total without tax has more than two decimals."),
    "BR-DEC-13": Words("The tax has more than two decimals."),
    "BR-DEC-14": Words("The total with tax has more than two decimals."),
    "BR-DEC-15": Words("The tax in the accounting currency has more than two decimals."),
    "BR-DEC-16": Words("The amount paid already has more than two decimals."),
    "BR-DEC-17": Words("The rounding amount has more than two decimals."),
    "BR-DEC-18": Words("The amount to pay has more than two decimals."),
    "BR-DEC-19": Words("A taxable amount has more than two decimals."),
    "BR-DEC-20": Words("A tax amount has more than two decimals."),
    "BR-DEC-23": Words("The net amount of a line has more than two decimals."),
    "BR-DEC-24": Words("The amount of a line's allowance has more than two decimals."),
    "BR-DEC-25": Words("The base of a line's allowance has more than two decimals."),
    "BR-DEC-27": Words("The amount of a line's charge has more than two decimals."),
    "BR-DEC-28": Words("The base of a line's charge has more than two decimals."),
    # Form in UBL.
    "UBL-DT-01": Words("An amount has more than two decimals."),
    "UBL-DT-06": Words("An attachment does not say of what kind it is."),
    "UBL-DT-07": Words("An attachment has no file name."),
    "UBL-SR-43": Words("A scheme is given for a document that is no invoiced object."),
    "UBL-SR-44": Words("The ways to pay name different payment references."),
    "UBL-SR-47": Words("The invoice asks to be paid in different ways at once."),
    "UBL-SR-48": Words("A line has no tax category, or more than one."),
    "UBL-SR-53": Words("A tax registration stands there without its number."),
}

# By the beginning of the rule's number; the first that fits tells it.
_FAMILIES: Final = (
    ("BR-DEC-", Words("An amount has more decimals than allowed.")),
    ("BR-CL-", Words("A code is not in the list that it must be from.")),
    ("BR-CO-", Words("Two parts of the invoice do not agree.")),
    ("BR-DE-", Words("The invoice breaks a rule of the German XRechnung.")),
    ("BR-FR", Words("The invoice breaks a rule of the French profile.")),
    ("BR-FX", Words("The invoice breaks a rule of the extended Factur-X profile.")),
    ("PEPPOL-EN16931-R008", Words("An element is empty.")),
    ("PEPPOL-", Words("The invoice breaks a rule of the Peppol network.")),
    ("UBL-CR-", Words("There is an element that EN 16931 does not use.")),
    ("UBL-SR-", Words("An element stands there more often than EN 16931 allows.")),
    ("UBL-DT-", Words("There is an attribute that EN 16931 does not use.")),
    ("CII-", Words("An element stands where or as often as EN 16931 does not allow.")),
    ("FX-SCH-", Words("An element or code does not fit the declared profile of Factur-X.")),
    ("BR-", Words("The invoice breaks a rule of EN 16931.")),
)
_OTHER: Final = Words("The invoice breaks a rule of the profile that it declares.")


def sentence(rule: str) -> Words:
    """Say what is wrong when a rule is broken, by its number."""
    found = _RULES.get(rule) or tax_sentence(rule)
    if found is not None:
        return found
    return next((words for start, words in _FAMILIES if rule.startswith(start)), _OTHER)
