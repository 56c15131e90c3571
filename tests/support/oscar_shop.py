"""The shop that tests start: django-oscar with its API, and a counter at which tests act.

Run as a program of its own, never imported: ``prepare FILE`` makes the database of a shop with two
products, one customer and one clerk; ``serve FILE PORT`` runs it on loopback. At ``/counter/`` the
test's orders are placed, changed and cancelled by Oscar's own code, and the next answers of the API
can be made slow or broken.
"""

import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import django
from django.conf import settings

CLERK, PASSWORD = "scf", "quarry-lantern-58"
WAITS = 7.0  # seconds that a slow answer takes


def _configure(file: Path) -> None:
    import oscar
    from oscar import defaults

    settings.configure(
        **{name: getattr(defaults, name) for name in dir(defaults) if name.isupper()}
        | {
            "OSCAR_SHOP_NAME": "Shop",
            "OSCAR_DEFAULT_CURRENCY": "EUR",
            "OSCAR_INITIAL_ORDER_STATUS": "Pending",
            "OSCAR_ORDER_STATUS_PIPELINE": {
                "Pending": ("Being processed", "Cancelled"),
                "Being processed": ("Complete", "Cancelled"),
                "Complete": (),
                "Cancelled": (),
            },
        },
        OSCARAPI_BLOCK_ADMIN_API_ACCESS=False,
        REST_FRAMEWORK={
            "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
            "PAGE_SIZE": 5,
        },
        SECRET_KEY="of this shop alone",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="oscar_shop",
        USE_TZ=True,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # quick signing in
        SITE_ID=1,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[*_apps(oscar.INSTALLED_APPS), "rest_framework", "oscarapi"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "oscarapi.middleware.ApiBasketMiddleWare",
            "oscar_shop.moody",
        ],
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        STATIC_URL="static/",
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"lines": {"class": "logging.StreamHandler"}},
            "loggers": {"django.request": {"handlers": ["lines"]}},
        },
        HAYSTACK_CONNECTIONS={
            "default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}
        },
    )  # fmt: skip
    django.setup()


def _apps(own: list[str]) -> list[str]:
    """Give Oscar's apps with the fork of one of them in its place."""
    ours = {"oscar.apps.order.apps.OrderConfig": "oscar_fork.order.apps.OrderConfig"}
    return [ours.get(one, one) for one in own]


# --- Its database ---------------------------------------------------------------------------------


def _prepare() -> None:
    from django.contrib.auth.models import Permission, User
    from django.core.management import call_command
    from oscar.core.loading import get_class, get_model

    settings.MIGRATION_MODULES = {one.label: None for one in django.apps.apps.get_app_configs()}
    call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)
    clerk = User.objects.create_user(CLERK, "scf@shop.example", PASSWORD, is_staff=True)
    clerk.user_permissions.set(
        Permission.objects.filter(codename__in=("view_order", "view_line", "view_user"))
    )
    User.objects.create_user("idle", "idle@shop.example", PASSWORD)
    get_model("address", "Country").objects.create(
        iso_3166_1_a2="DE", iso_3166_1_a3="DEU", iso_3166_1_numeric="276", printable_name="Germany"
    )
    kind = get_model("catalogue", "ProductClass").objects.create(name="Parts", track_stock=False)
    partner = get_model("partner", "Partner").objects.create(name="Own stock")
    for upc, title in (("PH-7", "Pump housing"), ("VS-2", "Valve seat")):
        product = get_model("catalogue", "Product").objects.create(
            product_class=kind, upc=upc, title=title
        )
        get_model("partner", "StockRecord").objects.create(
            product=product, partner=partner, partner_sku=upc, price=Decimal("12.50")
        )
    get_class("order.utils", "OrderCreator")  # loads what a first order would load


# --- What tests do at the counter -----------------------------------------------------------------

MOOD = {"is": "fine"}


def counter(request: Any) -> Any:  # noqa: ANN401 - Django is not typed
    """Do one thing of the test's."""
    from django.http import JsonResponse

    asked = json.loads(request.body)
    acts: dict[str, Callable[..., str]] = {
        "place": _place, "status": _status, "amend": _amend, "mood": _mood,
    }  # fmt: skip
    return JsonResponse(acts[asked.pop("act")](**asked), safe=False)


def _place(
    number: str,
    buyer: str,
    lines: list[tuple[str, int, str, str]],
    on: str,
    currency: str = "EUR",
    shipping: str = "0.00",
    vatin: str = "",
) -> str:
    """Place an order: each line a product, a quantity, and its price without and with tax."""
    from django.contrib.auth.models import User
    from django.db import transaction
    from django.utils.dateparse import parse_datetime
    from oscar.core.loading import get_model

    order, line = get_model("order", "Order"), get_model("order", "Line")
    product = get_model("catalogue", "Product")
    net_sum = sum((Decimal(net) for _upc, _many, net, _all in lines), Decimal(shipping))
    gross_sum = sum((Decimal(gross) for _upc, _many, _net, gross in lines), Decimal(shipping))
    with transaction.atomic():
        user, _new = User.objects.get_or_create(
            username=buyer.replace(" ", "-").lower(),
            defaults={"email": f"{buyer.split(' ', maxsplit=1)[0].lower()}@customer.example"},
        )
        address = get_model("order", "BillingAddress").objects.create(
            first_name="", last_name=buyer, line1="Mill Road 1", line4="Hamburg",
            postcode="20095", country_id="DE", vatin=vatin,
        )  # fmt: skip
        made = order.objects.create(
            number=number, user=user, billing_address=address, currency=currency,
            total_excl_tax=net_sum, total_incl_tax=gross_sum,
            shipping_excl_tax=Decimal(shipping), shipping_incl_tax=Decimal(shipping),
            status="Pending", date_placed=parse_datetime(on),
        )  # fmt: skip
        for upc, many, net, gross in lines:
            article = product.objects.get(upc=upc)
            line.objects.create(
                order=made, product=article, stockrecord=article.stockrecords.first(),
                partner_name="Own stock", partner_sku=upc, title=article.title, upc=upc,
                quantity=many, num_allocated=0,
                line_price_excl_tax=Decimal(net), line_price_incl_tax=Decimal(gross),
                line_price_before_discounts_excl_tax=Decimal(net),
                line_price_before_discounts_incl_tax=Decimal(gross), status="Pending",
            )  # fmt: skip
    return str(made.pk)


def _status(number: str, status: str) -> str:
    """Let an order go on to its next status, as the shop's dashboard does."""
    from oscar.core.loading import get_class, get_model

    order = get_model("order", "Order").objects.get(number=number)
    get_class("order.processing", "EventHandler")().handle_order_status_change(order, status)
    return str(order.status)


def _amend(number: str, quantity: int, net: str, gross: str) -> str:
    """Change the first line of an order, and its totals with it."""
    from django.db import transaction
    from oscar.core.loading import get_model

    with transaction.atomic():
        order = get_model("order", "Order").objects.get(number=number)
        line = order.lines.order_by("id").first()
        order.total_excl_tax += Decimal(net) - line.line_price_excl_tax
        order.total_incl_tax += Decimal(gross) - line.line_price_incl_tax
        line.quantity = quantity
        line.line_price_excl_tax, line.line_price_incl_tax = Decimal(net), Decimal(gross)
        line.save()
        order.save()
    return str(order.pk)


def _mood(mood: str) -> str:
    MOOD["is"] = mood
    return mood


def moody(get_response: Any) -> Any:  # noqa: ANN401 - Django is not typed
    """Answer orders slowly, broken, or not at all, as long as the test wants it."""
    from django.http import HttpResponse

    def answer(request: Any) -> Any:  # noqa: ANN401
        said = get_response(request)
        mood = MOOD["is"] if "/orders/" in request.path else "fine"
        if mood == "slow":
            time.sleep(WAITS)
        elif mood == "broken":
            said = HttpResponse(said.content[: len(said.content) // 2], "application/json")
        elif mood == "down":
            said = HttpResponse("<h1>Maintenance</h1>", status=503)
        elif mood == "elsewhere":
            said = HttpResponse(
                json.dumps({"count": 1, "next": "https://other.example/api/admin/orders/?page=2",
                            "results": []}),
                "application/json",
            )  # fmt: skip
        return said

    return answer


def _serve(port: int) -> None:
    from django.core.servers.basehttp import run
    from django.core.wsgi import get_wsgi_application

    run("127.0.0.1", port, get_wsgi_application(), threading=True)


def main() -> None:
    """Do what the command line asks."""
    global urlpatterns  # noqa: PLW0603 - Django looks for this name
    sys.path.append(str(Path(__file__).parent))  # behind what is installed
    sys.modules["oscar_shop"] = sys.modules["__main__"]
    verb, file = sys.argv[1], Path(sys.argv[2])
    _configure(file)
    from django.urls import include, path

    urlpatterns = [path("api/", include("oscarapi.urls")), path("counter/", counter)]
    if verb == "prepare":
        _prepare()
    else:
        _serve(int(sys.argv[3]))


urlpatterns: list[Any] = []

if __name__ == "__main__":
    main()
