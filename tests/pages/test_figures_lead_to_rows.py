"""What a result counts is what its lists of rows hold: every field, class and pair, from one file of answers."""

import random
import re
from html import unescape
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from bert_training.data.figures.entity_pairs import Fate
from bert_training.data.listing.entity_list import FoundEntity
from bert_training.data.predicting.predictions import Predictions
from bert_training.data.proof.prove import prove
from bert_training.models import Dataset, Run, RunProof
from bert_training.services.answers.row_lists import Asked, Show, find_rows
from bert_training.tasks import TASKS
from tests.answered import answer, entities, labels, rows_of
from tests.personas import make_run, ready_dataset

NAMES = ["ação & reação", "-", "all", "wrong <b>"]
TYPES = ["LOCAL", "PESSOA"]


def proven(run: Run, answers: Predictions, names: list[str]) -> Run:
    """A run whose proof is computed from its answers, as in the background."""
    spec = TASKS[run.task]
    content = prove(
        [answers], judgement=spec.judgement, names=names, metric=spec.best_metric, seed=1, calibration=None, judged=0
    )
    answer(run, [answers], names)
    RunProof.objects.filter(run=run).update(content=content)
    return run


def fields_of(client: Client, run: Run) -> list[tuple[int, str]]:
    """Return (count, address) of every field of the matrix that leads somewhere."""
    content = client.get(f"/runs/{run.pk}").content.decode()
    matrix = content[content.index('class="matrix"') :]
    found = re.findall(r'<a href="(/runs/\d+/rows[^"]*)">(\d+)<', matrix[: matrix.index("</table>")])
    return [(int(count), unescape(link)) for link, count in found]


def listed(client: Client, link: str) -> list[Any]:
    context = client.get(link).context
    return [*(context.get("labels") or context.get("sentences") or [])]


def test_fields_classes_and_pairs_of_labels_lead_to_as_many_rows(as_ana: Client, ana: User, dataset: Dataset) -> None:
    run, chance = make_run(ana, dataset), random.Random(3)
    rows = [*range(2, 26)]
    gold = [chance.randrange(4) for _row in rows]
    predicted = [each if chance.random() < 0.5 else chance.randrange(4) for each in gold]
    run = proven(run, labels(rows, gold, predicted, classes=4), NAMES)
    fields = fields_of(as_ana, run)
    assert sum(count for count, _link in fields) == len(rows)
    assert [len(listed(as_ana, link)) for _count, link in fields] == [count for count, _link in fields]
    classes = as_ana.get(f"/runs/{run.pk}").context["proof"].shown.classes.shown
    assert [len(listed(as_ana, each.link)) for each in classes] == [int(each.examples) for each in classes]


def test_fields_and_kinds_of_errors_of_entities_are_those_of_the_sentences(as_ana: Client, ana: User) -> None:
    run = make_run(ana, ready_dataset(ana, task="token-classification"))
    gold = [[("PESSOA", 0, 2), ("LOCAL", 3, 4)], [("LOCAL", 0, 1)], [("PESSOA", 1, 3)]]
    found: list[list[Any]] = [
        [("PESSOA", 0, 1, 0.9), ("PESSOA", 3, 4, 0.5)],
        [("LOCAL", 0, 1, 0.75), ("LOCAL", 2, 3, 0.5)],
        [],
    ]
    run = proven(run, entities(rows_of(run, 3), gold, found), TYPES)
    counts = dict(fields_and_entities(as_ana, run))
    assert counts
    errors = RunProof.objects.get(run=run).content["entities"]
    for fate in Fate:
        pairs = entities_at(as_ana, run, f"/runs/{run.pk}/rows?error={fate.value}")
        told = sum(each.fate is fate for each in pairs)
        assert told == errors[fate.value], fate


def fields_and_entities(client: Client, run: Run) -> list[tuple[str, int]]:
    """Return for each field how many of its entities are in the sentences to which it leads; fails where it differs."""
    told = []
    for count, link in fields_of(client, run):
        kinds = re.search(r"given=([^&]*)&answered=([^&]*)", link)
        assert kinds is not None
        given, answered = ("" if kind == "-" else kind for kind in kinds.groups())
        found = entities_at(client, run, link)
        pairs = [(each.gold[0] if each.gold else "", each.predicted[0] if each.predicted else "") for each in found]
        assert pairs.count((given, answered)) == count, link
        told.append((link, count))
    return told


def entities_at(client: Client, run: Run, link: str) -> list[FoundEntity]:
    """Return what became of every entity of the sentences that an address lists."""
    shown = {int(sentence.row) for sentence in listed(client, link)}
    every = find_rows(run, Asked(show=Show.ALL))
    return [each for sentence in every.sentences(every.places) if sentence.row in shown for each in sentence.entities]
