"""Each part runs on its own requirements file: the portal without torch, the worker without Django."""

from collections.abc import Iterable, Set
from fnmatch import fnmatchcase

import pytest
from packaging.utils import canonicalize_name

from tests.architecture.requirements import distributions_of, installed_by, required
from tests.architecture.source import OURS, Source, sources

PRODUCT = ("portal", "bert_training")
FILES_AT_LEAST = 20  # a part has more; fewer would mean that the test looks past it
HEAVY = {"torch", "transformers", "accelerate", "scikit-learn", "scipy", "sentence-transformers"}

# Where each part begins; what it loads from there is followed through the project's own files.
STARTS = {
    "base.txt": (
        "portal/urls.py",
        "portal/asgi.py",
        "portal/wsgi.py",
        "portal/server.py",
        "bert_training/background.py",
    ),
    "worker.txt": ("bert_training/worker/*.py", "bert_training/tasks/*/network.py"),
}


def test_the_portal_installs_nothing_that_only_training_needs() -> None:
    assert installed_by("base.txt") & HEAVY == set()


def test_a_worker_installs_no_django() -> None:
    assert {name for name in installed_by("worker.txt") if "django" in name} == set()


@pytest.mark.parametrize("file_name", STARTS)
def test_a_part_imports_only_what_its_requirements_install(file_name: str) -> None:
    files = loaded_from(STARTS[file_name])
    assert len(files) > FILES_AT_LEAST
    assert missing(files, names=installed_by(file_name)) == set()


@pytest.mark.parametrize(("folders", "file_names"), [(PRODUCT, ("base.txt", "worker.txt")), (("tests",), ("dev.txt",))])
def test_every_package_imported_is_asked_for_by_name(folders: tuple[str, ...], file_names: tuple[str, ...]) -> None:
    asked = {canonicalize_name(item.name) for file_name in file_names for item in required(file_name)}
    assert missing(sources(*folders), names=asked) == set()


def loaded_from(patterns: Iterable[str]) -> list[Source]:
    """Return the files that match the patterns and all of the project's files that they import, directly or not."""
    known = {module_name(source): source for source in sources(*PRODUCT)}
    waiting = [name for name, source in known.items() if any(fnmatchcase(source.name, item) for item in patterns)]
    seen: dict[str, Source] = {}
    while waiting:
        name = waiting.pop()
        if name in known and name not in seen:
            seen[name] = known[name]
            waiting += [name.rpartition(".")[0], *(found.module for found in known[name].imports)]
    return list(seen.values())


def module_name(source: Source) -> str:
    """Return the dotted name of a file's module."""
    return source.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def missing(files: Iterable[Source], *, names: Set[str]) -> set[str]:
    """Return what these files import of packages that none of the named distributions provides."""
    return {
        f"{source.name} imports {found.package}"
        for source in files
        for found in source.imports
        if not found.is_standard and found.package not in OURS and not distributions_of(found.package) & names
    }
