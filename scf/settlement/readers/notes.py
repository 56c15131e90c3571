"""What is wrong in a bank's file, gathered with its place while the file is read."""

from __future__ import annotations

from typing import Final

from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.xml import Element

MAX_FINDINGS: Final = 1_000


class Notes:
    """The findings of one file; a reader notes and goes on, and never keeps the first only."""

    def __init__(self) -> None:
        """Start without findings."""
        self._findings: list[Finding] = []
        self._unshown = 0

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, at most MAX_FINDINGS and then one that says how many more there are."""
        if not self._unshown:
            return tuple(self._findings)
        more = Finding(
            Severity.ERROR,
            "MORE_FINDINGS",
            Words("%(count)s further findings are not shown.", count=self._unshown),
        )
        return (*self._findings, more)

    def note(
        self, severity: Severity, code: str, message: str, at: Element | str, value: str = ""
    ) -> None:
        """Keep one finding; ``at`` is the element itself or a ready place."""
        if len(self._findings) >= MAX_FINDINGS:
            self._unshown += 1
            return
        self._findings.append(Finding(severity, code, message, place=self._place(at), value=value))

    def error(self, code: str, message: str, at: Element | str, value: str = "") -> None:
        """Keep one finding that makes the file unfit for posting."""
        self.note(Severity.ERROR, code, message, at, value)

    def warn(self, code: str, message: str, at: Element | str, value: str = "") -> None:
        """Keep one finding that a person should see."""
        self.note(Severity.WARNING, code, message, at, value)

    def _place(self, at: Element | str) -> str:
        return str(at)

    def check_balance(self, counted: int, stated: int, at: Element | str) -> None:
        """Hold opening balance plus booked entries against the closing one; minor units."""
        if counted != stated:
            self.error(
                "BALANCE_CHECK",
                Words(
                    "Opening balance plus booked entries is not the closing balance "
                    "(minor units: %(counted)s against %(stated)s).",
                    counted=counted,
                    stated=stated,
                ),
                at,
                str(stated - counted),
            )
