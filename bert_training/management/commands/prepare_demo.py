"""`manage.py prepare_demo`: database, people and tokens for the demo; prints them as one JSON line.

Started by `manage.py demo` with settings of its own. Run again it keeps the people and gives new passwords and tokens.
"""

import json
import secrets
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand

from bert_training.contract.enums import TokenScope
from bert_training.models import Worker
from bert_training.services.tokens import issue_user_token, rotate_worker_token
from bert_training.services.workers import register_worker

WORKER_NAME = "demo"
PASSWORD_BYTES = 9
TOKEN_DAYS = 1


class Command(BaseCommand):
    help = "Make the demo's database, people and tokens (used by `manage.py demo`)."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, make ana (trainer), root (staff) and the worker, print passwords and tokens."""
        call_command("migrate", interactive=False, verbosity=0)
        passwords = {"ana": give_password("ana"), "root": give_password("root", is_staff=True, is_superuser=True)}
        ana = User.objects.get(username="ana")
        ana.groups.add(Group.objects.get(name="trainer"))
        token = issue_user_token(ana, label="demo", scope=TokenScope.RUN, days=TOKEN_DAYS)[1]
        tokens = {"token": token, "worker_token": give_worker_token()}
        self.stdout.write(json.dumps(passwords | tokens))


def give_password(name: str, **rights: bool) -> str:
    """Make a person or keep the one of that name; either way the password is new."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    person, _ = User.objects.get_or_create(username=name, defaults=rights)
    person.set_password(password)
    person.save(update_fields=["password"])
    return password


def give_worker_token() -> str:
    """Register the demo's worker, or give it a new token when there is one from an earlier demo."""
    worker = Worker.objects.filter(name=WORKER_NAME).first()
    return rotate_worker_token(worker) if worker else register_worker(name=WORKER_NAME).token
