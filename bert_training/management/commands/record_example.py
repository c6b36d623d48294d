"""`manage.py record_example`: trains the example run anew and writes it into the program's folder.

For developers, when the sample spreadsheet or what a worker sends has changed.
"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bert_training.demo.example import train_example
from bert_training.demo.processes import PROJECT_FOLDER
from bert_training.demo.story import DemoFailed
from bert_training.models import Run
from bert_training.services.example.recorded import EXAMPLE_FILE
from bert_training.services.example.recording import record_run


class Command(BaseCommand):
    help = "Train the example run on a portal of its own and keep what it gave (for developers)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --run and --folder."""
        parser.add_argument("--run", type=int, help="write down this run of this portal instead of training one")
        parser.add_argument("--folder", type=Path, default=PROJECT_FOLDER / "var" / "example", help="where it trains")

    def handle(self, *args: Any, **options: Any) -> None:
        """Train, or write down a run that has ended."""
        if options["run"] is not None:
            run = Run.objects.select_related("job", "dataset", "proof").get(pk=options["run"])
            record_run(run, EXAMPLE_FILE, folder=settings.DATA_DIR)
            return
        try:
            train_example(options["folder"].resolve(), say=self.stdout.write)
        except DemoFailed as error:
            raise CommandError(str(error)) from error
