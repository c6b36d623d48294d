"""What `train_local` is told: its flags, all judged before the spreadsheet is opened."""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bert_training.contract.enums import Split
from bert_training.data.repairs import Fix
from bert_training.tasks import TASKS
from bert_training.tasks.hyperparameters.problems import field_problems
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from bert_training.tasks.intake import CheckRequest
from bert_training.tasks.spec import TaskSpec
from bert_training.worker.local.refusal import LocalRefused

BASE_MODEL = "neuralmind/bert-base-portuguese-cased"  # what the portal recommends
PARENT = Path("bert_models") / "local"


@dataclass(frozen=True)
class LocalOptions:
    """The settings of one training. files: the spreadsheet under Split.TRAIN, those beside it under theirs."""

    spec: TaskSpec
    files: dict[Split, Path]
    request: CheckRequest
    settings: Hyperparameters
    base_model: str
    revision: str
    base_models_dir: Path | None
    output: Path
    device: str
    processes: int | None
    offline: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags on a parser: ours, or the one of manage.py."""
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="the spreadsheet: .xlsx, .ods, .csv, .jsonl, .parquet, CoNLL ...")
    add("--task", required=True, choices=list(TASKS), help="what is learned")
    add("--validation-file", type=Path, help="rows for validation, in a file of their own")
    add("--test-file", type=Path, help="rows for test, in a file of their own")
    add("--sheet", default="", help="sheet of the workbook (default: the first visible one)")
    add("--columns", default="{}", help='which column is which, as JSON: {"text": "Assunto", "group": "Processo"}')
    add("--repair", action="append", default=[], choices=[fix.value for fix in Fix], help="a repair of the check")
    add("--base-model", default=BASE_MODEL, help=f"the network to fine-tune (default {BASE_MODEL})")
    add("--revision", default="", help="its commit on the hub (default: the newest)")
    add("--base-models-dir", type=Path, help="folder with base models, one folder a name, / written as --")
    add("--preset", default="", help="a preset of the task, by its name")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter; may be given many times")
    add("--output", type=Path, help=f"folder for model and proof (default {PARENT}/<name of the file>)")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    add("--processes", type=int, help="processes that train together (default: one for each CUDA GPU, else 1)")
    add("--offline", action="store_true", help="never ask the model hub")


def read_options(flags: Mapping[str, Any]) -> LocalOptions:
    """Judge the flags; raises LocalRefused for the first thing that is wrong."""
    spec, file = TASKS[flags["task"]], Path(flags["file"])
    beside = {Split.VALIDATION: flags["validation_file"], Split.TEST: flags["test_file"]}
    files = {Split.TRAIN: file} | {split: Path(path) for split, path in beside.items() if path}
    missing = [str(path) for path in files.values() if not path.is_file()]
    if missing:
        raise LocalRefused(f"There is no file {', '.join(missing)}: check the path.")
    return LocalOptions(
        spec=spec,
        files=files,
        request=CheckRequest(
            task=spec.name, sheet=flags["sheet"], columns=_read_columns(flags["columns"]), recipe=flags["repair"]
        ),
        settings=_read_settings(spec, flags["preset"], flags["set"]),
        base_model=flags["base_model"],
        revision=flags["revision"],
        base_models_dir=flags["base_models_dir"],
        output=(flags["output"] or PARENT / file.stem).expanduser().absolute(),
        device=flags["device"],
        processes=flags["processes"],
        offline=flags["offline"],
    )


def _read_columns(text: str) -> dict[str, str | Sequence[str]]:
    try:
        columns = json.loads(text)
    except ValueError as error:
        raise LocalRefused(f'--columns is not JSON ({error}): write it as in \'{{"text": "Assunto"}}\'.') from error
    if not isinstance(columns, dict):
        raise LocalRefused('--columns is not a JSON object: write it as in \'{"text": "Assunto"}\'.')
    wrong = [name for name, value in columns.items() if not (isinstance(value, str) or _are_texts(value))]
    if wrong:
        raise LocalRefused(f"--columns: {', '.join(wrong)} must name a header, or a list of headers to join.")
    return columns


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _read_settings(spec: TaskSpec, preset_name: str, pairs: Iterable[str]) -> Hyperparameters:
    preset = spec.preset(preset_name)
    if preset is None and preset_name:
        known = ", ".join(each.name for each in spec.presets)
        raise LocalRefused(f"--preset {preset_name!r}: there is no such preset for {spec.name}, only {known}.")
    given: dict[str, Any] = dict(preset.values) if preset else {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise LocalRefused(f"--set {pair!r} must be written NAME=VALUE, as in --set epochs=4.")
        given[name.strip()] = _read_value(value.strip())
    try:
        return spec.hyperparameters.model_validate(given)
    except ValidationError as error:
        problems = field_problems(error, spec.hyperparameters)
        raise LocalRefused("\n".join(f"--set {each.message % each.values}" for each in problems)) from error


def _read_value(text: str) -> object:
    """Read a number, true, false or null as JSON does; anything else is a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
