"""The large workbook of the benchmark `import`: 132,373 Portuguese texts of 40 words, with edited copies among them."""

import random
from functools import cache
from pathlib import Path

from openpyxl import Workbook

from tests.bench.frame import PROJECT_FOLDER
from tests.data.brazilian_numbers import cpf, process_number
from tests.data.near_duplicates import Planted, make_texts, plant_copies

ROWS = 132_373
COPIES = ROWS // 20
NUMBERED = 20  # every so many-th text names a person's number
LABELS = {"cobrança": 30, "indenização": 25, "saúde": 20, "servidor público": 12, "trânsito": 8, "outros": 5}
PATH = PROJECT_FOLDER / "var" / "bench" / f"import_{ROWS}_rows.xlsx"


@cache
def planted_texts() -> Planted:
    """Make the texts and which are copies of which; the same each time."""
    chance = random.Random(20)
    originals = make_texts(ROWS - COPIES, seed=21)
    for index in range(0, len(originals), NUMBERED):
        originals[index] += f" Autor {cpf(chance)}, autos {process_number(chance)}."
    return plant_copies(originals, copies=COPIES, seed=22)


def labels() -> list[str]:
    """Return the label of each text; copies have that of their original."""
    planted, chance = planted_texts(), random.Random(23)
    chosen = chance.choices(list(LABELS), list(LABELS.values()), k=ROWS)
    return [chosen[family] for family in planted.families]


def large_workbook() -> Path:
    """Write the workbook unless it lies there from an earlier time: half a minute, 14 MB."""
    if not PATH.exists():
        PATH.parent.mkdir(parents=True, exist_ok=True)
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Dados")
        sheet.append(["texto", "label"])
        for row in zip(planted_texts().texts, labels(), strict=True):
            sheet.append(row)
        unfinished = PATH.with_suffix(".part")
        book.save(unfinished)
        unfinished.rename(PATH)
    return PATH
