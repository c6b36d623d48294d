"""`manage.py load_example`: a finished run that everybody may look at, with data, log, curves and result."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bert_training.services.errors import ServiceError
from bert_training.services.example.loading import ExampleRefused, load_example


class Command(BaseCommand):
    help = "Load the example run, which everybody with a role may see and nobody can change. Twice is once."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it, or say that it is there."""
        try:
            run, is_new = load_example()
        except (ExampleRefused, ServiceError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The example is run {run.pk}." if is_new else f"The example is there already: run {run.pk}.")
