"""One measurement of the benchmark `train`, in a process of its own: `python -m tests.bench.train_once '<JSON>'`.

Prints what it measured as JSON. The HF Trainer is set up as its documentation says; what it costs to evaluate, to save
and to log is left out on both sides.
"""

import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import psutil
import torch
from torch.utils.data import Dataset, Sampler, SequentialSampler
from transformers import DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices

from bert_training.data.predicting.predictions import Predictions
from bert_training.ml.machine.hardware import use_threads
from bert_training.ml.machine.reproducibility import seed_everything
from bert_training.ml.rows.batching import epoch_order
from bert_training.ml.training import TrainingJob, train
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from bert_training.tasks.text_classification import network as text_network
from tests.bench.train_texts import SEED, base_model, table_of, training_flops

Recipe = Literal["ours", "padded", "dynamic", "grouped", "peak"]
PEAK_SECONDS = 0.5
PEAK_SIZES = ((512, 1536, 384), (1024, 1024, 1024), (2048, 2048, 2048), (1024, 3072, 768))
PEAK_SIZES_OF_A_GPU = (8192, 8192, 8192)


@dataclass(frozen=True)
class Setup:
    """What to measure. steps: counted ones, after `warmup` others.  every: of grouped batches, only each so-many-th."""

    recipe: Recipe
    folder: str
    texts: str = "reviews"
    model: str = ""
    rows: int = 1600
    batch_size: int = 16
    steps: int = 10
    warmup: int = 2
    every: int = 1
    precision: Literal["fp32", "bf16"] = "fp32"
    dropout: float | None = None
    device: str = "cpu"
    threads: int = 1


@dataclass(frozen=True)
class Measured:
    """tokens: real ones.  flops: those of the real tokens.  losses: one a step, those of the warm-up too."""

    tokens: int
    seconds: float
    flops: float
    peak_bytes: int
    losses: list[float]

    @property
    def tokens_per_second(self) -> float:
        """Return real tokens a second."""
        return self.tokens / self.seconds

    @property
    def flops_per_second(self) -> float:
        """Return floating point operations a second that served a real token."""
        return self.flops / self.seconds


class StepClock:
    """Notes when each step ended and what its loss was; also a reporter of our loop."""

    def __init__(self, warmup: int, device: str) -> None:
        self.warmup, self.device = warmup, device
        self.ended_at: dict[int, float] = {}
        self.losses: list[float] = []

    def note(self, step: int) -> None:
        """Note a step that has ended."""
        if step not in self.ended_at:
            if self.device != "cpu":
                torch.cuda.synchronize()
            self.ended_at[step] = time.perf_counter()

    def seconds(self, steps: int) -> float:
        """Return how long the counted steps took."""
        return self.ended_at[self.warmup + steps] - self.ended_at[self.warmup]

    def log(self, level: str, message: str) -> None:
        if os.environ.get("BENCH_TRAIN_LOG"):
            print(level, message, file=sys.stderr)

    def metrics(self, *, epoch: int, step: int, split: str, values: dict[str, float]) -> None:
        if split == "train":
            self.losses.append(values["loss"])

    def progress(self, *, phase: str, epoch: int, step: int, total_steps: int, checkpoint_step: int) -> None:
        if phase == "training":
            self.note(step)

    def remaining(self, seconds: float) -> None:
        pass

    def token_lengths(self, counts: dict[str, Any]) -> None:
        pass

    def machine(self, *, device: str, precision: str, threads: int) -> None:
        pass

    def predictions(self, predictions: Predictions) -> None:
        pass

    def directive(self) -> str:
        return "continue"


def hyperparameters(setup: Setup) -> Hyperparameters:
    """Return the recipe that all have in common; the schedule is the HF Trainer's own."""
    return Hyperparameters(
        epochs=1000,
        batch_size=setup.batch_size,
        max_steps=setup.warmup + setup.steps,
        use_class_weights=False,
        dropout=setup.dropout,
        logging_steps=1,
        seed=SEED,
    )


def measure_ours(setup: Setup) -> Measured:
    """Train with our loop; its precision is what it chooses by itself."""
    table, model = table_of(setup.texts, setup.rows + 2), base_model(setup.model, Path(setup.folder))
    clock = StepClock(setup.warmup, setup.device)
    job = TrainingJob(
        table=table,
        splits=["train"] * setup.rows + ["validation", "test"],
        label_names=sorted(set(table["label"])),
        best_metric="accuracy",
        best_metric_is_higher=True,
        settings=hyperparameters(setup),
        base_model=model,
        device=setup.device,
        threads=setup.threads,
        job_dir=Path(tempfile.mkdtemp(dir=setup.folder)),
        provenance={},
    )
    train(job, text_network, clock)
    rows = RowsInOrder(setup)
    return _measured(setup, clock, rows.lengths_of_counted_steps(setup), rows.config)


class RowsInOrder(Dataset[dict[str, Any]]):
    """Tokenized rows in the order in which our loop takes them, or grouped by length as the HF Trainer would."""

    def __init__(self, setup: Setup) -> None:
        table = table_of(setup.texts, setup.rows + 2)
        files = base_model(setup.model, Path(setup.folder))
        seed_everything(SEED)
        names = sorted(set(table["label"]))
        network = text_network.build_network(files, label_names=names, settings=hyperparameters(setup))
        self.model, self.tokenizer, self.config = network.model, network.tokenizer, network.model.config
        ids = {name: index for index, name in enumerate(names)}
        encoded = self.tokenizer(table["text"].tolist()[: setup.rows], truncation=True)["input_ids"]
        rows = [{"input_ids": row, "label": ids[label]} for row, label in zip(encoded, table["label"], strict=False)]
        self.rows = [rows[index] for index in self._order(setup, [len(row) for row in encoded])]

    def _order(self, setup: Setup, lengths: list[int]) -> list[int]:
        wanted = (setup.warmup + setup.steps) * setup.batch_size
        if setup.recipe != "grouped":
            order = [
                row
                for epoch in range(1, 2 + wanted // setup.rows)
                for row in epoch_order(setup.rows, seed=SEED, epoch=epoch)
            ]
            return order[:wanted]
        generator = torch.Generator().manual_seed(SEED)
        grouped = get_length_grouped_indices(lengths, setup.batch_size, generator=generator)  # type: ignore[no-untyped-call]
        batches = [grouped[at : at + setup.batch_size] for at in range(0, len(grouped), setup.batch_size)]
        drawn = batches[setup.every // 2 :: setup.every]
        # The HF Trainer begins with the longest batch, which counts: another one warms up.
        return [row for batch in (batches[-1:] * setup.warmup + drawn) for row in batch][:wanted]

    def lengths_of_counted_steps(self, setup: Setup) -> list[int]:
        """Return the real tokens of each row that the counted steps saw."""
        counted = self.rows[setup.warmup * setup.batch_size : (setup.warmup + setup.steps) * setup.batch_size]
        return [len(row["input_ids"]) for row in counted]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]


class OrderedTrainer(Trainer):
    """The HF Trainer, which takes the rows as they come: their order was drawn before."""

    def _get_train_sampler(self, *_arguments: Any) -> Sampler[int]:
        return SequentialSampler(RowsSized(self.train_dataset))


class RowsSized:
    """What a sampler wants to know of rows: how many there are."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)


class NoteSteps(TrainerCallback):
    """Tells the clock of each step and of its loss."""

    def __init__(self, clock: StepClock) -> None:
        self.clock = clock

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.clock.note(state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        logs = kwargs.get("logs") or {}
        if "loss" in logs:
            self.clock.losses.append(float(logs["loss"]))


def measure_trainer(setup: Setup) -> Measured:
    """Train with the HF Trainer."""
    use_threads(setup.threads)
    rows = RowsInOrder(setup)
    if setup.dropout is not None:
        for module in rows.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = setup.dropout
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(dir=setup.folder),
        per_device_train_batch_size=setup.batch_size,
        max_steps=setup.warmup + setup.steps,
        bf16=setup.precision == "bf16",
        use_cpu=setup.device == "cpu",
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        weight_decay=0.01,
        seed=SEED,
    )
    collator = DataCollatorWithPadding(
        rows.tokenizer, padding="max_length" if setup.recipe == "padded" else True, max_length=512
    )
    clock = StepClock(setup.warmup, setup.device)
    trainer = OrderedTrainer(
        model=rows.model, args=arguments, train_dataset=rows, data_collator=collator, callbacks=[NoteSteps(clock)]
    )
    trainer.train()
    return _measured(setup, clock, rows.lengths_of_counted_steps(setup), rows.config)


def measure_peak(setup: Setup) -> Measured:
    """Measure the fastest bf16 matrix product of this machine."""
    use_threads(setup.threads)
    sizes = PEAK_SIZES if setup.device == "cpu" else (PEAK_SIZES_OF_A_GPU,)
    return max((_product(size, setup) for size in sizes), key=lambda measured: measured.flops_per_second)


def _product(size: tuple[int, int, int], setup: Setup) -> Measured:
    rows, columns, inner = size
    left = torch.randn(rows, inner, dtype=torch.bfloat16, device=setup.device)
    right = torch.randn(columns, inner, dtype=torch.bfloat16, device=setup.device)
    best, ends_at = float("inf"), time.perf_counter() + PEAK_SECONDS
    while time.perf_counter() < ends_at:
        began = time.perf_counter()
        torch.nn.functional.linear(left, right)
        if setup.device != "cpu":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    return Measured(0, best, 2.0 * rows * columns * inner, 0, [])


def _measured(setup: Setup, clock: StepClock, lengths: list[int], config: Any) -> Measured:
    is_cpu = setup.device == "cpu"
    peak = psutil.Process().memory_info().rss if is_cpu else torch.cuda.max_memory_allocated()
    if is_cpu and Path("/proc/self/status").exists():
        status = Path("/proc/self/status").read_text()
        peak = 1024 * int(status.partition("VmHWM:")[2].split()[0])
    flops = training_flops(config, lengths, spares_last_layer=setup.recipe == "ours")
    return Measured(sum(lengths), clock.seconds(setup.steps), flops, peak, clock.losses)


def main() -> None:
    """Measure what the command line says."""
    setup = replace(Setup("ours", ""), **json.loads(sys.argv[1]))
    measure = {"ours": measure_ours, "peak": measure_peak}.get(setup.recipe, measure_trainer)
    print(json.dumps(asdict(measure(setup))))


if __name__ == "__main__":
    main()
