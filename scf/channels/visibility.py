"""Who sees channels, their files and what they write: the organisation whose they are."""

from sqlalchemy import ColumnElement
from sqlmodel import col

from scf.channels.models import Channel, ChannelFile, ChannelOutput
from scf.db.visibility import visible_to
from scf.kernel.actor import Actor


@visible_to(Channel)
def _channels(actor: Actor) -> ColumnElement[bool]:
    return col(Channel.org_id) == actor.org_id


@visible_to(ChannelFile)
def _files(actor: Actor) -> ColumnElement[bool]:
    return col(ChannelFile.org_id) == actor.org_id


@visible_to(ChannelOutput)
def _outputs(actor: Actor) -> ColumnElement[bool]:
    return col(ChannelOutput.org_id) == actor.org_id
