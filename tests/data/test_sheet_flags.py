"""Why cells of a sheet cannot be used: merged ones by their areas."""

from collections.abc import Sequence
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from bert_training.data.doctor.sheet_flags import flag_cells
from bert_training.data.reading.sheet import Area, Sheet, Value
from bert_training.data.table import CellFlag

AREAS = st.lists(st.tuples(*(st.integers(0, 9),) * 2, *(st.integers(0, 5),) * 2), max_size=5)


def sheet_of(texts: list[str], areas: list[Area]) -> Sheet:
    """Put texts into column C of a sheet that begins in B, from row 2 on."""
    rows: list[Sequence[Value]] = [["", text] for text in texts]
    return Sheet(Path("none.ods"), "Dados", 0, 1, ["id", "texto"], list(range(2, len(texts) + 2)), rows, areas)


@example(texts=[" "] * 4, drawn=[(1, 0, 3, 3), (2, 1, 0, 1)])  # one area inside another
@given(st.lists(st.sampled_from([" ", "x"]), min_size=1, max_size=10), AREAS)
def test_blank_cells_in_merged_areas_are_told(texts: list[str], drawn: list[tuple[int, int, int, int]]) -> None:
    areas = [((top, left), (top + height, left + width)) for top, left, height, width in drawn]
    flags = flag_cells(sheet_of(texts, areas), {"text": [1]}, {"text": texts})
    inside = {
        ("text", index): CellFlag.MERGED
        for index, text in enumerate(texts)
        if not text.strip()
        if any(top <= index + 1 <= bottom and left <= 2 <= right for (top, left), (bottom, right) in areas)
    }
    assert flags == inside


def test_areas_that_cover_each_other_a_thousandfold_cost_one_look_a_cell() -> None:
    texts = [" "] * 10_000
    areas = [((start, 0), (100_000, 200)) for start in range(5_000)]
    assert len(flag_cells(sheet_of(texts, areas), {"text": [1]}, {"text": texts})) == 10_000
