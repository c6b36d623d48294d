"""Prints how long files and functions are, beside the targets of the style guide: `make sizes`. A report, no gate."""

import ast
import statistics
from collections.abc import Sequence

from tests.architecture.source import ROOT, Source, sources

PRODUCT = ("portal", "bert_training")
LONG_FILE = 400  # lines from which a reviewer looks hard
LONG_FUNCTION = 50
SHOWN = 10


def main() -> None:
    """Print the figures and the longest of each kind."""
    product, tests = sources(*PRODUCT), sources("tests")
    files = {source.name: _lines(source) for source in product}
    functions = {f"{source.name}:{item.name}": _length(item) for source in product for item in source.functions()}
    parameters = [len(item.args.args + item.args.kwonlyargs) for source in product for item in source.functions()]
    print("Measure                       median     90 %      max   target")
    _print_row("file length, lines", list(files.values()), target="median 90, 90 % below 250")
    _print_row("function length, lines", list(functions.values()), target="median 10, 90 % below 30")
    _print_row("parameters of a function", parameters, target="at most 6")
    print(f"Tests to code, lines          {sum(map(_lines, tests)) / max(sum(files.values()), 1):6.2f}   target 1.2")
    print(f"Functions fully annotated     {_annotated_share(product):6.0%}   target 100 %")
    _print_longest(f"Files above {LONG_FILE} lines", files, limit=LONG_FILE)
    _print_longest(f"Functions above {LONG_FUNCTION} lines", functions, limit=LONG_FUNCTION)


def _lines(source: Source) -> int:
    return len((ROOT / source.name).read_text(encoding="utf-8").splitlines())


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _annotated_share(files: Sequence[Source]) -> float:
    functions = [item for source in files for item in source.functions()]
    return sum(item.returns is not None for item in functions) / max(len(functions), 1)


def _print_row(name: str, values: list[int], *, target: str) -> None:
    tenth = statistics.quantiles(values, n=10)[-1]
    print(f"{name:<28}{statistics.median(values):8.0f} {tenth:8.0f} {max(values):8d}   {target}")


def _print_longest(title: str, lengths: dict[str, int], *, limit: int) -> None:
    long = sorted(((length, name) for name, length in lengths.items() if length > limit), reverse=True)
    print(f"\n{title}: {len(long)}")
    for length, name in long[:SHOWN]:
        print(f"{length:6d}  {name}")


if __name__ == "__main__":
    main()
