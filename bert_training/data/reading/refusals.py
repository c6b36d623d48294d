"""What several readers refuse a file for, in one sentence each."""

from bert_training.contract.wording import gettext_noop
from bert_training.data.checks import DatasetRefused, Problem


def encrypted() -> DatasetRefused:
    """Say that a password is in the way, and how to save the file without it."""
    message = gettext_noop("The file is protected by a password.")
    repair = gettext_noop("Open it in Excel, remove the password under File, Info, Protect workbook, and save it.")
    return DatasetRefused(Problem("encrypted", message, repair))
