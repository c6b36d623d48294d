"""Puts together what learns: optimizer, schedule, the feeder of its batches, and what of it a checkpoint holds."""

from dataclasses import dataclass

import torch

from bert_training.ml.job import TrainingSettings
from bert_training.ml.keeping.snapshot import Learner
from bert_training.ml.layout.layout import Padded
from bert_training.ml.learning.micro_batch import MicroBatch
from bert_training.ml.learning.optimizer import build_optimizer
from bert_training.ml.learning.schedule import build_scheduler
from bert_training.ml.learning.stepping import Stepper
from bert_training.ml.network.sharding import Sharding
from bert_training.ml.preparation import Prepared
from bert_training.ml.reporting import RunReport
from bert_training.ml.rows.feeding import Feeder, StepMaker


@dataclass(frozen=True)
class Learning:
    """model: the network as accelerate calls it.  sharding: None where each process holds all of it."""

    model: torch.nn.Module
    sharding: Sharding | None
    micro_batch: MicroBatch
    feeder: Feeder
    stepper: Stepper
    learner: Learner


def assemble(prepared: Prepared, settings: TrainingSettings, report: RunReport) -> Learning:
    """Build everything that learns, the same in all processes, which hold the network of the first from then on."""
    network, accelerator, world = prepared.network, prepared.accelerator, prepared.world
    world.spread([*network.model.parameters(), *network.model.buffers()])
    sharding = Sharding(network.model, accelerator.device, world) if prepared.is_sharded else None
    optimizer = build_optimizer(network.model, settings)
    # before prepare: both wrap the optimizer's step, and accelerate restores what it found
    scheduler = build_scheduler(optimizer, settings, total_steps=prepared.plan.total_steps)
    # evaluation_mode: not wrapped into torch's DistributedDataParallel; ml/learning/gradients.py says why
    model = accelerator.prepare_model(network.model, evaluation_mode=True)
    micro_batch = MicroBatch(settings, accelerator.device, on_halved=report.warning)
    maker = _step_maker(prepared, settings, micro_batch)
    stepper = Stepper(
        network,
        model,
        accelerator.prepare_optimizer(optimizer),
        scheduler,
        accelerator=accelerator,
        maker=maker,
        class_weights=prepared.class_weights,
        settings=settings,
        is_sharded=prepared.is_sharded,
    )
    feeder = Feeder(maker, threads=settings.dataloader_num_workers, on_wait=report.pulse)
    learner = Learner(network.model, optimizer, scheduler, accelerator.device, scaler=accelerator.scaler, world=world)
    return Learning(model, sharding, micro_batch, feeder, stepper, learner)


def _step_maker(prepared: Prepared, settings: TrainingSettings, micro_batch: MicroBatch) -> StepMaker:
    device = prepared.accelerator.device.type
    return StepMaker(
        prepared.rows.cutting,
        prepared.layout,
        micro_batch,
        pins=settings.dataloader_pin_memory and device == "cuda",
        groups=isinstance(prepared.layout, Padded) and device == "cpu",  # a GPU would wait for ever smaller batches
        world=prepared.world,
    )
