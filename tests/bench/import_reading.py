"""Part of the benchmark `import`: a large workbook read, checked, described, searched for copies; and the references.

Each measurement is a process of its own; all are taken in turn, round after round.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bert_training.contract.enums import Split
from bert_training.data.profiling.duplicates import unpack_groups
from bert_training.data.splitting.split import Shares, split_rows
from tests.bench.frame import Figure, rounds_for
from tests.bench.import_measure import Measured, measure
from tests.bench.import_workbook import COPIES, ROWS, labels, large_workbook, planted_texts
from tests.data.near_duplicates import score_pairs

PANDAS, CALAMINE = "pandas.read_excel (openpyxl)", "calamine alone"
NOTES = f"""*Reading*: a workbook of {ROWS:,} made texts of 40 words and more, {COPIES:,} of them edited copies of
others (a typo, another word, case, accents, punctuation, number or date, a cut end, a greeting). Ours is the check as
the portal starts it, the child process with it, and the canonical table written; the references have their libraries
loaded and read the same file. Profile: the same check and then the child that describes the table. Near-duplicates: the
child that reads the table, finds and writes the groups. Memory is the peak of the largest process."""

Rounds = dict[str, list[Measured]]


def measure_part() -> list[Figure]:
    """Measure everything round by round, then judge the groups that were found."""
    path = large_workbook()
    with tempfile.TemporaryDirectory(prefix="bert-bench-") as name:
        table, groups = Path(name) / "table", Path(name) / "groups"
        rounds = _measure_rounds(
            {
                "check": lambda: measure("import_ours", "check_large", path, table),
                "pandas": lambda: measure("import_references", "pandas", path),
                "calamine": lambda: measure("import_references", "calamine", path),
                "profile": lambda: measure("import_ours", "check_and_describe", path, table),
                "near": lambda: measure("import_ours", "find_near", table, groups),
            }
        )
        found = unpack_groups(groups.read_bytes(), ROWS)
    if {one.says for name in ("check", "pandas", "calamine") for one in rounds[name]} != {str(ROWS)}:
        raise RuntimeError("Not everybody has read all rows.")
    return [*_figures_of(rounds), *_figures_of_groups(found)]


def _measure_rounds(actions: dict[str, Callable[[], Measured]]) -> Rounds:
    """Measure by turns, every other round backwards; the check comes first, since others need its table."""
    rounds: Rounds = {name: [] for name in actions}
    actions["check"]()
    for number in range(rounds_for(2, 5)):
        for name in list(actions)[:: -1 if number % 2 else 1]:
            rounds[name].append(actions[name]())
    return rounds


def _figures_of(rounds: Rounds) -> list[Figure]:
    rates = {name: [ROWS / one.seconds for one in measured] for name, measured in rounds.items()}
    seconds = {name: [one.seconds for one in measured] for name, measured in rounds.items()}
    peaks = {name: [one.peak_megabytes for one in measured] for name, measured in rounds.items()}
    what = f"{ROWS:,} rows read and checked"
    described = f"{ROWS:,} rows checked, full profile, exact duplicates, personal data"
    near = f"near-duplicates of {ROWS:,} texts"
    return [
        Figure(what, "rows/s", rates["check"], rates["pandas"], PANDAS, 8, "times"),
        Figure(what, "s", seconds["check"], seconds["calamine"], CALAMINE, 1.5, "times at most"),
        Figure(f"{what}: peak memory", "MB", peaks["check"], peaks["pandas"], PANDAS, 1 / 3, "times at most"),
        Figure(f"{what}: peak memory", "MB", peaks["check"], peaks["calamine"], CALAMINE),
        Figure(described, "s", seconds["profile"], seconds["check"], "the plain check", 8, "times at most"),
        Figure(f"{described}: peak memory", "MB", peaks["profile"], peaks["pandas"], PANDAS),
        Figure(near, "s", seconds["near"], seconds["pandas"], PANDAS, 4, "times at most"),
        Figure(f"{near}: peak memory", "MB", peaks["near"], goal=500),
    ]


def _figures_of_groups(groups: Sequence[int]) -> list[Figure]:
    planted = planted_texts()
    recall, precision = score_pairs(planted.families, groups)
    splits = split_rows(labels(), Shares(train=0.7, validation=0.15, test=0.15), seed=42, units=groups)
    alone = split_rows(labels(), Shares(train=0.7, validation=0.15, test=0.15), seed=42)
    return [
        Figure("planted near-duplicates: recall", "", [recall], goal=0.95, goal_is="at least"),
        Figure("planted near-duplicates: precision", "", [precision], goal=0.95, goal_is="at least"),
        Figure(
            "planted near-duplicates whose copies are in two splits",
            "texts",
            [_divided(planted.families, splits)],
            [_divided(planted.families, alone)],
            "split by label alone",
            goal=0,
        ),
    ]


def _divided(families: Sequence[int], splits: Sequence[Split]) -> int:
    """Count the families with rows in more than one split."""
    found: dict[int, set[Split]] = {}
    for family, split in zip(families, splits, strict=True):
        found.setdefault(family, set()).add(split)
    return sum(len(splits) > 1 for splits in found.values())
