"""The columns of the list of runs: which there are, which are shown, and by which the list is sorted."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from bert_training.models.choices import Label
from bert_training.pages.keyset import Order, Sorting, read_name


@dataclass(frozen=True)
class Column:
    """One column; its cells are printed by templates/runs/cells/_<name>.html. sort: name of an order."""

    name: str
    label: Label
    sort: str = ""
    is_number: bool = False
    is_usual: bool = True

    @property
    def template(self) -> str:
        """The template of a cell."""
        return f"runs/cells/_{self.name}.html"


@dataclass(frozen=True)
class ColumnHead:
    """The head of a shown column. sort_to: what `?sort=` becomes by it. aria_sort: how it is sorted now, or ""."""

    column: Column
    sort_to: str
    aria_sort: str


# The first is the order of a list without `?sort=`.
ORDERS = {
    "created": Order("pk", is_descending=True),
    "name": Order("name", is_descending=False, read=read_name),
    "result": Order("headline_rank", is_descending=True),
    "duration": Order("duration_seconds", is_descending=True),
}
COLUMNS = (
    Column("status", _("Status")),
    Column("result", _("Test result"), sort="result", is_number=True),
    Column("verdict", _("Verdict")),
    Column("data", _("Data")),
    Column("base_model", _("Base model"), is_usual=False),
    Column("task", _("Task"), is_usual=False),
    Column("tags", _("Tags")),
    Column("notes", _("Notes"), is_usual=False),
    Column("owner", _("Owner")),
    Column("created", _("Created"), sort="created"),
    Column("duration", _("Duration"), sort="duration", is_number=True, is_usual=False),
)
NAME = Column("name", _("Run"), sort="name")  # is always there
ALL_NAMES = tuple(column.name for column in COLUMNS)
USUAL_NAMES = tuple(column.name for column in COLUMNS if column.is_usual)
OWNER = "owner"


def shown_columns(chosen: Collection[str], *, has_others: bool) -> list[Column]:
    """Return the chosen columns in their order, without a choice the usual: owners only where there are several."""
    names = set(chosen or USUAL_NAMES)
    if not chosen and not has_others:
        names.discard(OWNER)
    return [column for column in COLUMNS if column.name in names]


def head_of(column: Column, sorting: Sorting) -> ColumnHead:
    """Say what a column's head links to: the order by it, or that turned around where it is the order now."""
    if not column.sort:
        return ColumnHead(column, "", "")
    is_sorted = sorting.name.removeprefix("-") == column.sort
    is_turned = sorting.name.startswith("-")
    sort_to = f"-{column.sort}" if is_sorted and not is_turned else column.sort
    return ColumnHead(column, sort_to, sorting.order.aria_sort if is_sorted else "")
