"""The elements of Italian invoices: what stands where and how often, the codes, and the paths.

Source: technical rules of the Italian exchange system (Sistema di Interscambio), FatturaPA format
1.2 to 1.2.3 for ordinary invoices (FPA12, FPR12) and 1.0 for simplified ones (FSM10).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

_SPACE: Final = "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/"
ORDINARY: Final = f"{{{_SPACE}v1.2}}FatturaElettronica"
SIMPLIFIED: Final = f"{{{_SPACE}v1.0}}FatturaElettronicaSemplificata"
ROOTS: Final = MappingProxyType(
    {ORDINARY: "p:FatturaElettronica", SIMPLIFIED: "p:FatturaElettronicaSemplificata"}
)
SIGNATURE: Final = "{http://www.w3.org/2000/09/xmldsig#}Signature"
VERSIONS: Final = MappingProxyType({ORDINARY: ("FPA12", "FPR12"), SIMPLIFIED: ("FSM10",)})

_ADDRESS: Final = "Indirizzo NumeroCivico? CAP Comune Provincia? Nazione"
_IDENTITY: Final = "IdFiscaleIVA? CodiceFiscale? Anagrafica"
# What every element holds, in this order: "?" may be missing, "*" may repeat, "+" repeats but is
# there. An element that is not named here holds a value. Where a name means two things, its
# parent stands in front of it.
_SHARED: Final = {
    "DatiTrasmissione": "IdTrasmittente ProgressivoInvio FormatoTrasmissione CodiceDestinatario "
    "ContattiTrasmittente? PECDestinatario?",
    "IdTrasmittente": "IdPaese IdCodice",
    "IdFiscaleIVA": "IdPaese IdCodice",
    "ContattiTrasmittente": "Telefono? Email?",
    "Sede": _ADDRESS,
    "StabileOrganizzazione": _ADDRESS,
    "IscrizioneREA": "Ufficio NumeroREA CapitaleSociale? SocioUnico? StatoLiquidazione",
    "Allegati": "NomeAttachment AlgoritmoCompressione? FormatoAttachment? "
    "DescrizioneAttachment? Attachment",
}
_RELATED: Final = (
    "RiferimentoNumeroLinea* IdDocumento Data? NumItem? CodiceCommessaConvenzione? CodiceCUP? "
    "CodiceCIG?"
)
_ORDINARY: Final = _SHARED | {
    "": "FatturaElettronicaHeader FatturaElettronicaBody+",
    "FatturaElettronicaHeader": "DatiTrasmissione CedentePrestatore RappresentanteFiscale? "
    "CessionarioCommittente TerzoIntermediarioOSoggettoEmittente? SoggettoEmittente?",
    "CedentePrestatore": "DatiAnagrafici Sede StabileOrganizzazione? IscrizioneREA? Contatti? "
    "RiferimentoAmministrazione?",
    "CedentePrestatore/DatiAnagrafici": "IdFiscaleIVA CodiceFiscale? Anagrafica AlboProfessionale? "
    "ProvinciaAlbo? NumeroIscrizioneAlbo? DataIscrizioneAlbo? RegimeFiscale",
    "Contatti": "Telefono? Fax? Email?",
    "Anagrafica": "Denominazione? Nome? Cognome? Titolo? CodEORI?",
    "RappresentanteFiscale": "DatiAnagrafici",
    "CessionarioCommittente/RappresentanteFiscale": "IdFiscaleIVA Denominazione? Nome? Cognome?",
    "DatiAnagrafici": _IDENTITY,
    "CessionarioCommittente": "DatiAnagrafici Sede StabileOrganizzazione? RappresentanteFiscale?",
    "TerzoIntermediarioOSoggettoEmittente": "DatiAnagrafici",
    "FatturaElettronicaBody": "DatiGenerali DatiBeniServizi DatiVeicoli? DatiPagamento* Allegati*",
    "DatiGenerali": "DatiGeneraliDocumento DatiOrdineAcquisto* DatiContratto* DatiConvenzione* "
    "DatiRicezione* DatiFattureCollegate* DatiSAL* DatiDDT* DatiTrasporto? FatturaPrincipale?",
    "DatiGeneraliDocumento": "TipoDocumento Divisa Data Numero DatiRitenuta* DatiBollo? "
    "DatiCassaPrevidenziale* ScontoMaggiorazione* ImportoTotaleDocumento? Arrotondamento? "
    "Causale* Art73?",
    "DatiRitenuta": "TipoRitenuta ImportoRitenuta AliquotaRitenuta CausalePagamento",
    "DatiBollo": "BolloVirtuale ImportoBollo?",
    "DatiCassaPrevidenziale": "TipoCassa AlCassa ImportoContributoCassa ImponibileCassa? "
    "AliquotaIVA Ritenuta? Natura? RiferimentoAmministrazione?",
    "ScontoMaggiorazione": "Tipo Percentuale? Importo?",
    **dict.fromkeys(
        (
            *("DatiOrdineAcquisto", "DatiContratto", "DatiConvenzione", "DatiRicezione"),
            "DatiFattureCollegate",
        ),
        _RELATED,
    ),
    "DatiSAL": "RiferimentoFase",
    "DatiDDT": "NumeroDDT DataDDT RiferimentoNumeroLinea*",
    "DatiTrasporto": "DatiAnagraficiVettore? MezzoTrasporto? CausaleTrasporto? NumeroColli? "
    "Descrizione? UnitaMisuraPeso? PesoLordo? PesoNetto? DataOraRitiro? DataInizioTrasporto? "
    "TipoResa? IndirizzoResa? DataOraConsegna?",
    "DatiAnagraficiVettore": "IdFiscaleIVA CodiceFiscale? Anagrafica NumeroLicenzaGuida?",
    "IndirizzoResa": _ADDRESS,
    "FatturaPrincipale": "NumeroFatturaPrincipale DataFatturaPrincipale",
    "DatiBeniServizi": "DettaglioLinee+ DatiRiepilogo+",
    "DettaglioLinee": "NumeroLinea TipoCessionePrestazione? CodiceArticolo* Descrizione Quantita? "
    "UnitaMisura? DataInizioPeriodo? DataFinePeriodo? PrezzoUnitario ScontoMaggiorazione* "
    "PrezzoTotale AliquotaIVA Ritenuta? Natura? RiferimentoAmministrazione? AltriDatiGestionali*",
    "CodiceArticolo": "CodiceTipo CodiceValore",
    "AltriDatiGestionali": "TipoDato RiferimentoTesto? RiferimentoNumero? RiferimentoData?",
    "DatiRiepilogo": "AliquotaIVA Natura? SpeseAccessorie? Arrotondamento? ImponibileImporto "
    "Imposta EsigibilitaIVA? RiferimentoNormativo?",
    "DatiVeicoli": "Data TotalePercorso",
    "DatiPagamento": "CondizioniPagamento DettaglioPagamento+",
    "DettaglioPagamento": "Beneficiario? ModalitaPagamento DataRiferimentoTerminiPagamento? "
    "GiorniTerminiPagamento? DataScadenzaPagamento? ImportoPagamento CodUfficioPostale? "
    "CognomeQuietanzante? NomeQuietanzante? CFQuietanzante? TitoloQuietanzante? "
    "IstitutoFinanziario? IBAN? ABI? CAB? BIC? ScontoPagamentoAnticipato? "
    "DataLimitePagamentoAnticipato? PenalitaPagamentiRitardati? DataDecorrenzaPenale? "
    "CodicePagamento?",
}
_SIMPLIFIED: Final = _SHARED | {
    "": "FatturaElettronicaHeader FatturaElettronicaBody+",
    "FatturaElettronicaHeader": "DatiTrasmissione CedentePrestatore CessionarioCommittente "
    "SoggettoEmittente?",
    "CedentePrestatore": "IdFiscaleIVA CodiceFiscale? Denominazione? Nome? Cognome? Sede "
    "StabileOrganizzazione? RappresentanteFiscale? IscrizioneREA? RegimeFiscale",
    "RappresentanteFiscale": "IdFiscaleIVA Denominazione? Nome? Cognome?",
    "CessionarioCommittente": "IdentificativiFiscali AltriDatiIdentificativi?",
    "IdentificativiFiscali": "IdFiscaleIVA? CodiceFiscale?",
    "AltriDatiIdentificativi": "Denominazione? Nome? Cognome? Sede StabileOrganizzazione? "
    "RappresentanteFiscale?",
    "FatturaElettronicaBody": "DatiGenerali DatiBeniServizi+ Allegati*",
    "DatiGenerali": "DatiGeneraliDocumento DatiFatturaRettificata?",
    "DatiGeneraliDocumento": "TipoDocumento Divisa Data Numero BolloVirtuale?",
    "DatiFatturaRettificata": "NumeroFR DataFR ElementiRettificati",
    "DatiBeniServizi": "Descrizione Importo DatiIVA Natura? RiferimentoNormativo?",
    "DatiIVA": "Imposta? Aliquota?",
}


class Member(NamedTuple):
    """One element that another may hold: its name and how often."""

    name: str
    needed: bool
    repeated: bool


def _members(text: str) -> tuple[Member, ...]:
    return tuple(
        Member(one.rstrip("?*+"), one[-1] not in "?*", one[-1] in "*+") for one in text.split()
    )


STRUCTURE: Final[Mapping[str, Mapping[str, tuple[Member, ...]]]] = MappingProxyType(
    {
        root: MappingProxyType({name: _members(text) for name, text in table.items()})
        for root, table in ((ORDINARY, _ORDINARY), (SIMPLIFIED, _SIMPLIFIED))
    }
)


class Sort(NamedTuple):
    """What a type of document is: its UNTDID 1001 code, and whether anybody owes by it."""

    code: str
    owed: bool = True


# A credit note is what has the code of one. Documents that a buyer makes out for the tax office
# alone (reverse charge, corrections, own use) claim nothing of anybody.
SORTS: Final = MappingProxyType(
    {
        **dict.fromkeys(("TD01", "TD06", "TD07", "TD24", "TD25", "TD26"), Sort("380")),
        **dict.fromkeys(("TD02", "TD03"), Sort("386")),
        **dict.fromkeys(("TD04", "TD08"), Sort("381")),
        **dict.fromkeys(("TD05", "TD09"), Sort("383")),
        **dict.fromkeys(
            (
                *("TD16", "TD17", "TD18", "TD19", "TD20", "TD21", "TD22", "TD23", "TD27"),
                *("TD28", "TD29"),
            ),
            Sort("380", owed=False),
        ),
    }
)
# What the buyer made out in the name of the seller.
SELF_BILLED: Final = MappingProxyType({"380": "389", "381": "261"})

# Why a line bears no tax (Natura), as the categories of EN 16931; the longest start that fits.
CATEGORIES: Final = MappingProxyType(
    {"N1": "O", "N2": "O", "N3": "E", "N3.1": "G", "N3.2": "K", "N4": "E", "N5": "E", "N6": "AE"}
)


def category(nature: str, percent: str) -> str:
    """Give the category of EN 16931 of a rate or of the reason why there is none."""
    if not nature:
        return "S" if percent and percent != "0" else ""
    return CATEGORIES.get(nature) or CATEGORIES.get(nature[:2]) or "O"


_GENERAL: Final = "DatiGenerali/DatiGeneraliDocumento"


@lru_cache(maxsize=64)
def places(body: str) -> Mapping[str, str]:
    """Spell the path of every field of a body as a person would write it in XPath."""
    header, general = "FatturaElettronicaHeader", f"{body}/{_GENERAL}"
    summary, paid = f"{body}/DatiBeniServizi/DatiRiepilogo", f"{body}/DatiPagamento"
    detail = f"{paid}/DettaglioPagamento"
    return MappingProxyType(
        {
            "version": "@versione",
            "seller": f"{header}/CedentePrestatore",
            "buyer": f"{header}/CessionarioCommittente",
            "buyer_reference": f"{header}/CedentePrestatore/RiferimentoAmministrazione",
            "type_code": f"{general}/TipoDocumento",
            "currency": f"{general}/Divisa",
            "issue_on": f"{general}/Data",
            "number": f"{general}/Numero",
            "withheld": f"{general}/DatiRitenuta/ImportoRitenuta",
            "stamp": f"{general}/DatiBollo/ImportoBollo",
            "allowance": f"{general}/ScontoMaggiorazione",
            "gross": f"{general}/ImportoTotaleDocumento",
            "rounding": f"{general}/Arrotondamento",
            "notes": f"{general}/Causale",
            "order_reference": f"{body}/DatiGenerali/DatiOrdineAcquisto",
            "contract_reference": f"{body}/DatiGenerali/DatiContratto",
            "receipt_references": f"{body}/DatiGenerali/DatiRicezione",
            "billing_references": f"{body}/DatiGenerali/DatiFattureCollegate",
            "despatch_references": f"{body}/DatiGenerali/DatiDDT",
            "delivered_on": f"{body}/DatiGenerali/DatiTrasporto/DataOraConsegna",
            "tax_subtotals": summary,
            "net": f"{summary}/ImponibileImporto",
            "tax": f"{summary}/Imposta",
            "split": f"{summary}/EsigibilitaIVA",
            "lines": f"{body}/DatiBeniServizi/DettaglioLinee",
            "terms": f"{paid}/CondizioniPagamento",
            "payee": f"{detail}/Beneficiario",
            "due_on": f"{detail}/DataScadenzaPagamento",
            "payable": f"{detail}/ImportoPagamento",
            "accounts": f"{detail}/IBAN",
            "payment_reference": f"{detail}/CodicePagamento",
            # the simplified invoice
            "amount": f"{body}/DatiBeniServizi/Importo",
            "rectified": f"{body}/DatiGenerali/DatiFatturaRettificata",
        }
    )


@lru_cache(maxsize=64)
def line_places(body: str) -> Mapping[str, str]:
    """Spell the path of every field of a line."""
    return MappingProxyType(
        {
            "": f"{body}/DatiBeniServizi/DettaglioLinee",
            "line_id": "NumeroLinea",
            "item_name": "Descrizione",
            "quantity": "Quantita",
            "unit": "UnitaMisura",
            "price": "PrezzoUnitario",
            "allowance": "ScontoMaggiorazione",
            "net": "PrezzoTotale",
            "tax": "AliquotaIVA",
            "nature": "Natura",
        }
    )
