"""The project's own Python files as syntax trees, with what each imports. Shared by the architecture tests."""

import ast
import functools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
OURS = frozenset({"portal", "bert_training", "tests"})


@dataclass(frozen=True)
class Import:
    """One imported module, by its full dotted name; `from a import b` counts as a.b where b is a module of ours."""

    module: str
    line: int
    is_inside_function: bool

    @property
    def package(self) -> str:
        """Return the top-level package."""
        return self.module.partition(".")[0]

    @property
    def is_standard(self) -> bool:
        """Tell whether it comes with Python."""
        return self.package in sys.stdlib_module_names


@dataclass(frozen=True)
class Source:
    """One Python file. `name` is its path below the root, with forward slashes."""

    name: str
    tree: ast.Module

    @functools.cached_property
    def imports(self) -> list[Import]:
        """Return every import, wherever it stands."""
        return list(_imports(self.tree, is_inside_function=False))

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Yield every function and method."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def sources(*folders: str) -> tuple[Source, ...]:
    """Return the files below these folders of the project, migrations aside (they are generated)."""
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return tuple(read_source(path) for path in files if "migrations" not in path.parts)


@functools.cache
def read_source(path: Path) -> Source:
    """Parse one file, once in a session."""
    return Source(path.relative_to(ROOT).as_posix(), ast.parse(path.read_bytes(), filename=str(path)))


def _imports(node: ast.AST, *, is_inside_function: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inside = is_inside_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, inside) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = "." * child.level + (child.module or "")
            yield from (Import(_module_of(base, alias.name), child.lineno, inside) for alias in child.names)
        else:
            yield from _imports(child, is_inside_function=inside)


def _module_of(base: str, name: str) -> str:
    path = ROOT.joinpath(*base.split("."), name)
    is_module = base.partition(".")[0] in OURS and (path.is_dir() or path.with_suffix(".py").exists())
    return f"{base}.{name}" if is_module else base
