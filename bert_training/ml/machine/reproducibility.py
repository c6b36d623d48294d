"""Says with which code and packages a figure was made, and makes chance repeatable."""

import hashlib
import os
import random
import re
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path

import numpy as np
import torch

PROJECT_FOLDER = Path(__file__).resolve().parents[3]
CODE_COMMIT_VARIABLE = "BERT_CODE_COMMIT"  # for an installation without git, set by whoever copies the code
GIT_SECONDS = 10.0


def code_commit() -> str:
    """Return the commit of this code, with "-dirty" when a tracked file was changed; "unknown" when nobody knows."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return os.environ.get(CODE_COMMIT_VARIABLE, "") or "unknown"
    return f"{commit}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else commit


def installed_packages() -> dict[str, str]:
    """Return the version of every installed package, by its normalised name, sorted; 175 packages take 0.09 s.

    Of a package that is found twice it is the first, which is the one that is imported.
    """
    packages: dict[str, str] = {}
    for item in distributions():
        if item.name:  # a damaged installation has none
            packages.setdefault(re.sub(r"[-_.]+", "-", item.name).lower(), item.version or "unknown")
    return dict(sorted(packages.items()))


def environment_fingerprint(packages: Mapping[str, str]) -> str:
    """Return the SHA-256 of packages, name==version, sorted."""
    lines = sorted(f"{name}=={version}" for name, version in packages.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch (all devices): same seed, same machine and threads, same numbers."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def set_deterministic(wanted: bool) -> None:
    """Compute bit-equal results on a GPU too, from kernels that may be slower; call before the first use of the GPU.

    A CPU with a fixed number of threads needs none of this.
    """
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else cuBLAS does not repeat itself
    torch.use_deterministic_algorithms(wanted)
    torch.backends.cudnn.deterministic = wanted
    torch.backends.cudnn.benchmark = False  # the default: else it tries kernels and may choose another each time


def _git(*arguments: str) -> str:
    """Return what git prints; nothing without git, or where the project is not its own checkout."""
    git = shutil.which("git")
    if git is None or not (PROJECT_FOLDER / ".git").exists():
        return ""
    answer = subprocess.run(  # noqa: S603 - fixed program and arguments
        [git, "-C", str(PROJECT_FOLDER), *arguments], capture_output=True, text=True, timeout=GIT_SECONDS, check=False
    )
    return answer.stdout.strip() if answer.returncode == 0 else ""
