"""Profiles for tests that are not about the child process which makes them."""

from typing import Any

from bert_training.contract.enums import ProfileStatus
from bert_training.data.profiling.duplicates import pack_groups
from bert_training.data.profiling.profile import Examples, describe_examples
from bert_training.data.profiling.token_lengths import count_token_lengths
from bert_training.models import Dataset, DatasetProfile, TokenLengths
from bert_training.services.stored_files import read_table
from bert_training.tasks.profiling import examples_of

CPF = "529.982.247-25"  # its check digits are right; nobody's


def give_profile(dataset: Dataset, **changes: Any) -> DatasetProfile:
    """Store the profile of a dataset, made here."""
    content, groups = describe_examples(examples_of(read_table(dataset), dataset.task))
    fields = {
        "status": ProfileStatus.READY.value,
        "content": content,
        "clusters": groups and pack_groups(groups),
        **changes,
    }
    return DatasetProfile.objects.update_or_create(dataset=dataset, defaults=fields)[0]


def give_token_lengths(dataset: Dataset, *, max_length: int = 128, base_model: str = "bert-a") -> TokenLengths:
    """Store lengths as a worker tells them: half of the rows are cut."""
    lengths = [100, 300] * (dataset.rows // 2)
    content = count_token_lengths(lengths, ["saúde", "cobrança"] * (dataset.rows // 2), max_length=max_length)
    return TokenLengths.objects.create(dataset=dataset, base_model=base_model, content=content)


def examples(*rows: tuple[str, str], groups: tuple[str, ...] = ()) -> Examples:
    """Return (text, label) pairs as the examples of a profile; they stand in rows 2, 3 ..."""
    table: dict[str, list[Any]] = {
        "row": list(range(2, len(rows) + 2)),
        "text": [text for text, _label in rows],
        "label": [label for _text, label in rows],
    }
    table |= {"group": list(groups)} if groups else {}
    return examples_of(table, "text-classification")
