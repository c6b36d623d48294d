"""What the proofs of several runs come to, in three queries however many there are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import ngettext

from bert_training.models import Run, RunProof, SplitManifest
from bert_training.services.proving.figure_words import count_text
from bert_training.services.proving.grades import graded, load_scales
from bert_training.services.proving.proof_summary import usable
from bert_training.services.proving.verdict_words import verdict_sentence
from bert_training.services.proving.verdicts import Case, Verdict, verdict
from bert_training.tasks import TASKS


@dataclass(frozen=True)
class JudgedRun:
    """A run with its verdict in a sentence, and how many of its labels are doubted."""

    run: Run
    sentence: str
    doubted: int

    @property
    def doubts_sentence(self) -> str:
        """Say how many labels are doubted; empty for none."""
        words = ngettext("%(count)s label looks wrong.", "%(count)s labels look wrong.", self.doubted)
        return words % {"count": count_text(self.doubted)} if self.doubted else ""


def judged_runs(runs: Iterable[Run]) -> Iterator[JudgedRun]:
    """Yield those of the runs that somebody should look at: not to be used as they are, or with doubted labels."""
    listed = {run.pk: run for run in runs}
    if not listed:
        return
    scales = load_scales()
    splits = dict(SplitManifest.objects.filter(run__in=listed).values_list("run", "facts"))
    for stored in RunProof.objects.filter(run__in=listed):
        run, proof = listed[stored.run_id], usable(stored)
        spec = TASKS.get(run.task)
        if proof is None or spec is None:
            continue
        case = Case(proof, graded(proof, scales, task_metric=spec.best_metric), splits.get(run.pk, {}))
        finding = verdict(case)
        errors = proof["label_errors"]
        doubted = sum(errors["counts"].values()) if errors else 0
        if finding.verdict != Verdict.USE or doubted:
            yield JudgedRun(run, verdict_sentence(case, finding, spec), doubted)
