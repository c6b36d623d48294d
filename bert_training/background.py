"""What django-q2 runs, by dotted name: short, idempotent functions that call one service each and never raise."""

import logging
from collections.abc import Callable

from bert_training.services import erasures, password_links, profiles, rate_limits, sessions, sweep
from bert_training.services.answers import run_pairs
from bert_training.services.doubting import corrections
from bert_training.services.errors import StorageAway, StorageFull
from bert_training.services.notifying import announcing, dispatches, house, inbox, sending
from bert_training.services.proving import listed_results, proofs
from bert_training.services.repeating import fold_doubts
from bert_training.services.reproducing import reproduction_measures
from bert_training.services.stored_check import check_later, check_stored_dataset, refuse_unchecked
from bert_training.services.stored_workbooks import make_stored_workbook

logger = logging.getLogger(__name__)


def sweep_files() -> None:
    """Remove what nobody needs, and what a deletion could not reach, once a day."""
    _do_each(
        erasures.clear_stores,
        sweep.sweep_files,
        sweep.sweep_predictions,
        rate_limits.forget_full_buckets,
        sessions.forget_ended_sessions,
        inbox.forget_old_notifications,
        sweep.sweep_working_folders,
    )


def watch_house() -> None:
    """Note what nobody reports by itself, and go on with what is on its way, every two minutes."""
    _do_each(house.watch, announcing.announce_overdue, dispatches.send_overdue)


def _do_each(*works: Callable[[], object]) -> None:
    """Do each of these whether or not others fail."""
    for work in works:
        try:
            work()
        except Exception:
            logger.exception("a part of planned work failed", extra={"work": work.__name__})


def check_dataset(pk: int) -> None:
    """Check a large upload; when the check itself fails, the dataset says so instead of waiting for ever."""
    try:
        check_stored_dataset(pk)
    except StorageAway:
        check_later(pk)
    except Exception:
        logger.exception("dataset check failed", extra={"dataset": pk})
        refuse_unchecked(pk)


def make_profile(pk: int) -> None:
    """Make the profile of a dataset; when that fails, it says so instead of waiting for ever."""
    try:
        profiles.make_profile(pk)
        corrections.note_corrections(pk)
    except StorageAway:
        profiles.make_profile_later(pk)
    except Exception:
        logger.exception("profile failed", extra={"dataset": pk})
        profiles.fail_profile(pk)


def make_proof(pk: int) -> None:
    """Make the proof of a run; when that fails, it says so instead of waiting for ever."""
    try:
        proofs.make_proof(pk)
        fold_doubts.start_fold_doubts(pk)
    except (StorageAway, StorageFull):
        proofs.make_proof_later(pk)
    except Exception:
        logger.exception("proof failed", extra={"run": pk})
        proofs.fail_proof(pk)


def judge_runs() -> None:
    """Judge the proofs of all runs by the scales of now; when that fails, lists show what was judged before."""
    try:
        listed_results.judge_runs()
    except Exception:
        logger.exception("runs not judged anew")


def find_fold_doubts(pk: int) -> None:
    """Look for label errors in a cross-validated run; when that fails, those of the linear baseline stay."""
    try:
        fold_doubts.find_fold_doubts(pk)
    except StorageAway:
        fold_doubts.find_fold_doubts_later(pk)
    except Exception:
        logger.exception("label errors of folds not found", extra={"run": pk})


def make_workbook(pk: int, name: str, language: str) -> None:
    """Make a workbook of a large dataset; what was stored before tells the user when this fails."""
    try:
        make_stored_workbook(pk, name, language)
    except Exception:
        logger.exception("workbook failed", extra={"dataset": pk})


def compare_runs(first: int, second: int) -> None:
    """Compare the answers of two runs that are too many to compare while somebody waits."""
    try:
        reproduction_measures.compare_stored_runs(first, second)
    except Exception:
        logger.exception("runs not compared", extra={"first": first, "second": second})


def pair_runs(runs: list[int]) -> None:
    """Set several runs against the first where their answers are too many to do it while somebody waits."""
    try:
        run_pairs.pair_stored_runs(runs)
    except Exception:
        logger.exception("runs not paired", extra={"runs": runs})


def mail_password_links(numbers: list[int], request_id: str, address: str) -> None:
    """Mail people the links that they asked for."""
    try:
        password_links.mail_password_links(numbers, request_id, address)
    except Exception:
        logger.exception("password links not mailed")


def announce(key: str) -> None:
    """Tell people what was noted; when that fails, the watch over the house tries again."""
    try:
        announcing.announce(key)
    except Exception:
        logger.exception("not announced", extra={"key": key})


def send_dispatch(pk: int) -> None:
    """Send an e-mail or call a webhook; what fails here is tried again after its time."""
    try:
        sending.send(pk)
    except Exception:
        logger.exception("not sent", extra={"dispatch": pk})
