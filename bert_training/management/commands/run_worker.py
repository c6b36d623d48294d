"""`manage.py run_worker`: bert_training.worker as a management command. Needs neither database nor key."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bert_training.worker.__main__ import run_supervisor
from bert_training.worker.options import OptionError, add_arguments, read_options


class Command(BaseCommand):
    """Takes jobs from a portal and trains them on this computer."""

    help = "Takes jobs from a portal, trains them on this computer, and keeps the weights here."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the worker's flags beside Django's own."""
        add_arguments(parser)

    def handle(self, *_args: Any, **flags: Any) -> None:
        """Run until told to stop."""
        try:
            options = read_options(flags, os.environ)
        except OptionError as error:
            raise CommandError(str(error), returncode=2) from error
        raise SystemExit(int(run_supervisor(options)))
