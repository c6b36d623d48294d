"""`manage.py demo`: from nothing to a BERT in training, in the browser."""

import signal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bert_training.demo.client import PortalRefused
from bert_training.demo.processes import PROJECT_FOLDER, PrepareFailed
from bert_training.demo.story import STEPS, DemoFailed, play


class Command(BaseCommand):
    help = "Start a portal of its own in var/demo, upload the sample spreadsheets and train a small BERT on one."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --once, --steps, --port and --folder."""
        parser.add_argument("--once", action="store_true", help="end when the run has ended; status 0 only on success")
        parser.add_argument("--steps", type=int, default=STEPS, help="train this many steps (default: %(default)s)")
        parser.add_argument("--port", type=int, help="listen on this port (default: 8000, else any free one)")
        parser.add_argument("--folder", type=Path, default=PROJECT_FOLDER / "var" / "demo", help="where all is kept")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play the story and turn a failure into status 1 with its reason."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped from outside it cleans up as on Ctrl-C
        try:
            play(
                options["folder"].resolve(),
                port=options["port"],
                steps=options["steps"],
                once=options["once"],
                say=self._say,
            )
        except (DemoFailed, PrepareFailed, PortalRefused) as error:
            raise CommandError(f"The demo failed. {error}") from error
        except KeyboardInterrupt:
            self._say("The demo has ended. `make demo` starts it again with what it made.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
