"""What somebody has chosen to see of a result: the address holds it, and what makes no sense in it is ignored."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self, TypeVar

from django.utils.http import urlencode

SEARCH_CHARACTERS = 100
DIGITS = 6

Choice = TypeVar("Choice", bound=StrEnum)


class Shares(StrEnum):
    """What the fields of the confusion matrix say."""

    COUNTS = "counts"
    ROWS = "rows"
    COLUMNS = "columns"


class ClassOrder(StrEnum):
    """By what classes are ordered; the weakest or rarest first, but names from A to Z."""

    F1 = "f1"
    PRECISION = "precision"
    RECALL = "recall"
    SUPPORT = "support"
    NAME = "name"


@dataclass(frozen=True)
class ResultView:
    """shares: of the matrix.  order, find, is_all: of the classes.  threshold: from which answers are accepted."""

    shares: Shares = Shares.COUNTS
    order: ClassOrder = ClassOrder.F1
    find: str = ""
    is_all: bool = False
    threshold: float | None = None

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> Self:
        """Read an address."""
        return cls(
            shares=_one_of(Shares, asked.get("matrix"), Shares.COUNTS),
            order=_one_of(ClassOrder, asked.get("order"), ClassOrder.F1),
            find=str(asked.get("find", "")).strip()[:SEARCH_CHARACTERS],
            is_all=asked.get("classes") == "all",
            threshold=_share(str(asked.get("threshold", ""))),
        )

    @property
    def chosen(self) -> dict[str, str]:
        """Return what stands in the address: all that is not as usual."""
        values = {
            "matrix": "" if self.shares == Shares.COUNTS else self.shares.value,
            "order": "" if self.order == ClassOrder.F1 else self.order.value,
            "find": self.find,
            "classes": "all" if self.is_all else "",
            "threshold": "" if self.threshold is None else f"{self.threshold:g}",
        }
        return {name: value for name, value in values.items() if value}

    def query(self, **changes: Any) -> str:
        """Return the address of this view with changes."""
        return "?" + urlencode(replace(self, **changes).chosen)

    def beside(self, *names: str) -> dict[str, str]:
        """Return what a form that asks for these fields carries along."""
        return {name: value for name, value in self.chosen.items() if name not in names}


def _one_of(kind: type[Choice], text: str | None, usual: Choice) -> Choice:
    return next((choice for choice in kind if choice.value == text), usual)


def _share(text: str) -> float | None:
    """Read 0.9 or 0,9."""
    whole, _, rest = text.replace(",", ".").partition(".")
    is_number = len(text) <= DIGITS and (whole + rest).isascii() and (whole + rest).isdecimal()
    return min(1.0, float(f"{whole or 0}.{rest or 0}")) if is_number else None
