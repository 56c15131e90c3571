"""The portal: pages for people, rendered here, working without any script.

One package per role; ``gate`` holds the door, ``pages`` what all roles share, ``shell`` and
``navigation`` what surrounds every page.
"""

from web.portal import notices, search, who
from web.portal.gate import enrol, kept, sign_in
from web.portal.pages import portal

__all__ = ["enrol", "kept", "notices", "portal", "search", "sign_in", "who"]
