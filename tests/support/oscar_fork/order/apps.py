"""Name this app in place of Oscar's own."""

from oscar.apps.order import apps


class OrderConfig(apps.OrderConfig):  # type: ignore[misc]
    """Oscar's orders under another path."""

    name = "oscar_fork.order"
