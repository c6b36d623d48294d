"""Every page that people see, with who looks at it and on which rows. A page without a line here fails its test.

One line a page: the route's name and how it is looked at. `rows` are those of tests/full_house.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib import admin
from django.urls import reverse

from tests.access.routes import routes
from tests.full_house import House

STRANGER = ""  # not signed in
NO_ROWS: Sequence[str | None] = (None,)


@dataclass(frozen=True)
class Look:
    """Who opens a route, with which rows as its `pk`, and what stands behind the address: {name} is a row's number."""

    who: Sequence[str] = ("root",)
    rows: Sequence[str | None] = NO_ROWS
    query: str = ""


ROOT = Look()
NOBODY = Look(who=[STRANGER])
ANA = Look(who=["ana"])
PAGES: dict[str, Look] = {
    "pages:home": Look(who=["root", "ana", "otto", "nina"]),
    "pages:sign-in": NOBODY,
    "pages:account": ANA,
    "pages:invitation": NOBODY,
    "pages:datasets": Look(who=["root", "ana"]),
    "pages:dataset-upload": Look(query="?task=token-classification"),
    "pages:dataset": Look(rows=["texts", "entities", "refused"]),
    "pages:dataset-delete": Look(rows=["texts"]),
    "pages:dataset-manifest": Look(rows=["texts"]),
    "pages:dataset-repair": Look(rows=["texts"]),
    "pages:erasures": ROOT,
    "pages:erasure": Look(rows=["erasure"]),
    "pages:runs": Look(who=["root", "bruno"]),
    "pages:run-new": Look(query="?dataset={texts}&preset=balanced"),
    "pages:run": Look(rows=["result", "tagged", "failed", "running", "queued"]),
    "pages:run-cancel": Look(rows=["running"]),
    "pages:run-finish": Look(rows=["running"]),
    "pages:run-reproduce": Look(rows=["result"]),
    "pages:run-repeats-cancel": Look(rows=["result"]),
    "pages:run-label-errors": Look(rows=["result"]),
    "pages:run-rows": Look(rows=["result", "tagged"]),
    "pages:run-slices": Look(rows=["result"]),
    "pages:run-split": Look(rows=["result"]),
    "pages:dataset-split": Look(rows=["texts"]),
    "pages:runs-compare": Look(who=["ana"], query="?runs={result}&runs={again}"),
    "pages:runs-scatter": ANA,
    "pages:notifications": ANA,
    "pages:notification-choices": ANA,
    "pages:help": ANA,
    "pages:help-topic": ANA,
    "pages:queue": Look(who=["otto", "ana"]),
    "pages:queue-priority": Look(who=["otto"], rows=["job"]),
    "pages:workers": Look(who=["otto", "ana"]),
    "pages:worker": Look(who=["otto"], rows=["gpu"]),
    "pages:worker-hours": Look(who=["otto"], rows=["gpu"]),
    "pages:worker-connect": ROOT,
    "pages:worker-connection": Look(rows=["gpu"]),
    "pages:worker-switch": Look(who=["otto"], rows=["gpu"]),
    "pages:tokens": ANA,
    "pages:token-new": ANA,
    "pages:token-rotate": Look(who=["ana"], rows=["token"]),
    "pages:token-revoke": Look(who=["ana"], rows=["token"]),
    "account_change_password": ANA,
    "account_reauthenticate": ANA,
    "usersessions_list": ANA,
    "mfa_index": ANA,
    "mfa_activate_totp": ANA,
    "password-reset-ask": NOBODY,
}

# Routes that show no page of their own to who asks by GET, with what they are instead.
NO_PAGES = {
    "health-live": "for monitoring",
    "health-ready": "for monitoring",
    "account_login": "another name of the sign-in",
    "account_logout": "another name of signing out",
    "mfa_authenticate": "the second step of a sign-in: tests/accounts/test_two_factor.py goes through it",
    "mfa_reauthenticate": "who has no second factor is sent elsewhere",
    "mfa_deactivate_totp": "who has no second factor is sent elsewhere",
    "mfa_generate_recovery_codes": "who has no second factor is sent elsewhere",
    "oidc-start": "leads to the provider",
    "oidc-callback": "leads on",
    "password-reset": "leads to the same address with the link in the session",
    "pages:sign-out": "a button",
    "pages:language": "a button",
    "pages:dataset-sample": "a file",
    "pages:dataset-download": "a file",
    "pages:dataset-problems": "a file",
    "pages:dataset-workbook": "a file",
    "pages:dataset-share": "a button",
    "pages:dataset-profile": "a button; leads back to the dataset",
    "pages:erasure-settle": "a button",
    "pages:run-share": "a button",
    "pages:run-repeats": "a form of the run's page; leads back to it",
    "pages:run-model-card": "a file",
    "pages:run-label-errors-workbook": "a file",
    "pages:run-manifest": "a file",
    "pages:run-metrics": "a file",
    "pages:queue-move": "a button",
    "pages:home-aside": "a button",
    "pages:runs-archive": "a form of the list; asks on a page of its own",
    "pages:runs-unarchive": "a form of the list; asks on a page of its own",
    "pages:run-marks": "a form of the run's page; leads back to it",
    "pages:run-predictions": "a file",
    "pages:run-log": "a file",
    "pages:run-training-history": "a file",
    "pages:worker-program": "a file",
    "pages:notifications-read": "a button",
    "pages:notification-open": "leads on",
}
FILES = ("-svg", "-csv", "-pdf", "-html", "-md")  # how names of routes that send a file end


def routes_without_a_line() -> set[str]:
    """Name the routes that are neither looked at nor said to be no page.

    Those of the API are for programs, and its description is Swagger's own; addresses_of_admin finds the admin's.
    """
    names = {route.name for route in routes() if not route.name.startswith(("admin:", "api:"))}
    names = {name for name in names if not name.endswith(FILES)}
    return names - PAGES.keys() - NO_PAGES.keys()


def looks(house: House) -> Iterator[tuple[str, str]]:
    """Yield who opens which address, one person's pages after the other's."""
    found = [(who, address) for name, look in PAGES.items() for who, address in _looks(house, name, look)]
    yield from sorted(found, key=lambda each: each[0])


def _looks(house: House, name: str, look: Look) -> Iterator[tuple[str, str]]:
    route = next(route for route in routes() if route.name == name)
    for row in look.rows:
        values = {**house.arguments, **({"pk": house.rows[row].pk} if row else {})}
        address = reverse(name, kwargs={argument: values[argument] for argument in route.arguments})
        query = look.query.format(**{name: row.pk for name, row in house.rows.items()})
        yield from ((who, address + query) for who in look.who)


def addresses_of_admin() -> Iterator[str]:
    """Yield the first page, and of each kind of row its list, form, page, history and question before deletion."""
    yield reverse("admin:index")
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_"
        yield from (reverse(name + page) for page in ("changelist", "add"))
        row = model._default_manager.first()
        if row is not None:
            yield from (reverse(name + page, args=[row.pk]) for page in ("change", "history", "delete"))
