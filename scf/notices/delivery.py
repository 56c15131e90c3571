"""What the worker does with an event of the outbox: hand it to every channel that there is."""

from scf.db.leases import Claimed
from scf.db.platform import Platform
from scf.kernel.actor import OPERATOR
from scf.notices.events import COMPOSERS


def deliver(platform: Platform, event: Claimed) -> None:
    """Tell one event to the people it concerns; the same one twice tells nobody twice."""
    if event.kind in COMPOSERS:
        payload = {"event_id": event.id, "topic": event.kind, "payload": event.payload}
        platform.run("notice.tell", payload, OPERATOR, key=f"notice:{event.id}")
