"""`manage.py train_local`: bert_training.worker.local as a management command. Needs neither database nor key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from bert_training.worker.local.__main__ import run
from bert_training.worker.local.options import add_arguments


class Command(BaseCommand):
    """Trains on a spreadsheet on this computer, without a portal."""

    help = "Trains on a spreadsheet on this computer, without a portal, and leaves model, predictions and proof."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the flags beside Django's own."""
        add_arguments(parser)

    def handle(self, *_args: Any, **flags: Any) -> None:
        """Train to the end, or until Ctrl-C."""
        raise SystemExit(run(flags))
