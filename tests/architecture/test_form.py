"""The rules of form that a linter does not know: docstrings, names, catch-alls, the empty package."""

import ast

from tests.architecture.rules import CATCH_ALL, NAMES_THAT_SAY_NOTHING
from tests.architecture.source import ROOT, sources

EVERYTHING = ("portal", "bert_training", "tests")
PRODUCT = ("portal", "bert_training")
TRANSLATORS = frozenset({"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "pgettext"})
LONGEST_FUNCTION = 80  # lines; style.md looks hard above 50


def test_bert_training_is_empty_so_that_a_worker_loads_no_django() -> None:
    assert (ROOT / "bert_training" / "__init__.py").read_bytes() == b""


def test_every_module_says_what_it_is_for() -> None:
    silent = [source.name for source in sources(*EVERYTHING) if source.tree.body and not ast.get_docstring(source.tree)]
    assert silent == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    names = [path for folder in EVERYTHING for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in names if path.name in NAMES_THAT_SAY_NOTHING] == []


def test_everything_is_caught_only_at_the_named_boundaries() -> None:
    catching = {
        f"{source.name}:{node.lineno}"
        for source in sources(*PRODUCT)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and _catches_all(node) and source.name not in CATCH_ALL
    }
    assert catching == set()


def test_no_function_is_too_long_to_be_read_at_one_sight() -> None:
    long = [
        f"{source.name}:{function.name}"
        for source in sources(*EVERYTHING)
        for function in source.functions()
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_nothing_is_left_for_later() -> None:
    words = ("TO" + "DO", "FIX" + "ME")
    files = [path for folder in EVERYTHING for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in files if any(word in path.read_text(encoding="utf-8") for word in words)] == []


def test_no_sentence_hides_from_the_catalogue_inside_an_f_string() -> None:
    """The program that collects sentences does not look there: such a one stays English on Portuguese pages."""
    hidden = {
        f"{source.name}:{call.lineno}"
        for source in sources(*PRODUCT)
        for text in ast.walk(source.tree)
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in TRANSLATORS
    }
    assert hidden == set()


def _catches_all(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler swallows everything; one that ends in a bare `raise` only tidies up on the way."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"}) for kind in kinds
    )
