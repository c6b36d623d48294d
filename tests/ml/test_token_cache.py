"""Tokens that were kept are used instead of tokenizing again, and change nothing; damaged ones are never used."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert_training.ml.job import TrainingJob
from bert_training.ml.reporting import RunReport
from bert_training.ml.rows import encoding, token_cache
from bert_training.ml.rows.encoded_rows import pack
from bert_training.ml.rows.row_store import RowStore
from bert_training.ml.rows.token_cache import CacheDamaged, cache_key, read_rows, write_rows
from bert_training.ml.task_network import Example
from bert_training.ml.training import BaseModelFiles
from bert_training.tasks.text_classification.network import build_network
from tests.ml.runs import Recorder, run_text, run_tokens, text_job, text_table, token_job
from tests.ml.tiny_bert import MARKERS

Make = Callable[..., TrainingJob]


def with_cache(job: TrainingJob, tmp_path: Path) -> TrainingJob:
    return replace(job, cache_dir=tmp_path / "tokens")


def is_warm(recorder: Recorder) -> bool:
    return "; kept by an earlier run" in recorder.text


def run_quickly(job: TrainingJob, tmp_path: Path) -> Recorder:
    recorder = Recorder()
    run_text(replace(with_cache(job, tmp_path), settings=job.settings.model_copy(update={"max_steps": 1})), recorder)  # type: ignore[attr-defined]
    return recorder


@pytest.mark.parametrize(
    ("make", "run"),
    [(text_job, run_text), (token_job, run_tokens)],
)
def test_warm_or_cold_a_training_ends_with_the_same_weights(
    tiny_bert: BaseModelFiles,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Make,
    run: Callable[..., Any],
) -> None:
    settings = {"epochs": 2, "max_length": 8}
    without = run(make(tiny_bert, tmp_path / "without", **settings))
    cold, warm = Recorder(), Recorder()
    first = run(with_cache(make(tiny_bert, tmp_path / "cold", **settings), tmp_path), cold)
    monkeypatch.setattr(encoding, "Encoder", lambda *_: pytest.fail("it was tokenized again"))
    second = run(with_cache(make(tiny_bert, tmp_path / "warm", **settings), tmp_path), warm)

    assert without == first == second
    assert (is_warm(cold), is_warm(warm)) == (False, True)
    assert warm.counts == cold.counts
    warnings = [[line for line in seen.lines if line[0] == "WARNING"] for seen in (cold, warm)]
    assert warnings[0] == warnings[1] != []


def key_of(job: TrainingJob) -> str:
    return cache_key(job, build_network(job.base_model, label_names=job.label_names, settings=job.settings))


def test_tokens_are_named_by_all_that_they_depend_on(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    job = text_job(tiny_bert, tmp_path / "job")
    changed = job.table.copy()
    changed.loc[3, "text"] = "a parte"
    others = (
        replace(job, table=changed),
        replace(job, table=job.table.iloc[::-1].reset_index(drop=True)),
        replace(job, label_names=job.label_names[::-1]),
    )
    before = key_of(job)
    keys = {before, *map(key_of, others)}
    path = tiny_bert.folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "do_lower_case": True}))
    assert len({*keys, key_of(job)}) == 5


def test_a_seed_or_another_length_of_texts_needs_no_other_tokens(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    job = text_job(tiny_bert, tmp_path / "job")
    assert key_of(job) == key_of(text_job(tiny_bert, tmp_path / "job", seed=7, max_length=12, truncation_side="left"))


def test_damaged_tokens_are_made_anew_and_it_is_said(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    job = text_job(tiny_bert, tmp_path / "job", table=text_table(30))
    run_quickly(job, tmp_path)
    (path,) = (tmp_path / "tokens").glob("*/input_ids.npy")
    path.write_bytes(path.read_bytes()[:-3] + b"\x01\x01\x01")
    recorder = run_quickly(job, tmp_path)
    assert not is_warm(recorder)
    assert "kept by an earlier run are damaged" in "".join(line for level, line in recorder.lines if level == "WARNING")
    assert is_warm(run_quickly(job, tmp_path))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Three rows on disk."""
    examples = [Example(np.arange(length, dtype=np.int32), np.array([length])) for length in (2, 0, 5)]
    store: RowStore[Example] = RowStore(np.array([2, 0, 1]), 2, on_wait=lambda: None)
    store.add(pack(Example, [examples[2], examples[0]]))
    store.add(pack(Example, [examples[1]]))
    write_rows(tmp_path / "kept", store, 7)
    return tmp_path / "kept"


def test_what_is_read_is_what_was_written(kept: Path) -> None:
    found = read_rows(kept, Example, 3)
    assert found is not None
    assert found.order.tolist() == [2, 0, 1]
    assert [found.rows[place].input_ids.tolist() for place in range(3)] == [[0, 1, 2, 3, 4], [0, 1], []]
    assert [found.rows[place].labels.tolist() for place in range(3)] == [[5], [2], [0]]
    assert found.wordless == 7
    assert read_rows(kept.with_name("nothing"), Example, 3) is None


@pytest.mark.parametrize("name", ["input_ids.npy", "input_ids.offsets.npy", "labels.npy", "order.npy", "manifest.json"])
@pytest.mark.parametrize("harm", ["changed", "cut off", "gone"])
def test_no_damaged_file_is_believed(kept: Path, name: str, harm: str) -> None:
    content = (kept / name).read_bytes()
    (kept / name).unlink()
    if harm != "gone":
        (kept / name).write_bytes(content[:-3] if harm == "cut off" else content[:-3] + b"\x01\x01\x01")
    with pytest.raises(CacheDamaged):
        read_rows(kept, Example, 3)


def test_a_manifest_of_other_things_is_not_believed(kept: Path) -> None:
    for content in ("[]", "{}", '{"sha256": []}', "null"):
        (kept / "manifest.json").write_text(content)
        with pytest.raises(CacheDamaged):
            read_rows(kept, Example, 3)


def test_rows_that_were_waited_for_are_on_disk(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    """Another process of the same training reads them then."""
    job = with_cache(text_job(tiny_bert, tmp_path / "job"), tmp_path)
    network = build_network(job.base_model, label_names=job.label_names, settings=job.settings)
    with ExitStack() as at_end:
        encoding.encode_rows(job, network, RunReport(Recorder(), lambda: 0.0), at_end).wait()
        assert read_rows(tmp_path / "tokens" / cache_key(job, network), Example, len(job.table)) is not None


def test_on_a_full_disk_training_goes_on_without(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_cache, "SPARE_BYTES", 1 << 60)
    recorder = run_quickly(text_job(tiny_bert, tmp_path / "job"), tmp_path)
    assert "The tokens are not kept for later runs: they take" in recorder.text
    assert list((tmp_path / "tokens").glob("*")) == []


def test_no_word_stands_in_what_is_kept(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    run_quickly(text_job(tiny_bert, tmp_path / "job"), tmp_path)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "tokens").rglob("*") if path.is_file())
    assert kept
    assert not any(word.encode() in kept for word in (*MARKERS, "autor", "tributario"))
