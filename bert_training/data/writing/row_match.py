"""Matches the rows of an upload with those of the dataset that it continues: by their ids and by their texts.

Works on canonical tables. Of several rows with the same id (copies) one is the row itself, the others are new.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Hashable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from bert_training.data.table import ROW, ROW_ID, Columns
from bert_training.data.writing.own_columns import read_row_id

Pairs = list[tuple[int, int]]  # position in the new table, position in the old one


@dataclass(frozen=True)
class Continuation:
    """How a spreadsheet has changed since the dataset that it continues, in rows.

    kept: matched, by_id + by_text; some of them with another text or another answer.
    """

    kept: int
    text_changed: int
    answer_changed: int
    deleted: int
    added: int
    by_id: int
    by_text: int

    def as_dict(self) -> dict[str, int]:
        """Return plain JSON values."""
        return asdict(self)


def continued_file(row_ids: Iterable[str]) -> str | None:
    """Return the first digits of the digest that most ids name, None without any id."""
    named = Counter(known[0] for known in map(read_row_id, row_ids) if known)
    return named.most_common(1)[0][0] if named else None


def match_rows(new: Columns, old: Columns, *, file: str, text: str) -> tuple[list[int | None], int]:
    """Return for each new row its position in the old table, or None, and how many were found by their id.

    file: what continued_file said.  text: name of the column that holds the text or its tokens.
    Rows whose id and text agree go first, then equal texts, then ids alone: an id beside the text of another row was
    left behind when only some columns were sorted.
    """
    named, pairs = _named_by_id(new, old, file), _Matching(new[text], old[text])
    by_id = pairs.find_by_id(named, is_text_equal=True)
    pairs.find_by_text()
    by_id += pairs.find_by_id(named, is_text_equal=False)
    return pairs.partners, by_id


class _Matching:
    """New rows and the old rows that they are, each old row for one new row only."""

    def __init__(self, new_texts: list[Any], old_texts: list[Any]) -> None:
        self._new, self._old = new_texts, old_texts
        self._free = set(range(len(old_texts)))
        self.partners: list[int | None] = [None] * len(new_texts)

    def find_by_id(self, named: list[int | None], *, is_text_equal: bool) -> int:
        """Pair rows with the old row that their id names; returns how many."""
        before = len(self._free)
        for position, partner in enumerate(named):
            if partner is None or (is_text_equal and self._new[position] != self._old[partner]):
                continue
            self._pair(position, partner)
        return before - len(self._free)

    def find_by_text(self) -> None:
        """Pair rows of the same text in the order in which they stand."""
        waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
        for partner in sorted(self._free):
            waiting[_key(self._old[partner])].append(partner)
        for position, value in enumerate(self._new):
            if self.partners[position] is None and (same := waiting.get(_key(value))):
                self._pair(position, same.popleft())

    def _pair(self, position: int, partner: int) -> None:
        if self.partners[position] is None and partner in self._free:
            self.partners[position] = partner
            self._free.remove(partner)


def compare(new: Columns, old: Columns, *, file: str, text: str, answer: str) -> tuple[Continuation, Pairs]:
    """Count what has changed, and return the matched rows. text, answer: names of the task's two columns."""
    partners, by_id = match_rows(new, old, file=file, text=text)
    pairs = [(position, partner) for position, partner in enumerate(partners) if partner is not None]
    counts = Continuation(
        kept=len(pairs),
        text_changed=sum(new[text][position] != old[text][partner] for position, partner in pairs),
        answer_changed=sum(new[answer][position] != old[answer][partner] for position, partner in pairs),
        deleted=len(old[text]) - len(pairs),
        added=len(partners) - len(pairs),
        by_id=by_id,
        by_text=len(pairs) - by_id,
    )
    return counts, pairs


def corrected_rows(new: list[Any], old: list[Any], pairs: Pairs, earlier: Collection[int] = ()) -> list[int]:
    """Return the positions of the new rows whose answer was corrected: now, or in the old table's own past.

    new, old: the answers.  earlier: positions in the old table.  A label that has another name everywhere is none.
    """
    renamed = _renamed(new, old, pairs)
    return [
        position
        for position, partner in pairs
        if partner in earlier
        or (new[position] != old[partner] and (_key(old[partner]), _key(new[position])) not in renamed)
    ]


def _renamed(new: list[Any], old: list[Any], pairs: Pairs) -> set[tuple[Hashable, Hashable]]:
    """Return (old, new) of the labels of which each row has one new name that no row had before."""
    known, names = set(map(_key, old)), defaultdict[Hashable, set[Hashable]](set)
    for position, partner in pairs:
        if isinstance(old[partner], str):  # the tags of a sentence are no name
            names[old[partner]].add(new[position])
    only = [(before, *after) for before, after in names.items() if len(after) == 1]
    counts = Counter(after for _before, after in only)
    return {(before, after) for before, after in only if counts[after] == 1 and after not in known}


def _named_by_id(new: Columns, old: Columns, file: str) -> list[int | None]:
    """Return for each new row the position of the old row that its id names."""
    position_of = {row: position for position, row in enumerate(old[ROW])}
    known = map(read_row_id, new.get(ROW_ID, [""] * len(new[ROW])))
    return [position_of.get(found[1]) if found and found[0] == file else None for found in known]


def _key(value: Any) -> Hashable:
    return tuple(value) if isinstance(value, list) else value
