"""The portal: pages for people, rendered here, working without any script.

So far signing in and one page that shows who you are and your invoices.
"""

from web.portal.pages import portal

__all__ = ["portal"]
