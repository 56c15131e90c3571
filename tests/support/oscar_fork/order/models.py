"""One model of Oscar's orders with one field more, and all the others as they are."""

from django.db import models
from oscar.apps.address.abstract_models import AbstractBillingAddress


class BillingAddress(AbstractBillingAddress):  # type: ignore[misc]
    """Whom an order is billed to, with the number that names a firm for everybody."""

    vatin = models.CharField(max_length=30, blank=True)


from oscar.apps.order.models import *  # noqa: E402, F403 - as Oscar's guide says
