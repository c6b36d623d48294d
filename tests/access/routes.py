"""Every route of the portal as the URL configuration names it, with an address that leads to real rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Route:
    """One address: its name with namespaces (where it has none: its pattern), and the arguments that it takes."""

    name: str
    arguments: tuple[str, ...]

    def address(self, values: Mapping[str, Any]) -> str:
        """Fill in its arguments."""
        return reverse(self.name, kwargs={argument: values[argument] for argument in self.arguments})


def routes() -> list[Route]:
    """List all routes that a name leads to; what has none is listed by `nameless`."""
    return [Route(name, arguments) for name, arguments, _pattern in _walk(get_resolver().url_patterns) if name]


def nameless() -> list[str]:
    """List the patterns of routes without a name."""
    return [pattern for name, _arguments, pattern in _walk(get_resolver().url_patterns) if not name]


def _walk(
    patterns: list[URLPattern | URLResolver], spaces: tuple[str, ...] = (), prefix: str = ""
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    for entry in patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = (*spaces, entry.namespace) if entry.namespace else spaces
            yield from _walk(entry.url_patterns, inner, pattern)
        else:
            name = ":".join((*spaces, entry.name)) if entry.name else ""
            yield name, tuple(entry.pattern.regex.groupindex), pattern
