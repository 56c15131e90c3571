"""Who acts: a person of one organisation in one or more roles."""

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """The roles of people. What each may do stands in one table, ``scf/parties/access.py``."""

    TREASURER = "treasurer"
    ANCHOR_CLERK = "anchor_clerk"
    ANCHOR_APPROVER = "anchor_approver"
    OFFICER_MAKER = "officer_maker"
    OFFICER_CHECKER = "officer_checker"
    HEAD_OFFICE = "head_office"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Actor:
    """A person, or the operator of the installation, at the moment of an act.

    ``org_id`` is the organisation the person acts for: a firm, a financier or the platform.
    """

    user_id: str
    org_id: str
    roles: frozenset[Role] = field(default_factory=frozenset)
    name: str = ""

    @property
    def is_operator(self) -> bool:
        """Tell whether this is the installation's operator, who has the database anyway."""
        return Role.OPERATOR in self.roles


OPERATOR = Actor("system:operator", "platform", frozenset({Role.OPERATOR}), "operator")
