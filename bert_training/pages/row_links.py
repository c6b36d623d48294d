"""Where the rows of a result are listed, narrowed to what somebody has pointed at."""

from typing import Any

from django.utils.http import urlencode

from bert_training.contract.enums import Split
from bert_training.models import Run


def rows_link(run: Run, **filters: Any) -> str:
    """Return the address of the test rows that fit: given, answered = names of labels, show = wrong, right or all."""
    return f"/runs/{run.pk}/rows?{urlencode({**filters, 'split': Split.TEST.value})}"
