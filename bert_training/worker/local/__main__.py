"""Starts a training at a terminal: `python -m bert_training.worker.local FILE --task ...`; manage.py calls it too."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from bert_training.worker.exits import LocalExit
from bert_training.worker.local.options import add_arguments, read_options
from bert_training.worker.local.refusal import LocalRefused


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with command line arguments. Returns the exit code."""
    parser = argparse.ArgumentParser("train_local", description="Trains on a spreadsheet, without a portal.")
    add_arguments(parser)
    return run(vars(parser.parse_args(arguments)))


def run(flags: Mapping[str, Any]) -> int:
    """Run with parsed flags. Returns the exit code."""
    try:
        options = read_options(flags)
        if options.offline:
            os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
        # torch, which takes seconds: after the options are judged, and told before that it must ask no hub
        from bert_training.worker.local.training import train_here

        return train_here(options)
    except LocalRefused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return LocalExit.REFUSED
    except KeyboardInterrupt:
        sys.stderr.write("Stopped before the training began.\n")
        return LocalExit.STOPPED
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return LocalExit.FAILED


if __name__ == "__main__":
    sys.exit(main())
