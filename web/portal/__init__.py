"""The portal: pages for people, rendered here, working without any script.

One package per role; ``pages`` holds the door and what all roles share, ``shell`` and
``navigation`` what surrounds every page.
"""

from web.portal import search
from web.portal.pages import portal

__all__ = ["portal", "search"]
