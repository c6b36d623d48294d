"""Matches the rows of an upload with those of the dataset that it continues: by id, then by text.

Works on canonical tables. Of several rows with the same id (copies) the first is the row itself, the others are new.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from bert_training.data.own_columns import read_row_id
from bert_training.data.table import ROW, ROW_ID, Columns


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
    """
    partners = _by_id(new, old, file)
    by_id = sum(partner is not None for partner in partners)
    taken = set(partners)
    waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for position, value in enumerate(old[text]):
        if position not in taken:
            waiting[_key(value)].append(position)
    for position, value in enumerate(new[text]):
        if partners[position] is None and (same := waiting.get(_key(value))):
            partners[position] = same.popleft()
    return partners, by_id


def compare(new: Columns, old: Columns, *, file: str, text: str, answer: str) -> Continuation:
    """Count what has changed. text, answer: names of the task's two columns."""
    partners, by_id = match_rows(new, old, file=file, text=text)
    pairs = [(position, partner) for position, partner in enumerate(partners) if partner is not None]
    return Continuation(
        kept=len(pairs),
        text_changed=sum(new[text][position] != old[text][partner] for position, partner in pairs),
        answer_changed=sum(new[answer][position] != old[answer][partner] for position, partner in pairs),
        deleted=len(old[text]) - len(pairs),
        added=len(partners) - len(pairs),
        by_id=by_id,
        by_text=len(pairs) - by_id,
    )


def _by_id(new: Columns, old: Columns, file: str) -> list[int | None]:
    position_of = {row: position for position, row in enumerate(old[ROW])}
    partners: list[int | None] = []
    for text in new.get(ROW_ID, [""] * len(new[ROW])):
        known = read_row_id(text)
        # popped: the second row with this id is a copy
        partners.append(position_of.pop(known[1], None) if known and known[0] == file else None)
    return partners


def _key(value: Any) -> Hashable:
    return tuple(value) if isinstance(value, list) else value
