"""Starts a supervisor: `python -m bert_training.worker`, or `manage.py run_worker` with the same flags. No Django."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from bert_training.worker.client import PortalClient
from bert_training.worker.console import set_up_console
from bert_training.worker.context import WorkerContext
from bert_training.worker.doctor import examine
from bert_training.worker.exits import ExitCode
from bert_training.worker.forgetting import Forgetting
from bert_training.worker.gauges import Gauges
from bert_training.worker.heartbeat import Heartbeat
from bert_training.worker.loop import ClaimLoop
from bert_training.worker.machine import UNKNOWN, package_version, read_disk
from bert_training.worker.model_store import FolderInUse, ModelStore
from bert_training.worker.options import OptionError, Options, add_arguments, read_options
from bert_training.worker.orders import WorkerOrders
from bert_training.worker.process_control import on_stop_signals
from bert_training.worker.retry import Retrier
from bert_training.worker.tails import Tails
from bert_training.worker.timing import Timing

DEVELOPMENT_VERSION = "0.1.0"  # of a checkout that is not installed; a test compares it with pyproject.toml

logger = logging.getLogger("bert_training.worker")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with command line arguments. Returns the exit code."""
    parser = argparse.ArgumentParser("run_worker", description="Trains the portal's runs on this computer.")
    add_arguments(parser)
    try:
        options = read_options(vars(parser.parse_args(arguments)), os.environ)
    except OptionError as error:
        sys.stderr.write(f"{error}\n")
        return ExitCode.WRONG_OPTIONS
    return run_supervisor(options)


def run_supervisor(options: Options, timing: Timing | None = None) -> int:
    """Run one supervisor until it is told to stop. Returns the exit code."""
    set_up_console(debug=options.debug)
    logger.info("worker starts: %s", options.describe())
    try:
        store = ModelStore(options.models_dir)
        store.acquire()
        context = make_context(options, store, timing or Timing())
    except FolderInUse as error:
        logger.error("%s", error)
        return ExitCode.CONFLICT
    except OSError as error:
        logger.error("--models-dir %s cannot be used: %s", options.models_dir, error)
        return ExitCode.WRONG_OPTIONS
    try:
        return _supervise(context)
    finally:
        store.release()


def make_context(options: Options, store: ModelStore, timing: Timing) -> WorkerContext:
    """Put the parts of a supervisor together."""
    instance = store.next_instance()
    version = package_version("bert-training-portal")
    client = PortalClient(
        options.api_url,
        options.token,
        instance=instance,
        version=DEVELOPMENT_VERSION if version == UNKNOWN else version,
        is_loopback=options.is_loopback,
    )
    orders = WorkerOrders(timing, grace=options.grace)
    retrier = Retrier(options.token, timing)
    gauges = Gauges(lambda: read_disk(store.folder), timing)
    forgetting = Forgetting(store, timing)
    heartbeat = Heartbeat(
        client, retrier, orders, instance=instance, gauges=gauges, forgetting=forgetting, timing=timing
    )
    return WorkerContext(
        options=options,
        instance=instance,
        store=store,
        client=client,
        retrier=retrier,
        heartbeat=heartbeat,
        orders=orders,
        timing=timing,
    )


def _supervise(context: WorkerContext) -> int:
    # The handler only notes: a log record from inside it could wait for a lock of the thread that it interrupts.
    on_stop_signals(context.orders.request_stop)
    tails = Tails(context)
    try:
        if context.options.dry_run and not examine(context) and not context.orders.is_stopping:
            return ExitCode.CHECK_FAILED
        context.heartbeat.start()
        context.heartbeat.forgetting.await_first_orders(lambda: context.orders.is_stopping)
        tails.start()
        code = ClaimLoop(context, after_job=tails.collect).run()
        context.heartbeat.say_goodbye()
    finally:
        tails.stop()
        context.heartbeat.stop()
        context.client.close()
    logger.info("worker ends: %s", code.name.lower())
    return code


if __name__ == "__main__":
    sys.exit(main())
