"""Pages of a long list that begin where the one before ended, instead of counting rows from the start.

The five-hundredth page costs what the first does, and rows that come or go meanwhile shift nothing. The address names
the place: the number of a row with the value that the list is sorted by, so that it still means something when that
row is gone. A place that makes no sense is the beginning.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

from bert_training.pages.requests import ROWS_PER_PAGE, number_of

Row = TypeVar("Row", bound=Model)

NAME_CHARACTERS = 200
# Beyond it a list says "more than": an exact count reads every row.
COUNTED_ROWS = 1_000
AFTER, BEFORE = "after", "before"


def read_number(text: str) -> float:
    """Read a sort value. Raises ValueError."""
    value = float(text[:40])
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def read_name(text: str) -> str:
    """Read a sort value. Raises ValueError."""
    if "\x00" in text or len(text) > NAME_CHARACTERS:
        raise ValueError(text)
    return text


@dataclass(frozen=True)
class Order:
    """By which column a list is sorted, equals by their number. Columns are never empty.

    read: the value of an address.
    """

    column: str
    is_descending: bool
    read: Callable[[str], Any] = read_number

    @property
    def aria_sort(self) -> str:
        """How a table's head says it."""
        return "descending" if self.is_descending else "ascending"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns for order_by."""
        return self._columns(self.is_descending)

    def _columns(self, is_descending: bool) -> tuple[str, ...]:
        sign = "-" if is_descending else ""
        return (f"{sign}pk",) if self.column == "pk" else (f"{sign}{self.column}", f"{sign}pk")

    def turned(self) -> "Order":
        """Return the same order from its other end."""
        return Order(self.column, not self.is_descending, self.read)

    def place_of(self, row: Model) -> str:
        """Name the place of a row, for an address."""
        return str(row.pk) if self.column == "pk" else f"{row.pk}~{getattr(row, self.column)!s}"

    def beyond(self, place: str) -> Q | None:
        """Return the condition of rows behind a place, None for a place that makes no sense.

        The bound on the column alone is what lets a database enter its index at the place.
        """
        number, _sign, text = place.partition("~")
        pk, side = number_of(number), "lt" if self.is_descending else "gt"
        if pk is None:
            return None
        if self.column == "pk":
            return Q(**{f"pk__{side}": pk})
        try:
            value = self.read(text)
        except ValueError:
            return None
        behind = Q(**{f"{self.column}__{side}": value}) | Q(**{f"pk__{side}": pk})
        return Q(**{f"{self.column}__{side}e": value}) & behind


@dataclass(frozen=True)
class Sorting:
    """How a list is sorted now. name: as the address says it, "-" before it where it is turned around."""

    name: str
    order: Order


def sorting_of(query: Mapping[str, str], orders: Mapping[str, Order]) -> Sorting:
    """Return the order that `?sort=` asks for, by default and for a strange one the first."""
    asked = query.get("sort", "")
    name = asked.removeprefix("-")
    if name not in orders:
        first = next(iter(orders))
        return Sorting(first, orders[first])
    return Sorting(asked, orders[name].turned() if asked.startswith("-") else orders[name])


@dataclass
class KeysetPage(Generic[Row]):
    """Some rows of a list. before, after: the places of its ends, empty where nothing is beyond.

    total: how many rows the list has, at most COUNTED_ROWS.
    """

    object_list: list[Row]
    before: str
    after: str
    total: int
    has_more_than_counted: bool = False


def keyset_page(
    rows: QuerySet[Row], order: Order, query: Mapping[str, str], per_page: int = ROWS_PER_PAGE
) -> KeysetPage[Row]:
    """Return the page that `?after=` or `?before=` asks for: two queries, and one more at the very beginning."""
    found = _rows_before(rows, order, query.get(BEFORE, ""), per_page)
    has_before = has_after = found is not None
    if found is None:
        beyond = order.beyond(query.get(AFTER, ""))
        found = _first_rows(rows if beyond is None else rows.filter(beyond), order, per_page)
        has_before = beyond is not None and bool(found)
        if beyond is not None and not found:  # all behind the place are gone
            found = _first_rows(rows, order, per_page)
        has_after = len(found) > per_page
        found = found[:per_page]
    is_all = not has_before and not has_after
    total = len(found) if is_all else rows.order_by()[: COUNTED_ROWS + 1].count()
    return KeysetPage(
        object_list=found,
        before=order.place_of(found[0]) if has_before and found else "",
        after=order.place_of(found[-1]) if has_after else "",
        total=min(total, COUNTED_ROWS),
        has_more_than_counted=total > COUNTED_ROWS,
    )


def _first_rows(rows: QuerySet[Row], order: Order, per_page: int) -> list[Row]:
    """Return the rows of a page and one more, by which to tell that there is another page."""
    return list(rows.order_by(*order.columns)[: per_page + 1])


def _rows_before(rows: QuerySet[Row], order: Order, place: str, per_page: int) -> list[Row] | None:
    """Return the rows before a place; None where there is no such place, or no more than the first page before it."""
    turned = order.turned()
    beyond = turned.beyond(place)
    if beyond is None:
        return None
    found = _first_rows(rows.filter(beyond), turned, per_page)
    return found[:per_page][::-1] if len(found) > per_page else None
