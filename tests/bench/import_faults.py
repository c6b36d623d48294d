"""Part of the benchmark `import`: faults of every kind are planted in clean workbooks: how many are found there?"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from tests.bench.frame import IS_QUICK, Figure
from tests.checking import check_file
from tests.data.planted_book import book_of, sample_rows
from tests.data.test_planted_faults import (
    FAULTS,
    LARGE_FILES,
    SMALL_FILES,
    Finding,
    findings_of,
    plant,
    real_rows,
    task_of,
)
from tests.shared_data import FOLDER

SEEDS = 1 if IS_QUICK else 5
PLANTED_IN = ("text_cls/b2w_sentimento_1k.xlsx", "token_cls/lener_br_1k.xlsx")  # the others: test_planted_faults, long
NOTES = f"""*Planted faults*: {sum(map(len, FAULTS.values()))} kinds, {SEEDS} of each at random cells of the samples
that come with the tasks, and of real workbooks where they are at hand. Found is what has its code in its very cell; an
alarm is false when it names what was neither planted nor known to be in the file."""


@dataclass(frozen=True)
class Score:
    """How many findings had to follow, how many did, and how many others there were."""

    planted: int
    found: int
    false_alarms: int


def measure_part() -> list[Figure]:
    """Plant in samples and real workbooks, then check the clean ones."""
    with tempfile.TemporaryDirectory(prefix="bert-bench-") as folder:
        scores = list(plant_everywhere(Path(folder)))
    planted = sum(score.planted for score in scores)
    found = sum(score.found for score in scores)
    clean = {name: known for name, known in (SMALL_FILES | LARGE_FILES).items() if (FOLDER / name).exists()}
    alarms = [count_false_alarms(name, known) for name, known in clean.items()]
    return [
        Figure(
            f"{planted:,} planted faults: share found in the exact cell",
            "",
            [found / planted],
            goal=1,
            goal_is="at least",
        ),
        Figure("false alarms beside planted faults", "", [sum(score.false_alarms for score in scores)], goal=0),
        *([Figure(f"false alarms in {len(clean)} clean real workbooks", "", [sum(alarms)], goal=0)] if clean else []),
    ]


def plant_everywhere(folder: Path) -> Iterator[Score]:
    """Plant each kind of fault in each workbook, one at a time."""
    books = [(task, sample_rows(task)) for task in FAULTS]
    books += [(task_of(name), real_rows(FOLDER / name)) for name in PLANTED_IN if (FOLDER / name).exists()]
    for task, rows in books:
        before = findings_of(book_of(rows, task).write(folder / "clean.xlsx"), task)
        avoided = {int(cell[1:]) for _, cell in before if cell}
        for kind, seed in product(FAULTS[task], range(SEEDS)):
            book = book_of(rows, task, avoided)
            expected = Counter(plant(book, task, kind, seed))
            yield score(expected, findings_of(book.write(folder / "planted.xlsx"), task), before)


def score(expected: Counter[Finding], found: Counter[Finding], before: Counter[Finding]) -> Score:
    """Compare what is found with what was planted; a fault of a whole column may change what was there before."""
    right = found & expected
    return Score(expected.total(), right.total(), (found - expected - before).total())


def count_false_alarms(name: str, known: dict[str, int]) -> int:
    """Check a real workbook and count what is reported beyond what is known to be in it."""
    counts = check_file(FOLDER / name, task=task_of(name)).counts
    return (Counter(counts) - Counter(known)).total()
