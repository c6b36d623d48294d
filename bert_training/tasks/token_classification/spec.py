"""Token classification: finds names of people, places, laws ... in a text; words tagged in IOB2."""

from collections import Counter
from pathlib import Path
from typing import Any

from bert_training.contract.wording import gettext_noop
from bert_training.data.doctor.bio import OUTSIDE, entity_types
from bert_training.data.figures.entities import ENTITIES
from bert_training.data.suggestions import Content
from bert_training.data.summary import count_labels, describe_lengths
from bert_training.data.table import Table
from bert_training.tasks.spec import Column, TaskSpec
from bert_training.tasks.token_classification.check import check_tokens
from bert_training.tasks.token_classification.metrics import METRICS
from bert_training.tasks.token_classification.settings import TokenClassificationSettings


def summarize(table: Table) -> dict[str, Any]:
    """Count the entities of each type and all tags, and describe the lengths of the rows in words."""
    starts = (tag[2:] for tags in table["tags"] for tag in tags if tag.startswith("B-"))
    return {
        "labels": count_labels(starts),
        "tags": count_labels(tag for tags in table["tags"] for tag in tags),
        "lengths": describe_lengths([len(tokens) for tokens in table["tokens"]]),
    }


def label_names(table: Table) -> list[str]:
    """Return all tags in sorted order, O always among them; the position is the id."""
    return sorted({tag for tags in table["tags"] for tag in tags} | {OUTSIDE})


def strata(table: Table) -> list[str]:
    """Return the entity type of each row that is rarest in the table, O where there is none.

    By the rarest, not by the set of types: sets would make many strata of one row, and the rare types are the ones
    that a split can lose.
    """
    kinds = [entity_types(tags) for tags in table["tags"]]
    counts = Counter(kind for found in kinds for kind in found)
    return [min(found, key=lambda kind: (counts[kind], kind), default=OUTSIDE) for found in kinds]


def texts(table: Table) -> list[str]:
    """Return the words of each row with spaces between."""
    return [" ".join(tokens) for tokens in table["tokens"]]


def answers(table: Table) -> list[str]:
    """Return the tags of each row."""
    return [" ".join(tags) for tags in table["tags"]]


TOKEN_CLASSIFICATION = TaskSpec(
    name="token-classification",
    label=gettext_noop("Entity recognition"),
    description=gettext_noop("Learns to find names in a text: people, organisations, places, dates, laws."),
    columns=(
        Column(
            name="tokens",
            content=Content.TOKENS,
            header="tokens",
            label=gettext_noop("Tokens"),
            help=gettext_noop('The words of the text as a JSON list: ["Maria", "mora", "aqui"].'),
            aliases=("palavras", "words", "token"),
        ),
        Column(
            name="tags",
            content=Content.TAGS,
            header="tags",
            label=gettext_noop("Tags"),
            help=gettext_noop('One tag for each word as a JSON list: ["B-PESSOA", "O", "O"].'),
            aliases=("etiquetas", "ner_tags", "labels", "rotulos", "tag"),
        ),
    ),
    example_rows=(
        (
            '["Maria", "Lopes", "mora", "em", "Ouro", "Preto"]',
            '["B-PESSOA", "I-PESSOA", "O", "O", "B-LOCAL", "I-LOCAL"]',
        ),
        ('["Publicado", "em", "3", "de", "maio"]', '["O", "O", "B-TEMPO", "I-TEMPO", "I-TEMPO"]'),
        ('["O", "recurso", "foi", "negado", "."]', '["O", "O", "O", "O", "O"]'),
    ),
    metrics=METRICS,
    best_metric="f1",
    check=check_tokens,
    summarize=summarize,
    label_names=label_names,
    strata=strata,
    texts=texts,
    answers=answers,
    hyperparameters=TokenClassificationSettings,
    judgement=ENTITIES,
    network_module="bert_training.tasks.token_classification.network",
    sample_path=Path(__file__).with_name("sample.csv"),
)
