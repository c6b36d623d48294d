"""Actions of the benchmark `import`: the same workbook read with what one would otherwise take.

Libraries are imported by name, so that each process carries only its own.
"""

import importlib

from tests.bench.import_measure import Measured, answer, of_this_process


def read_with_pandas(path: str) -> Measured:
    """Read it as pandas does by itself, with openpyxl; returns how many rows there were."""
    pandas = importlib.import_module("pandas")
    importlib.import_module("openpyxl")
    return of_this_process(lambda: len(pandas.read_excel(path, engine="openpyxl")))


def read_with_calamine(path: str) -> Measured:
    """Read it with the library that the portal reads with, and do nothing more."""
    calamine = importlib.import_module("python_calamine")
    return of_this_process(lambda: len(calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()) - 1)


if __name__ == "__main__":
    answer({"pandas": read_with_pandas, "calamine": read_with_calamine})
