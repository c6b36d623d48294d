"""Part of the benchmark `import`: files that want to harm, each checked alone: how long and how much memory at most."""

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bert_training.contract.limits import UPLOAD_BYTES
from tests.bench.frame import Figure
from tests.bench.import_measure import Measured, measure
from tests.data.packages import SHEET_PART, TEXTS, cell, sheet_xml, write_package
from tests.data.test_hostile_files import CASES
from tests.shared_data import FOLDER

TOO_COMPLEX = "file_too_complex"  # the answer of those whom the child's limits ended
ENDED_SECONDS = 12.5  # 12 s for the child, the rest to start and to bury it
MANY_CELLS = '<dimension ref="A1:XFD1048576"/>'
BOMB_BYTES = 300_000_000
LAST_CELL = f'<row r="1048576">{cell("XFD1048576", "x")}</row>'
PARTS, DEPTH = 100_000, 200_000
NOTES = """*Hostile files*: each is checked as an upload, by a process of its own and its child. The forged workbook
says that it has 17 billion cells, the bomb inflates to 300 MB; the others are those of the tests, 100,000 parts in one
zip, a cell in the last corner, text files of one endless field, line or list or of blank rows, a Parquet file of 1 GB
in one value and, where they are at hand, the collected ones (nasty_xlsx)."""


def measure_part() -> list[Figure]:
    """Check every file once; the two that are named in the goals have figures of their own."""
    with tempfile.TemporaryDirectory(prefix="bert-bench-") as folder:
        measured = {path: _check(path) for path in hostile_files(Path(folder))}
        names = {path: str(path.relative_to(folder if path.is_relative_to(folder) else FOLDER)) for path in measured}
    named = {path.stem: one for path, one in measured.items()}
    ended = {names[path]: one for path, one in measured.items() if one.says == TOO_COMPLEX}
    answered = {names[path]: one for path, one in measured.items() if one.says != TOO_COMPLEX}
    return [
        *_figures_of("forged 4.7 kB workbook", {"": named["forged"]}, seconds=5.0, megabytes=300.0),
        *_figures_of("296 kB bomb", {"": named["bomb"]}, seconds=5.0, megabytes=300.0),
        *_figures_of(f"all {len(answered)} hostile files that are answered", answered, seconds=5.0, megabytes=300.0),
        *_figures_of(f"{len(ended)} hostile files that the limits end", ended, seconds=ENDED_SECONDS, megabytes=1074.0),
    ]


def hostile_files(folder: Path) -> Iterator[Path]:
    """Write the files of the benchmark and of the tests below a folder, and find the collected ones."""
    yield from _workbooks(folder)
    yield from _other_formats(folder)
    for number, (_name, _code, file_name, make) in enumerate(CASES):
        path = folder / f"case {number}" / file_name
        path.parent.mkdir()
        make(path)
        yield path
    yield from sorted(FOLDER.glob("nasty_xlsx/*.xlsx"))


def _workbooks(folder: Path) -> Iterator[Path]:
    yield write_package(folder / "forged.xlsx", {SHEET_PART: sheet_xml(TEXTS, before=MANY_CELLS)})
    yield write_package(folder / "bomb.xlsx", {SHEET_PART: b" " * BOMB_BYTES})
    yield write_package(folder / "corner.xlsx", {SHEET_PART: sheet_xml(TEXTS, extra=LAST_CELL)})
    with zipfile.ZipFile(folder / "parts.xlsx", "w") as package:
        for number in range(PARTS):
            package.writestr(f"xl/{number}", b"")
    yield folder / "parts.xlsx"


def _other_formats(folder: Path) -> Iterator[Path]:
    room = UPLOAD_BYTES - 100
    for name, content in (
        ("field.csv", b'texto;label\n"' + b"a" * room),
        ("line.jsonl", b'{"texto": "' + b"a" * room + b'"}'),
        ("keys.json", b'[{"texto": "a", "label": "b", "x": ' + b"[" * DEPTH + b"]" * DEPTH + b"}]"),
        ("blank.csv", b"texto;label\n" + b";\n" * (room // 2)),
    ):
        path = folder / name
        path.write_bytes(content)
        yield path
    texts = pa.array(["a" * 1_000_000]).dictionary_encode().take(pa.array([0] * 1000, pa.int32()))
    pq.write_table(pa.table({"texto": texts, "label": ["a", "b"] * 500}), folder / "value.parquet")
    yield folder / "value.parquet"


def _check(path: Path) -> Measured:
    task = "token-classification" if "_ner_" in path.name else "text-classification"
    return measure("import_ours", "check_hostile", path, task)


def _figures_of(what: str, files: dict[str, Measured], *, seconds: float, megabytes: float) -> Iterator[Figure]:
    """Give the worst of some files, by name where there are several."""
    if not files:
        return
    slowest = max(files, key=lambda name: files[name].seconds)
    largest = max(files, key=lambda name: files[name].peak_bytes)
    names = [f" ({name})" if name else "" for name in (slowest, largest)]
    yield Figure(f"{what}: longest time{names[0]}", "s", [files[slowest].seconds], goal=seconds)
    yield Figure(f"{what}: peak memory{names[1]}", "MB", [files[largest].peak_megabytes], goal=megabytes)
