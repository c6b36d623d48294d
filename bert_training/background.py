"""What django-q2 runs, by dotted name: short, idempotent functions that call one service each."""

from bert_training.services.stored_check import check_stored_dataset


def check_dataset(pk: int) -> None:
    """Check a large upload."""
    check_stored_dataset(pk)
