"""Processes that pretend to train together, without torch: rank 0 starts the others, and all wait for ever.

Rank 1 does what the hyperparameter `rank_1` of the job says.
"""

import os
import threading
from pathlib import Path
from typing import Any

from bert_training.contract.enums import Reason
from bert_training.ml.machine.meeting import is_follower
from bert_training.worker.child import ChildReporter, failure, run_child
from bert_training.worker.ranks import Ranks, run_follower
from bert_training.worker.trainer_orders import CONTINUE

MODULE = "tests.worker.playing_ranks"
COUNT = 2


def lead(job: dict[str, Any], folder: Path, reporter: ChildReporter) -> dict[str, Any]:
    """Be rank 0; ends when told to, or with another."""
    ranks = Ranks(folder, int(job["attempt"]), reporter, module=MODULE)
    ranks.start(COUNT, threads=COUNT)
    (folder / "rank-0-environ").write_text(" ".join(os.environ))
    while reporter.directive() == CONTINUE:
        threading.Event().wait(0.02)
        if job["hyperparameters"].get("rank_1") == "lost connection":
            try:
                raise RuntimeError("Connection closed by peer")
            except RuntimeError:
                ranks.give_way()
                raise
    return {"outcome": "canceled"}


def follow(job: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Be another rank."""
    (Path(job["seen"]) / f"{os.environ['RANK']}-{os.getpid()}").touch()
    word = job["hyperparameters"].get("rank_1")
    if os.environ["RANK"] == "1":
        if word == "names its failure":
            return failure(Reason.GPU_OUT_OF_MEMORY, "halve batch_size")
        if word in ("crashes", "lost connection"):
            raise ZeroDivisionError("rank 1 divided")
    threading.Event().wait()
    return {}


if __name__ == "__main__":
    if is_follower():
        run_follower(follow)
    run_child(lead)
