#!/usr/bin/env python
"""Django's command line: `python manage.py help` lists what there is."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if sys.argv[1:2] == ["run_worker"]:
        # A GPU PC needs no application: loading it takes 1.1 s of CPU, without it the first line comes after 0.3 s.
        # Imported here: the portal's own installation does not have the worker's packages.
        from bert_training.management.commands.run_worker import Command as RunWorker

        RunWorker().run_from_argv(sys.argv)
    elif sys.argv[1:2] == ["train_local"]:
        from bert_training.management.commands.train_local import Command as TrainLocal  # as above

        TrainLocal().run_from_argv(sys.argv)
    else:
        execute_from_command_line(sys.argv)
