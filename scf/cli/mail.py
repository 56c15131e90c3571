"""E-mail: try whether the configured server takes a letter."""

from typing import Annotated

import typer

from scf.cli.common import SESSION, show
from scf.kernel.errors import Unavailable

mail = typer.Typer(help="E-mail to people.", no_args_is_help=True)
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="Your own mailbox")]


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(mail, name="mail")


@mail.command("test")
def mail_test(address: Address) -> None:
    """Hand one letter in at the configured mail server and tell what it said."""
    from scf.bootstrap import postman
    from scf.notices.mail.relay import Away, Later, Refused

    office = postman(SESSION.platform, SESSION.settings, SESSION.vault)
    if office is None:
        raise Unavailable("MAIL_OFF", "No mail server is configured: set SCF_MAIL_SERVER.")
    try:
        office.try_out(address)
    except Away as away:
        raise Unavailable(
            "MAIL_AWAY", "The mail server cannot be used (%(problem)s): %(said)s",
            problem=away.code, said=str(away.said),
        ) from None  # fmt: skip
    except (Later, Refused) as refusal:
        raise Unavailable(
            "MAIL_REFUSED", "The mail server does not take the letter: %(said)s",
            said=str(refusal.said),
        ) from None  # fmt: skip
    show({"to": address, "from": office.relay.sender, "handed_in": True})
