"""In which settings and data several runs differ; what is equal in all of them is folded away."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from bert_training.contract.enums import Split
from bert_training.models import Run
from bert_training.pages.run_settings import facts_by_name
from bert_training.pages.words import Fact
from bert_training.services.divisions import split_facts
from bert_training.services.provenance import provenance_of
from bert_training.services.proving.figure_words import UNKNOWN, count_text
from bert_training.tasks import TASKS

DIGEST_CHARACTERS = 12


@dataclass(frozen=True)
class ComparedFact:
    """One setting or fact, as each run has it."""

    label: str
    texts: list[str]
    is_digest: bool = False

    @property
    def is_equal(self) -> bool:
        """Tell whether all runs have the same."""
        return len(set(self.texts)) == 1


@dataclass(frozen=True)
class ComparedSettings:
    """different: what distinguishes the runs.  equal: all else."""

    different: list[ComparedFact]
    equal: list[ComparedFact]


def compared_settings(runs: Sequence[Run]) -> ComparedSettings:
    """Compare data, settings and where they come from, in this order."""
    columns = [{fact.label: fact for fact in _facts(run)} for run in runs]
    labels = dict.fromkeys(label for column in columns for label in column)
    facts = [_compared(label, [column.get(label) for column in columns]) for label in labels]
    return ComparedSettings([fact for fact in facts if not fact.is_equal], [fact for fact in facts if fact.is_equal])


def _compared(label: str, facts: Sequence[Fact | None]) -> ComparedFact:
    is_digest = any(fact is not None and fact.is_digest for fact in facts)
    return ComparedFact(label, [_text(fact) for fact in facts], is_digest)


def _text(fact: Fact | None) -> str:
    if fact is None or not fact.text:
        return UNKNOWN
    return fact.text[:DIGEST_CHARACTERS] if fact.is_digest else f"{fact.text} {fact.unit}".strip()


def _facts(run: Run) -> Iterator[Fact]:
    """Yield everything that can make two results differ; the seed stands among the settings."""
    spec = TASKS.get(run.task)
    yield Fact(_("Data"), run.dataset.name)
    rows = split_facts(run).get("rows") or {}
    if rows:
        yield Fact(
            _("Rows in training, validation, test"), " / ".join(count_text(rows.get(split.value, 0)) for split in Split)
        )
    yield Fact(_("Task"), _(spec.label) if spec else run.task)
    if spec is not None:
        yield from facts_by_name(run, spec).values()
    seed = _("Seed")
    origins = (origin for origin in provenance_of(run) if origin.label != seed)
    yield from (Fact(origin.label, origin.text, is_digest=origin.is_digest) for origin in origins)
