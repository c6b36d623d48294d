"""Trains the example run anew, on a portal of its own, and has it written down for everybody's portals."""

import subprocess
from pathlib import Path

from bert_training.demo import processes
from bert_training.demo.children import Child, stop_all
from bert_training.demo.client import PortalClient
from bert_training.demo.story import BASE_MODEL, TRAINED_TASK, DemoFailed, Say, choose_port, follow, sample_file, set_up

# A third of the rows is tested, so that the intervals of the example are not all width; the rest as in the demo.
HYPERPARAMETERS = {
    "epochs": 8,
    "batch_size": 16,
    "max_length": 128,
    "learning_rate": 2e-4,
    "train_split": 0.5,
    "validation_split": 0.15,
    "test_split": 0.35,
    "early_stopping_patience": 2,
}


def train_example(folder: Path, *, say: Say) -> None:
    """Train on the sample spreadsheet and write the example's file. Raises DemoFailed."""
    folder.mkdir(parents=True, exist_ok=True)
    port = choose_port(None)
    children: list[Child] = []
    try:
        stage = set_up(folder, port=port, children=children, say=say)
        client = PortalClient(stage.base_url, stage.accounts["token"])
        dataset = client.upload(sample_file(folder, TRAINED_TASK), task=TRAINED_TASK, name="Petições de exemplo")
        run = client.create_run(
            dataset=dataset["id"], base_model=BASE_MODEL, name="Exemplo", hyperparameters=HYPERPARAMETERS
        )
        follow(stage, client, run["id"], say=say)
        _write_down(folder, run["id"], port=port)
    finally:
        stop_all(children)


def _write_down(folder: Path, run: int, *, port: int) -> None:
    """Read the run where it stands: in the database of the portal that trained it."""
    command = [*processes.MANAGE, "record_example", "--run", str(run)]
    environment = processes.demo_environment(folder, port=port)
    done = subprocess.run(command, env=environment, capture_output=True, text=True)  # noqa: S603 - our own program
    if done.returncode:
        raise DemoFailed(done.stderr)
