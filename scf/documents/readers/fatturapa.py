"""Read Italian e-invoices: FatturaPA to public bodies and firms, and the simplified form.

One file has one seller and one buyer and any number of invoices (a lot); each is judged alone.
What the seller may collect is less than the total where the buyer pays tax in his stead (split
payment) or withholds some: only the rest can be financed.

The exchange finds an invoice by seller, number, day and total, which all stand here. The number of
its own that it gives (IdentificativoSdI) stands in its receipt, because the file was there first.

Source: technical rules of the Italian exchange system, FatturaPA 1.2 to 1.2.3 and FSM 1.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from lxml import etree

from scf.documents import checks
from scf.documents.canonical import CanonicalDocument, Identifier, Kind, Party, Reference, Source
from scf.documents.readers.derived import derive_totals
from scf.documents.readers.edi_scope import Reading
from scf.documents.readers.fatturapa_amounts import read_amounts
from scf.documents.readers.fatturapa_lines import Orders, read_lines
from scf.documents.readers.fatturapa_names import (
    ORDINARY,
    ROOTS,
    SELF_BILLED,
    SIGNATURE,
    SORTS,
    STRUCTURE,
    line_places,
    places,
)
from scf.documents.readers.fatturapa_parts import ItalianScope, read_party
from scf.documents.readers.fatturapa_payment import read_payment
from scf.documents.readers.fatturapa_simple import read_simple_amounts
from scf.documents.readers.fatturapa_structure import root_findings, structure_findings
from scf.documents.readers.ubl import MAX_NOTE, MAX_NOTES
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import EXPONENTS

_PUBLIC: Final = "FPA12"
_BY_BUYER: Final = "CC"
_BY_OTHERS: Final = "TZ"


def is_fatturapa(root: etree._Element) -> bool:
    """Tell whether the root is an Italian invoice."""
    return root.tag in ROOTS


def read_fatturapa(root: etree._Element) -> Iterator[Reading]:
    """Give every invoice of the file, what was found, and what stood there and was unreadable."""
    table = STRUCTURE[root.tag]
    shared = root_findings(root)
    header = root.find("FatturaElettronicaHeader")
    if header is not None:
        shared += structure_findings(header, table)
    shared += _around(root)
    bodies = root.findall("FatturaElettronicaBody")
    if header is None or not bodies:
        yield None, shared, frozenset()
        return
    parties = ItalianScope(root.tag, Source("fatturapa", 0, ROOTS[root.tag], places("")))
    seller = read_party(parties, header.find("CedentePrestatore"), "seller")
    buyer = read_party(parties, header.find("CessionarioCommittente"), "buyer")
    buyer = _with_office(header, root.get("versione", ""), buyer)
    shared += parties.findings
    for number, body in enumerate(bodies, start=1):
        place = "FatturaElettronicaBody" + (f"[{number}]" if len(bodies) > 1 else "")
        # The maps of a place are kept; a lot of thousands would fill the memory with them.
        source = Source("fatturapa", 0, ROOTS[root.tag], places(place), line_places(place))
        scope = ItalianScope(root.tag, source)
        scope.findings += [*shared, *structure_findings(body, table)]
        fields: dict[str, Any] = {"source": source, "seller": seller, "buyer": buyer}
        fields["profile"] = root.get("versione", "")[:20]
        _read_header(scope, header, body, fields)
        if root.tag == ORDINARY:
            _read_body(scope, body, fields)
        else:
            _read_simple(scope, body, fields)
        derive_totals(fields)
        yield CanonicalDocument(**fields), scope.findings, frozenset(scope.unread)


def _around(root: etree._Element) -> list[Finding]:
    """Say what else the file holds: an invoice inside an invoice, a signature nobody checked."""
    found: list[Finding] = []
    walk = root.iter(*ROOTS)
    next(walk)
    inner = next(walk, None)
    if inner is not None:
        message = "A document stands inside the document."
        place = f"line {inner.sourceline}"
        found.append(Finding(Severity.ERROR, "DOCUMENT_NESTED", message, place, ROOTS[inner.tag]))
    if root.find(SIGNATURE) is not None:
        found.append(unverified())
    return found


def unverified() -> Finding:
    """Say that a signature is there and proves nothing here."""
    message = "The file is signed; the signature was not checked."
    return Finding(Severity.INFO, "SIGNATURE_UNCHECKED", message)


def _with_office(header: etree._Element, version: str, buyer: Party) -> Party:
    """Add the office of a public body to its numbers: its code in the index IPA."""
    code = (header.findtext("DatiTrasmissione/CodiceDestinatario") or "").strip()
    if version != _PUBLIC or not code:
        return buyer
    return buyer._replace(identifiers=(*buyer.identifiers, Identifier("endpoint:0201", code)))


def _read_header(
    scope: ItalianScope, header: etree._Element, body: etree._Element, fields: dict[str, Any]
) -> None:
    general = "DatiGenerali/DatiGeneraliDocumento"
    currency = scope.read(body, f"{general}/Divisa", "currency")
    fields["currency"] = currency
    # Amounts are read only in a currency whose minor unit is known.
    scope.currency = currency if currency in EXPONENTS else ""
    fields["number"] = scope.read(body, f"{general}/Numero", "number")
    fields["issue_on"] = scope.day(body, f"{general}/Data", "issue_on")
    issued_by = scope.read(header, "SoggettoEmittente", "type_code")
    _read_type(scope, scope.read(body, f"{general}/TipoDocumento", "type_code"), issued_by, fields)
    reference = "CedentePrestatore/RiferimentoAmministrazione"
    fields["buyer_reference"] = scope.read(header, reference, "buyer_reference")


def _read_type(scope: ItalianScope, text: str, issued_by: str, fields: dict[str, Any]) -> None:
    sort = SORTS.get(text)
    place = scope.source.place("type_code")
    if sort is None:
        fields |= {"kind": Kind.INVOICE, "type_code": ""}
        if text:
            message = "This type of document is not known."
            scope.error("TYPE_UNKNOWN", message, place, text)
        return
    code = SELF_BILLED.get(sort.code, sort.code) if issued_by == _BY_BUYER else sort.code
    fields["type_code"] = code
    fields["kind"] = Kind.CREDIT_NOTE if code in checks.CREDIT_CODES else Kind.INVOICE
    if not sort.owed:
        message = Words(
            "A document of type %(type)s is made for the tax office; nobody owes by it.", type=text
        )
        scope.add(Severity.WARNING, "NOT_A_RECEIVABLE", message, place, text)


def _read_body(scope: ItalianScope, body: etree._Element, fields: dict[str, Any]) -> None:
    general = body.find("DatiGenerali")
    goods = body.find("DatiBeniServizi")
    orders = Orders()
    if general is not None:
        orders = _read_references(scope, general, fields)
    lines = goods.findall("DettaglioLinee") if goods is not None else []
    fields["lines"] = read_lines(scope, lines, orders)
    named = {line.order_reference for line in fields["lines"] if line.order_reference}
    fields["order_reference"] = orders.of_all or (named.pop() if len(named) == 1 else "")
    read_amounts(scope, body, fields)
    read_payment(scope, body.findall("DatiPagamento"), fields)


def _read_references(
    scope: ItalianScope, general: etree._Element, fields: dict[str, Any]
) -> Orders:
    orders = Orders()
    for element in general.findall("DatiOrdineAcquisto"):
        orders.take(scope, element)
    for name, tag, inner in (
        ("despatch_references", "DatiDDT", "NumeroDDT"),
        ("receipt_references", "DatiRicezione", "IdDocumento"),
    ):
        found = (scope.read(one, inner, name) for one in general.findall(tag))
        fields[name] = tuple(dict.fromkeys(number for number in found if number))
    contracts = _related(scope, general.findall("DatiContratto"), "contract_reference")
    if len(contracts) == 1:
        fields["contract_reference"] = contracts[0].number
    billed = _related(scope, general.findall("DatiFattureCollegate"), "billing_references")
    fields["billing_references"] = billed
    fields["delivered_on"] = _delivered(scope, general)
    fields["notes"] = _notes(scope, general)
    return orders


def _related(
    scope: ItalianScope, elements: Iterable[etree._Element], name: str
) -> tuple[Reference, ...]:
    """Give documents referred to, each once."""
    found: dict[str, Reference] = {}
    for element in elements:
        number = scope.read(element, "IdDocumento", name)
        day = scope.day(element, "Data", name)
        if number:
            found.setdefault(number, Reference(number, day))
    return tuple(found.values())


def _delivered(scope: ItalianScope, general: etree._Element) -> Any:  # noqa: ANN401 - a day or none
    element = general.find("DatiTrasporto/DataOraConsegna")
    return scope.moment(element, "delivered_on") if element is not None else None


def _notes(scope: ItalianScope, general: etree._Element) -> tuple[str, ...]:
    """Give the reasons in words, and the codes of public tenders and projects."""
    notes = [scope.text(one, "notes") for one in general.findall("DatiGeneraliDocumento/Causale")]
    for tag, code in (("CodiceCIG", "CIG"), ("CodiceCUP", "CUP")):
        told = {scope.text(one, "notes") for one in general.iter(tag)}
        notes += (f"{code} {one}" for one in sorted(told) if one)
    return tuple(note[:MAX_NOTE] for note in notes if note)[:MAX_NOTES]


def _read_simple(scope: ItalianScope, body: etree._Element, fields: dict[str, Any]) -> None:
    rectified = body.find("DatiGenerali/DatiFatturaRettificata")
    if rectified is not None:
        number = scope.read(rectified, "NumeroFR", "rectified")
        if number:
            day = scope.day(rectified, "DataFR", "rectified")
            fields["billing_references"] = (Reference(number, day),)
    read_simple_amounts(scope, body.findall("DatiBeniServizi"), fields)
