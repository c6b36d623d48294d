"""Whether two runs answered the same rows, so that one may be set against the other row by row.

The very same table alone counts: its digest stands on the page of every run, so that nobody learns anything of cells
that they may not see. Of tables that differ only who may see both is told where.
"""

from bert_training.models import Run


def have_same_table(first: Run, second: Run) -> bool:
    """Tell whether both were trained on the very same rows of the very same task."""
    digests = first.dataset.table_sha256, second.dataset.table_sha256
    return first.task == second.task and digests[0] == digests[1] != ""
