"""What several readers refuse a file for, in one sentence each."""

from typing import Never

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.checks import DatasetRefused, Problem

SAVE_AS_XLSX = gettext_noop(
    "Open it in Excel or LibreOffice, choose Save as, Excel workbook (.xlsx), and send that file."
)

TOO_COMPLEX = "file_too_complex"


def refuse(code: str, message: str, repair: str = "", **values: str | int) -> Never:
    """Raise DatasetRefused with one problem of the file as a whole."""
    raise DatasetRefused(Problem(code, message, repair, values))


def damaged(detail: str) -> DatasetRefused:
    """Say that the file is broken; `detail` is what the reader stumbled over."""
    message = gettext_noop("The file is damaged and cannot be read (%(detail)s).")
    repair = gettext_noop("Send it again; if that does not help, open it in Excel and save it under a new name.")
    return DatasetRefused(Problem("file_damaged", message, repair, {"detail": excerpt(detail, 200)}))


def encrypted() -> DatasetRefused:
    """Say that a password is in the way, and how to save the file without it."""
    message = gettext_noop("The file is protected by a password.")
    repair = gettext_noop("Open it in Excel, remove the password under File, Info, Protect workbook, and save it.")
    return DatasetRefused(Problem("encrypted", message, repair))


def too_large_unpacked(unpacked_bytes: int, file_bytes: int) -> DatasetRefused:
    """Say that the file would grow beyond what is taken."""
    message = gettext_noop("Unpacked, the file would have %(megabytes)d MB, which its %(size)d KB do not explain.")
    repair = gettext_noop("Delete unused sheets, rows and formats, or split the spreadsheet.")
    values: dict[str, str | int] = {"megabytes": unpacked_bytes // 2**20, "size": file_bytes // 1024}
    return DatasetRefused(Problem("file_too_large_unpacked", message, repair, values))


def no_table() -> DatasetRefused:
    """Say that there are no rows and columns in the file."""
    message = gettext_noop("The file holds no table, whatever its name says.")
    return DatasetRefused(Problem("not_a_spreadsheet", message, SAVE_AS_XLSX))


def too_complex() -> DatasetRefused:
    """Say that the file breaks the limits of those who read it."""
    message = gettext_noop("Reading the file took more time or memory than is allowed.")
    repair = gettext_noop("Copy the needed columns as values into a new workbook and send that.")
    return DatasetRefused(Problem(TOO_COMPLEX, message, repair))
