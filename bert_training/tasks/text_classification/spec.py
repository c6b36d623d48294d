"""Text classification: one label for a whole text, such as the subject of a petition."""

from pathlib import Path
from typing import Any

from bert_training.contract.wording import gettext_noop
from bert_training.data.figures.labels import LABELS
from bert_training.data.suggestions import Content
from bert_training.data.summary import count_labels, count_words, describe_lengths
from bert_training.data.table import Table
from bert_training.tasks.spec import Column, TaskSpec
from bert_training.tasks.text_classification.check import check_texts
from bert_training.tasks.text_classification.metrics import METRICS
from bert_training.tasks.text_classification.presets import TEXT_PRESETS
from bert_training.tasks.text_classification.settings import TextClassificationSettings


def summarize(table: Table) -> dict[str, Any]:
    """Count the rows of each class and describe the lengths of the texts in words."""
    return {
        "labels": count_labels(table["label"]),
        "lengths": describe_lengths(count_words(list(table["text"]))),
    }


def label_names(table: Table) -> list[str]:
    """Return the classes in sorted order; the position is the id."""
    return sorted(set(table["label"]))


def strata(table: Table) -> list[str]:
    """Return the class of each row."""
    return list(table["label"])


def texts(table: Table) -> list[str]:
    """Return the texts."""
    return list(table["text"])


TEXT_CLASSIFICATION = TaskSpec(
    name="text-classification",
    label=gettext_noop("Text classification"),
    description=gettext_noop("Learns to give a whole text one label, such as the subject of a petition."),
    columns=(
        Column(
            name="text",
            content=Content.TEXT,
            header="texto",
            label=gettext_noop("Text"),
            help=gettext_noop("The text to judge, one a row."),
            aliases=("text", "textos", "conteudo", "ementa", "frase", "sentenca", "mensagem", "review", "prompt"),
        ),
        Column(
            name="label",
            content=Content.LABEL,
            header="label",
            label=gettext_noop("Label"),
            help=gettext_noop("The name of the class, written the same way in every row. Each class needs 3 rows."),
            aliases=(
                "rotulo",
                "classe",
                "categoria",
                "etiqueta",
                "class",
                "category",
                "assunto",
                "polaridade",
                "completion",
            ),
        ),
    ),
    example_rows=(
        ("O autor pede indenização pelos danos que a queda de uma árvore causou ao seu veículo.", "indenizacao"),
        ("Requer o fornecimento contínuo do medicamento que o médico da rede pública receitou.", "saude"),
        ("O servidor pede o pagamento do adicional noturno dos últimos cinco anos.", "servidor_publico"),
    ),
    metrics=METRICS,
    best_metric="f1_macro",
    check=check_texts,
    summarize=summarize,
    label_names=label_names,
    strata=strata,
    texts=texts,
    answers=strata,
    hyperparameters=TextClassificationSettings,
    judgement=LABELS,
    network_module="bert_training.tasks.text_classification.network",
    sample_path=Path(__file__).with_name("sample.csv"),
    presets=TEXT_PRESETS,
)
