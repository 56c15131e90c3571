"""Who the parties of an import are, asked once each and outside any transaction."""

from collections.abc import Iterable

from scf.db.platform import Platform
from scf.documents.canonical import CanonicalDocument, Party
from scf.documents.readers.again import Named
from scf.parties.identity.resolving import Said, settle_parties


class Lookup:
    """The firms that the documents of one import name."""

    def __init__(self, platform: Platform, org_id: str) -> None:
        self._platform = platform
        self._org_id = org_id
        self.firms: dict[Party, str | None] = {}
        # Those whose numbers and name lead to different firms.
        self.contradicting: set[Party] = set()

    def unknown(self, documents: Iterable[CanonicalDocument | Named]) -> set[Party]:
        """Look up the parties that are new; gives those of these documents that nobody knows."""
        parties = {party for one in documents for party in (one.seller, one.buyer)}
        self.firms |= self._ask([party for party in parties if party not in self.firms])
        return {party for party in parties if self.firms[party] is None}

    def known_by_now(self) -> list[str]:
        """Give the firms that became ACTIVE while the import ran: their job may have been first."""
        missing = [party for party, firm_id in self.firms.items() if firm_id is None]
        return sorted({firm_id for firm_id in self._ask(missing).values() if firm_id is not None})

    def _ask(self, parties: list[Party]) -> dict[Party, str | None]:
        if not parties:
            return {}
        with self._platform.db.snapshot() as conn:
            settled = settle_parties(
                conn,
                [Said(party.identifiers, party.name, party.country) for party in parties],
                self._org_id,
            )
        found = dict(zip(parties, settled, strict=True))
        self.contradicting |= {party for party, one in found.items() if one.contradicts}
        return {party: one.firm_id for party, one in found.items()}
