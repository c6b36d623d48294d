"""Units of the rows that a run takes are those by which the portal divided them."""

import pandas as pd

from bert_training.worker.row_units import units_of_taken

TEXT = "o autor pede que a parte contraria seja ouvida no processo antes da sentenca final"


def test_copies_and_rows_of_a_group_are_one_unit() -> None:
    texts = [TEXT, "imposto", f"{TEXT} agora", "remedio", "salario"]
    table = pd.DataFrame({"row": range(2, 7), "text": texts, "group": ["", "p1", "", "p1", ""]})
    assert units_of_taken(table, texts, range(5)) == [0, 1, 0, 1, 4]
    assert units_of_taken(table.drop(columns="group"), texts, range(5)) == [0, 1, 0, 3, 4]


def test_rows_that_a_left_out_row_ties_stay_together() -> None:
    texts = ["imposto", TEXT, f"{TEXT} agora", "remedio"]
    table = pd.DataFrame({"row": range(2, 6), "text": texts, "group": ["p1", "p1", "p2", "p2"]})
    assert units_of_taken(table, texts, [0, 3]) == [0, 0]
