"""Every kind of fault, planted at a random cell of a clean workbook: found there, under its code, and nothing else.

Clean is what samples and real files hold before: whatever is found in them then is in them, and is written down here.
"""

import json
import random
from collections import Counter
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from bert_training.contract.enums import Split
from bert_training.data.repairs import Fix
from bert_training.tasks.intake import CheckRequest, SourceFile, check_files
from tests.checking import TEXT, TOKEN, check_file
from tests.data.planted_book import Book, book_of, sample_rows
from tests.data.planting import Findings
from tests.data.text_faults import TEXT_FAULTS
from tests.data.token_faults import TOKEN_FAULTS
from tests.shared_data import shared_data

FAULTS = {TEXT: TEXT_FAULTS, TOKEN: TOKEN_FAULTS}
SHEET = "Dados"
LETTERS = {"texto": "A", "tokens": "A", "label": "B", "tags": "B"}
SEEDS = 3
MANY_ROWS = 20_000

# What is found in real files is in them: repeated rows, the same text under two labels (107 texts of the docket
# entries), bytes that were lost before (sms_spam, two decisions).
SMALL_FILES = {
    "text_cls/b2w_sentimento_1k.xlsx": {},
    "text_cls/b2w_binario_4k.xlsx": {},
    "text_cls/andamentos_processuais_legalnlp.xlsx": {"conflicting_labels": 193},
    "text_cls/tjal_decisoes.xlsx": {"mojibake": 2},
    "token_cls/lener_br_1k.xlsx": {"duplicate_texts": 41},
}
LARGE_FILES = {
    "text_cls/banking77_en.xlsx": {"duplicate_texts": 11},
    "text_cls/sms_spam_en.xlsx": {"mojibake": 35, "duplicate_texts": 403},
    "text_cls/b2w_sentimento_10k.xlsx": {},
    "text_cls/b2w_sentimento_full.xlsx": {},
    "token_cls/lener_br_dev.xlsx": {"mojibake": 3, "conflicting_labels": 38, "duplicate_texts": 241},
    "token_cls/lener_br_test.xlsx": {"conflicting_labels": 4, "duplicate_texts": 198},
    "token_cls/lener_br_train_full.xlsx": {"conflicting_labels": 47, "duplicate_texts": 1627},
}

Finding = tuple[str, str]


def task_of(name: str) -> str:
    """Tell which task a real file is for."""
    return TOKEN if name.startswith("token") else TEXT


def findings_of(path: Path, task: str) -> Counter[Finding]:
    """Check a file and return all its findings as (code, cell); those of a column name the first cell if they can."""
    lines = path.with_suffix(".jsonl")
    check_files({Split.TRAIN: SourceFile(path)}, CheckRequest(task), problems_path=lines)
    found: Counter[Finding] = Counter()
    for line in lines.read_text().splitlines():
        problem = json.loads(line)
        if problem["cell"]:
            letter = LETTERS[problem["column"]]
            assert (problem["sheet"], f"{letter}{problem['row']}") == (SHEET, problem["cell"])
        examples = problem["values"].get("examples", "")
        found[problem["code"], problem["cell"] or examples.split(" ")[0]] += 1
    return found


@cache
def real_rows(path: Path) -> list[list[str]]:
    """Return the rows of a workbook of texts."""
    return [
        [str(value) for value in row[:2]] for row in CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    ]


def plant(book: Book, task: str, kind: str, seed: int) -> Findings:
    """Plant a fault; the place depends on kind and seed."""
    return FAULTS[task][kind](book, random.Random(f"{kind} {seed}"))


@pytest.mark.parametrize(("task", "kind"), [(task, kind) for task, kinds in FAULTS.items() for kind in kinds])
def test_a_planted_fault_is_found_in_its_cell_and_nothing_else_is(task: str, kind: str, tmp_path: Path) -> None:
    book = book_of(sample_rows(task), task)
    expected = plant(book, task, kind, seed=1)
    assert findings_of(book.write(tmp_path / "planted.xlsx"), task) == Counter(expected)


@pytest.mark.parametrize(
    ("name", "truly_in_it"),
    [
        *SMALL_FILES.items(),
        *(pytest.param(*item, marks=pytest.mark.long) for item in LARGE_FILES.items()),
    ],
)
def test_a_clean_workbook_raises_no_alarm(name: str, truly_in_it: dict[str, int]) -> None:
    report = check_file(shared_data(name), task=task_of(name))
    assert (report.valid, report.counts) == (True, truly_in_it)


def test_parts_of_speech_are_explained_and_read_on_demand() -> None:
    path = shared_data("token_cls/mac_morpho_pos_4k.xlsx")
    report = check_file(path, task=TOKEN)
    # One word is empty: truly so, in row 1596.
    assert report.counts == {"empty_token": 1, "tags_every_word": 1}
    report = check_file(path, task=TOKEN, recipe=[Fix.WORDS_TO_ENTITIES, Fix.LEAVE_OUT_BAD_ROWS])
    assert (report.valid, report.rows) == (True, 3999)


@pytest.mark.long
@pytest.mark.parametrize("name", [*SMALL_FILES, *LARGE_FILES])
def test_faults_planted_in_a_real_workbook_are_found(name: str, tmp_path: Path) -> None:
    task, rows = task_of(name), real_rows(shared_data(name))
    before = findings_of(book_of(rows, task).write(tmp_path / "clean.xlsx"), task)
    avoided = {int(cell[1:]) for _, cell in before if cell}
    wrong = []
    for kind, seed in product(FAULTS[task], range(1 if len(rows) > MANY_ROWS else SEEDS)):
        book = book_of(rows, task, avoided)
        expected = Counter(plant(book, task, kind, seed))
        found = findings_of(book.write(tmp_path / "planted.xlsx"), task)
        if not is_found(expected, found, before):
            wrong.append((kind, seed, expected - found, found - expected - before))
    assert wrong == []


def is_found(expected: Counter[Finding], found: Counter[Finding], before: Counter[Finding]) -> bool:
    """Compare with what was there before; a fault of a whole column may change that as well."""
    if all(not cell for _, cell in expected):
        return not expected - found
    return found == before + expected
