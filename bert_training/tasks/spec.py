"""What a task declares about itself. Forms, checks, API, charts and the worker follow from it with no further edit.

Light: read by portal and worker alike, so neither torch nor Django. Sentences are English message ids
(`gettext_noop`), translated by the portal when shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_training.data.checks import Problems
from bert_training.data.figures.judgement import Judgement
from bert_training.data.repairs import Recipe
from bert_training.data.suggestions import Content
from bert_training.data.table import Cells, Columns, Table
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from bert_training.tasks.presets import PRESETS, Preset

FINAL = "final"


@dataclass(frozen=True)
class Column:
    """A column that the task needs. `name` is its name in the canonical table, `header` the one in the sample sheet.

    content: what its cells are like, to find it under another name.
    """

    name: str
    content: Content
    header: str
    label: str
    help: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """A figure that the task reports. `chart` groups curves that share an axis; FINAL: shown with the result only."""

    name: str
    label: str
    chart: str
    higher_is_better: bool = True


@dataclass(frozen=True)
class TaskSpec:
    """One thing that can be trained.

    name: stored and sent, never renamed.
    check: cells of the matched columns as text -> canonical table (dict of lists, `row` first), reporting into Problems
        what is wrong; rows with an error are left out. Does the repairs of the recipe that are about its columns.
    summarize: canonical table -> JSON-able summary {labels: {name: count}, lengths: {...}}; intake adds warnings.
    label_names: canonical table -> the sorted names of what the network tells apart; their index is the label id.
    strata: canonical table -> one string a row; a split keeps their shares.
    texts: canonical table -> one text a row, in which copies and personal data are looked for.
    answers: canonical table -> one string a row, all that is learned from it; the same text with others contradicts.
    judgement: computes every figure of `metrics`, but the loss, from the predictions.
    network_module: dotted module with `build_network`, imported only by the worker (torch).
    sample_path: a .csv of a few hundred realistic rows under the headers of `columns`, for demo and download.
    Table functions take a dict of lists (data.parquet.read_table) or a DataFrame.
    """

    name: str
    label: str
    description: str
    columns: tuple[Column, ...]
    example_rows: tuple[tuple[str, ...], ...]
    metrics: tuple[Metric, ...]
    best_metric: str
    check: Callable[[Cells, Problems, Recipe], Columns]
    summarize: Callable[[Table], dict[str, Any]]
    label_names: Callable[[Table], list[str]]
    strata: Callable[[Table], list[str]]
    texts: Callable[[Table], list[str]]
    answers: Callable[[Table], list[str]]
    judgement: Judgement[Any]
    network_module: str
    sample_path: Path
    hyperparameters: type[Hyperparameters] = Hyperparameters
    presets: tuple[Preset, ...] = PRESETS

    def deciding_metric(self, hyperparameters: Mapping[str, Any]) -> Metric:
        """Return the metric that picks the best checkpoint of a run; older runs have no choice of their own."""
        name = hyperparameters.get("best_metric") or self.best_metric
        return next(metric for metric in self.metrics if metric.name == name)

    def preset(self, name: str) -> Preset | None:
        """Return the preset of that name."""
        return next((preset for preset in self.presets if preset.name == name), None)

    def preset_settings(self, preset: Preset) -> Hyperparameters:
        """Return all hyperparameters as a preset sets them."""
        return self.hyperparameters.model_validate(dict(preset.values))
