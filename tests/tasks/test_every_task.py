"""What every task must bring: complete declarations, samples that pass its own check, a network to load."""

import io
import re
from collections import Counter
from pathlib import Path

import pytest
from openpyxl import load_workbook

from bert_training.contract.enums import Split
from bert_training.data.checks import Problems
from bert_training.data.repairs import NOTHING
from bert_training.data.splitting.split import Shares, split_rows
from bert_training.data.table import Cells, Columns
from bert_training.tasks import TASKS, load_network
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from bert_training.tasks.samples import sample_rows, sample_workbook
from bert_training.tasks.spec import FINAL, TaskSpec
from tests.checking import check_file

pytestmark = pytest.mark.parametrize("spec", TASKS.values(), ids=TASKS)


def table_of(spec: TaskSpec, rows: list[tuple[str, ...]]) -> Columns:
    """Check rows that must have no error; they are numbered from 2."""
    problems = Problems()
    texts = {column.name: [row[place] for row in rows] for place, column in enumerate(spec.columns)}
    table = spec.check(Cells("Dados", list(range(2, len(rows) + 2)), texts), problems, NOTHING)
    assert problems.errors == []
    return table


def test_the_declaration_is_complete(spec: TaskSpec) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", spec.name)
    assert TASKS[spec.name] is spec
    assert all([spec.label, spec.description.endswith("."), spec.columns, spec.metrics, spec.example_rows])
    for column in spec.columns:
        assert column.name.isidentifier()
        assert column.header
        assert column.label
        assert column.help.endswith(".")
    assert issubclass(spec.hyperparameters, Hyperparameters)


def test_the_metrics_name_the_best_one_and_one_loss(spec: TaskSpec) -> None:
    names = [metric.name for metric in spec.metrics]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_.]*", name) for name in names)
    assert spec.best_metric in names
    assert spec.deciding_metric({}).higher_is_better
    assert [metric.name for metric in spec.metrics if metric.chart == "loss"] == ["loss"]


def test_any_metric_that_is_followed_can_pick_the_best_checkpoint(spec: TaskSpec) -> None:
    names = [metric.name for metric in spec.metrics if metric.chart != FINAL]
    field = spec.hyperparameters.model_json_schema()["properties"]["best_metric"]
    assert (field["default"], field["enum"], set(field["choices"])) == (spec.best_metric, names, set(names))
    assert spec.deciding_metric({"best_metric": "loss"}).name == "loss"


def test_names_of_columns_do_not_collide(spec: TaskSpec) -> None:
    every = Counter(name for column in spec.columns for name in (column.header, *column.aliases))
    assert set(every.values()) == {1}


def test_the_example_rows_pass_the_check(spec: TaskSpec) -> None:
    rows = [*spec.example_rows] * 3
    assert table_of(spec, rows)["row"] == list(range(2, len(rows) + 2))


def test_the_shipped_rows_are_realistic_in_number_and_pass_without_a_warning(spec: TaskSpec, tmp_path: Path) -> None:
    (tmp_path / "sample").write_bytes(sample_workbook(spec))
    report = check_file(tmp_path / "sample", task=spec.name, table_path=tmp_path / "table")
    assert (report.valid, report.warnings) == (True, [])
    assert report.rows >= 300
    assert len(report.summary["labels"]) >= 4


def test_a_downloaded_sample_passes_when_it_is_sent_back(spec: TaskSpec, tmp_path: Path) -> None:
    (tmp_path / "sample").write_bytes(sample_workbook(spec, 40))
    report = check_file(tmp_path / "sample", task=spec.name)
    assert (report.valid, report.rows) == (True, 40)


def test_the_sample_has_the_headers_of_the_task(spec: TaskSpec) -> None:
    sheet = load_workbook(io.BytesIO(sample_workbook(spec, 1))).active
    assert sheet is not None
    rows = [tuple(cell.value for cell in row) for row in sheet.iter_rows()]
    assert rows == [tuple(column.header for column in spec.columns), sample_rows(spec, 1)[0]]


def test_every_label_of_the_sample_is_in_every_split(spec: TaskSpec) -> None:
    strata = spec.strata(table_of(spec, sample_rows(spec)))
    splits = split_rows(strata, Shares(0.7, 0.15, 0.15), seed=42)
    assert set(zip(strata, splits, strict=True)) == {(name, split) for name in set(strata) for split in Split}


def test_labels_have_sorted_ids(spec: TaskSpec) -> None:
    names = spec.label_names(table_of(spec, sample_rows(spec)))
    assert names == sorted(set(names))


def test_each_row_has_one_text(spec: TaskSpec) -> None:
    table = table_of(spec, [*spec.example_rows] * 3)
    texts = spec.texts(table)
    assert len(texts) == len(table["row"])
    assert len(set(texts)) == len(spec.example_rows)
    assert all(texts)


def test_its_network_can_be_loaded(spec: TaskSpec) -> None:
    assert callable(load_network(spec).build_network)
