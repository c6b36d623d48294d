"""Shows JSON facts (hyperparameters, figures, hardware) as small tables; every value is escaped."""

from collections.abc import Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from bert_training.admin.fact_words import VALUE_WORDS, fact_word
from bert_training.services.setting_words import shown_number

SHOWN_ENTRIES = 200
DEPTH = 4
BYTES_A_KILOBYTE = 1000
WHOLE_FROM = 20  # 1.3 GB needs its decimal, 440 MB does not
SIZES = ("_bytes", "disk_free")  # how the names of facts end that are sizes
DECIMALS = 4  # of a figure between 0 and 1
SMALL = 0.001  # a learning rate, of which four decimals say nothing


def facts_table(facts: Mapping[str, Any], *, labels: Mapping[str, str] | None = None, depth: int = DEPTH) -> SafeString:
    """Return one row a fact; mappings and lists of mappings are shown inside, to a limited depth."""
    words = labels or {}
    shown = list(facts.items())[:SHOWN_ENTRIES]
    rows = [(words.get(name) or fact_word(name), _shown_named(name, value, depth=depth)) for name, value in shown]
    if not rows:
        return SafeString("-")
    lines = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', rows)
    return format_html('<table class="facts"><tbody>{}</tbody></table>', lines)


def shown_fact(value: Any, *, depth: int = DEPTH) -> SafeString | str:
    """Return one value for people: yes and no, numbers in the language's form, lists with commas."""
    if value is None or value == "" or value == [] or value == {}:
        return "-"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return shown_number(value)
    if isinstance(value, Mapping) and depth:
        return facts_table(value, depth=depth - 1)
    if isinstance(value, list) and depth:
        return _shown_list(value, depth=depth - 1)
    return str(VALUE_WORDS.get(value, value) if isinstance(value, str) else value)


def shown_size(size_bytes: int) -> str:
    """Return a size in decimal units, as download pages and disks count: 440 MB."""
    size, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < BYTES_A_KILOBYTE:
            break
        size, unit = size / BYTES_A_KILOBYTE, larger
    decimals = 0 if size >= WHOLE_FROM or unit == "B" else 1
    return f"{number_format(round(size, decimals), decimal_pos=decimals)} {unit}"


def shown_figure(value: float | None) -> str:
    """Return a figure with four decimals, a smaller one with all it has; a dash where there is none."""
    if value is None:
        return "-"
    if value and abs(value) < SMALL:
        return shown_number(float(f"{value:.3g}"))
    return number_format(round(value, DECIMALS), decimal_pos=DECIMALS)


def _shown_named(name: str, value: Any, *, depth: int) -> SafeString | str:
    is_size = isinstance(value, int) and name.endswith(SIZES)
    return shown_size(value) if is_size else shown_fact(value, depth=depth)


def _shown_list(values: list[Any], *, depth: int) -> SafeString:
    separator = "" if isinstance(values[0], Mapping) else ", "
    return format_html_join(separator, "{}", ((shown_fact(value, depth=depth),) for value in values[:SHOWN_ENTRIES]))
