"""What each file of requirements/ installs, followed through the installed distributions' own requirements."""

import functools
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import ROOT


def required(file_name: str) -> list[Requirement]:
    """Return the lines of one requirements file, those of the files that it includes first."""
    found: list[Requirement] = []
    for line in (ROOT / "requirements" / file_name).read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            found += required(text.removeprefix("-r ").strip())
        elif text and not text.startswith("-"):
            found.append(Requirement(text))
    return found


def installed_by(file_name: str) -> frozenset[str]:
    """Return the names of all distributions that a requirements file brings, those that others require too."""
    seen: set[tuple[str, str]] = set()
    waiting = required(file_name)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += _requirements_of(name, extra)
    return frozenset(name for name, _ in seen)


def distributions_of(package: str) -> frozenset[str]:
    """Return the distributions that provide an importable package; empty when none is installed."""
    return frozenset(canonicalize_name(name) for name in _distributions().get(package, ()))


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


def _requirements_of(name: str, extra: str) -> Iterator[Requirement]:
    try:
        lines = requires(name) or []
    except PackageNotFoundError:  # not for this system
        return
    for requirement in map(Requirement, lines):
        if requirement.marker is None:
            if not extra:
                yield requirement
        elif requirement.marker.evaluate({"extra": extra}):
            yield requirement
