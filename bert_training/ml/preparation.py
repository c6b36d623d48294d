"""Everything before the first step: device, network, encoded rows, class weights, and the lines that say so."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from math import ceil
from types import ModuleType
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from transformers import PreTrainedModel

from bert_training.ml.job import TrainingJob
from bert_training.ml.keeping.checkpoints import read_checkpoint
from bert_training.ml.layout.layout import Layout
from bert_training.ml.layout.layout_choice import choose_layout
from bert_training.ml.layout.vocabulary import train_used_words
from bert_training.ml.learning.precision import Arithmetic, choose_precision
from bert_training.ml.learning.schedule import count_warmup_steps, describe_schedule
from bert_training.ml.machine.distributed import World
from bert_training.ml.machine.hardware import (
    choose_device,
    describe_device,
    device_of_rank,
    keep_freed_memory,
    select_device,
    use_threads,
)
from bert_training.ml.machine.preflight import check_labels
from bert_training.ml.machine.reproducibility import seed_everything, set_deterministic
from bert_training.ml.network.adapters import Adapter
from bert_training.ml.network.freezing import freeze, trainable_share
from bert_training.ml.network.initial_weights import load_initial_weights
from bert_training.ml.network.loss import balanced_weights
from bert_training.ml.network.lowercase import is_cased, lower_cased
from bert_training.ml.network.padding import use_padding
from bert_training.ml.network.recomputing import recompute_layers
from bert_training.ml.network.sharding import shall_shard
from bert_training.ml.reporting import RunReport
from bert_training.ml.rows.encoding import Rows, encode_rows
from bert_training.ml.rows.step_plan import StepPlan, StepRows, describe_batch, plan_steps
from bert_training.ml.task_network import TaskNetwork

SHOWN_LABELS = 20
LEAST_ROWS_EACH = 4  # of a step, for several processes to be worth their talk
PACKAGES = ("torch", "transformers", "accelerate", "peft", "tokenizers", "safetensors")
ACCELERATE_PRECISION = {"bf16": "bf16", "fp16": "fp16", "fp32": "no"}


@dataclass(frozen=True)
class Prepared:
    """What the loop works with. class_weights: (K,) on the device, or None.  adapter: LoRA's, or None."""

    network: TaskNetwork[Any]
    accelerator: Accelerator
    rows: Rows
    layout: Layout
    class_weights: torch.Tensor | None
    step_rows: StepRows
    plan: StepPlan
    adapter: Adapter | None
    machine: dict[str, Any]  # device, precision, threads and versions, for run.json
    world: World
    is_sharded: bool  # each process keeps a part of the network


def prepare(
    job: TrainingJob, network_module: ModuleType, report: RunReport, world: World, at_end: ExitStack
) -> Prepared:
    """Load the network and begin to encode the rows; raises BaseModelUnavailable or GpuNotFound."""
    report.info(
        f"Preparing: {len(job.table):,} rows, {len(job.label_names):,} labels, base model {job.base_model.name}"
    )
    report.pulse()
    accelerator, machine = _use_machine(job, report, world)
    seed_everything(job.settings.seed)
    network: TaskNetwork[Any] = network_module.build_network(
        job.base_model, label_names=job.label_names, settings=job.settings
    )
    use_padding(network.model, network.tokenizer)
    _use_lowercase(job, network, report)
    if job.initial_weights is not None:
        head = load_initial_weights(network.model, job.initial_weights, job.label_names)
        report.info(f"Begins from the trained model in {job.initial_weights}: {head}")
    report.info(
        f"Base model {job.base_model.name}, revision {job.base_model.revision}: "
        f"{network.model.num_parameters():,} parameters, texts cut at {network.tokenizer.model_max_length:,} tokens"
    )
    adapter = _choose_what_learns(job, network.model, report)
    rows = _encode_once(job, network, report, world, at_end)
    layout = choose_layout(network, report, device=machine["device"], precision=machine["precision"])
    if _may_spare_words(job, accelerator.device.type):
        train_used_words(network, rows)
    class_weights = _weigh_classes(job, network, report, accelerator.device)
    tokens = rows.network_tokens("train") if job.settings.batch_tokens else None
    step_rows = StepRows(len(rows.splits["train"]), job.settings, tokens=tokens)
    plan = plan_steps(step_rows, job.settings)
    _describe_plan(job, plan, report)
    _describe_world(job, plan, world, report)
    return Prepared(
        network=network,
        accelerator=accelerator,
        rows=rows,
        layout=layout,
        class_weights=class_weights,
        step_rows=step_rows,
        plan=plan,
        adapter=adapter,
        machine=machine,
        world=world,
        is_sharded=shall_shard(job.settings, world),
    )


def _may_spare_words(job: TrainingJob, device: str) -> bool:
    """Tell whether only the words that occur are trained: as the run began, wherever that was, or else on a CPU.

    A GPU has the bandwidth to spare, and need not wait for all rows.
    """
    kept = read_checkpoint(job.job_dir / "checkpoints", job.resume_step).state if job.resume_step else {}
    return bool(kept.get("spares_words", device == "cpu"))


def _encode_once(
    job: TrainingJob, network: TaskNetwork[Any], report: RunReport, world: World, at_end: ExitStack
) -> Rows:
    """Begin to encode; of several processes rank 0 does it whole, and the others read what it kept."""
    if not world.is_main:
        world.wait()
    rows = encode_rows(job, network, report, at_end)
    if world.size > 1 and world.is_main:
        rows.wait()
        world.wait()
    if not world.is_main:
        seed_everything(job.settings.seed + world.rank)  # the network is the same, its dropout is not
    return rows


def _describe_world(job: TrainingJob, plan: StepPlan, world: World, report: RunReport) -> None:
    """Say what several processes do, and what they do not."""
    if world.size == 1:
        return
    report.info(f"{world.size} processes share the {plan.rows_per_step} rows of a step: the result is that of one")
    if plan.rows_per_step < LEAST_ROWS_EACH * world.size:
        report.warning(
            f"Each process gets at most {ceil(plan.rows_per_step / world.size)} rows a step: too few to be faster. "
            "Raise batch_size or gradient_accumulation_steps, or use fewer processes."
        )
    if shall_shard(job.settings, world):
        report.info(
            f"Each process keeps 1/{world.size} of weights, gradients and optimizer (FSDP); when memory runs out, the "
            "run ends with advice instead of going on with smaller batches"
        )


def _choose_what_learns(job: TrainingJob, model: PreTrainedModel, report: RunReport) -> Adapter | None:
    """Freeze, add LoRA and recompute layers as the settings say, before anything else looks at the network."""
    frozen, adapter = freeze(model, job.settings), None
    if job.settings.lora_r:
        adapter, frozen = Adapter(model, job.settings, base_name=job.base_model.name), "all but adapter and head"
        report.info(adapter.description)
    report.info(f"{trainable_share(model)}; frozen: {frozen}")
    if job.settings.gradient_checkpointing and not recompute_layers(model):
        report.warning(f"{model.config.model_type} cannot do gradient checkpointing: it trains without")
    return adapter


def _use_lowercase(job: TrainingJob, network: TaskNetwork[Any], report: RunReport) -> None:
    if not job.settings.lowercase or not is_cased(network.tokenizer):
        return
    network.tokenizer = lower_cased(network.tokenizer)
    report.warning(
        f"Texts are read in small letters, but the base model {job.base_model.name} knows capitals and would use them. "
        "Turn lowercase off, or choose an uncased base model."
    )


def _use_machine(job: TrainingJob, report: RunReport, world: World) -> tuple[Accelerator, dict[str, Any]]:
    device = device_of_rank(choose_device(job.device), world)
    set_deterministic(job.settings.deterministic)
    select_device(device)
    arithmetic = choose_precision(device, job.settings.precision)
    if arithmetic.precision == "fp16" and shall_shard(job.settings, world):
        arithmetic = Arithmetic("fp32", "FSDP has no loss scale for fp16", job.settings.precision != "fp16")
    precision = arithmetic.precision
    threads = use_threads(job.threads)
    if device == "cpu":
        keep_freed_memory()
    # accelerate keeps one state a process and refuses a second run in another precision
    AcceleratorState._reset_state(reset_partial_state=True)
    accelerator = Accelerator(cpu=device == "cpu", mixed_precision=ACCELERATE_PRECISION[precision])
    packages = {name: version(name) for name in PACKAGES}
    chosen = f"precision {precision} ({arithmetic.reason})"
    report.info(f"Device {device}: {describe_device(device)}; {chosen}; {threads} threads")
    if not arithmetic.is_as_asked:
        report.warning(f"Precision {job.settings.precision} was asked for, but this machine lacks it: {chosen} is used")
    report.info("Packages: " + ", ".join(f"{name} {number}" for name, number in packages.items()))
    machine = {"device": device, "device_name": describe_device(device), "precision": precision, "threads": threads}
    together = f" x {world.size}" if world.size > 1 else ""  # sums of several processes are rounded otherwise
    report.reporter.machine(device=f"{machine['device_name']}{together}", precision=precision, threads=threads)
    return accelerator, {**machine, "packages": packages}


def _weigh_classes(
    job: TrainingJob, network: TaskNetwork[Any], report: RunReport, device: torch.device
) -> torch.Tensor | None:
    counts = network.count_labels(job.table[[split == "train" for split in job.splits]])
    check_labels(job.label_names, counts, report)
    frequency = Counter(dict(zip(job.label_names, counts.tolist(), strict=True)))
    weights = balanced_weights(counts) if job.settings.use_class_weights else torch.ones(len(counts))
    weight_of = dict(zip(job.label_names, weights.tolist(), strict=True))
    total = max(1, frequency.total())
    shown = [
        f"{name} {n:,} ({n / total:.1%}, weight {weight_of[name]:.2f})"
        for name, n in frequency.most_common(SHOWN_LABELS)
    ]
    more = f" and {len(frequency) - SHOWN_LABELS:,} more" if len(frequency) > SHOWN_LABELS else ""
    report.info(f"Labels in train: {', '.join(shown)}{more}")
    return weights.to(device) if job.settings.use_class_weights else None


def _describe_plan(job: TrainingJob, plan: StepPlan, report: RunReport) -> None:
    settings = job.settings
    report.info(
        f"Plan: {plan.total_steps:,} steps in at most {plan.epochs:,} epochs of {plan.steps_per_epoch:,} steps; "
        f"{describe_batch(plan, settings)}; "
        f"{describe_schedule(settings, plan.total_steps)}, seed {settings.seed}"
    )
    warmup_steps = count_warmup_steps(settings, plan.total_steps)
    if warmup_steps >= plan.total_steps:
        report.warning(
            f"A warm-up of {warmup_steps} steps is not below the {plan.total_steps} steps of this run: "
            "the learning rate never reaches its value. Shorten the warm-up."
        )
