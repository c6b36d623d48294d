"""Writes a model card (Markdown with a YAML head, as the model hub reads it) from the facts of a run, in Portuguese.

The same text for the folder on the worker and for the download on the portal.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bert_training.data.long_text_card import long_text_section
from bert_training.data.proof.shape import Proof
from bert_training.data.proof_card import (
    baseline_rows,
    calibration_sentence,
    gain_sentence,
    interval,
    interval_note,
    number,
)

NO_EXAMPLES = "sem exemplos"

TEXT = """\
# {name}

Modelo de `{task}` treinado a partir de `{base_model}` (revisão `{revision}`).
Os textos de treino não fazem parte deste modelo nem desta ficha.

## Como usar

```python
from transformers import pipeline

modelo = pipeline("{task}", model="caminho/da/pasta")
print(modelo("Escreva aqui um texto."))
```

## Textos longos

{long_texts}
## Resultados no conjunto de teste

Contados sobre todas as previsões do conjunto de teste, que não foi usado no treino nem na escolha do modelo
(passo {best_step}, pela métrica `{best_metric}` na validação).

{metrics}

{proof}
{classes}

{trust}## Dados

{rows}

## Como foi feito

{provenance}

Impressão digital dos pesos (SHA-256 de `model.safetensors`): `{fingerprint}`

## Limites

Os números valem para textos parecidos com os do conjunto de teste. Confira as respostas antes de decidir por elas.
"""

TRUST = """\
## Comparado com métodos simples

{gain}{baselines}

## Probabilidades

{calibration}
"""


@dataclass(frozen=True)
class ModelCardFacts:
    """What a card says.

    task: also what transformers.pipeline is called with.  metrics: test figures, None = not defined there.
    classes: {"name", "precision", "recall", "f1", "support"} each.  rows: by split.  provenance: plain JSON values.
    reading: how long texts were read, see long_text_card.  proof: intervals, baselines, calibration; None of runs that
    have none.
    """

    task: str
    base_model: str
    revision: str
    fingerprint: str
    best_metric: str
    best_step: int
    metrics: dict[str, float | None]
    classes: Sequence[Any]
    rows: dict[str, int]
    provenance: dict[str, Any]
    reading: Mapping[str, Any]
    proof: Proof | None = None


def model_card(facts: ModelCardFacts) -> str:
    """Return the whole card."""
    body = TEXT.format(
        name=_name(facts),
        task=facts.task,
        base_model=facts.base_model,
        revision=facts.revision,
        best_metric=facts.best_metric,
        best_step=facts.best_step,
        metrics=_metrics(facts),
        proof="" if facts.proof is None else interval_note(facts.proof),
        classes=_table(("classe", "precisão", "recall", "F1", "exemplos"), map(_class_cells, facts.classes)),
        rows=_table(("conjunto", "linhas"), facts.rows.items()),
        provenance=_table(("o quê", "valor"), _flat(facts.provenance)),
        fingerprint=facts.fingerprint,
        long_texts=long_text_section(facts.task, facts.reading),
        trust="" if facts.proof is None else _trust(facts.proof),
    )
    # Every JSON value is a YAML value: no YAML library, and nothing in a name can break out of its line.
    head = "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in _head(facts).items())
    return f"---\n{head}\n---\n\n{body}"


def _metrics(facts: ModelCardFacts) -> str:
    if facts.proof is None:
        return _table(("métrica", "valor"), ((name, _number(value)) for name, value in facts.metrics.items()))
    known = facts.proof["figures"]
    rows = ((name, _number(value), interval(known.get(name))) for name, value in facts.metrics.items())
    return _table(("métrica", "valor", "intervalo de 95 %"), rows)


def _trust(proof: Proof) -> str:
    """Return the sections on baselines and on probabilities."""
    rows = baseline_rows(proof)
    return TRUST.format(
        gain=gain_sentence(proof),
        baselines="\n" + _table(("método simples", proof["metric"], "intervalo de 95 %"), rows) if rows else "",
        calibration=calibration_sentence(proof),
    )


def _name(facts: ModelCardFacts) -> str:
    return f"{facts.base_model.rpartition('/')[2]}-{facts.fingerprint[:12]}"


def _head(facts: ModelCardFacts) -> dict[str, Any]:
    dataset = {"type": "spreadsheet", "name": facts.provenance.get("dataset_sha256", "spreadsheet"), "split": "test"}
    metrics = [{"type": name, "value": value} for name, value in facts.metrics.items() if value is not None]
    results = [{"task": {"type": facts.task}, "dataset": dataset, "metrics": metrics}]
    return {
        "language": "pt",
        "base_model": facts.base_model,
        "library_name": "transformers",
        "pipeline_tag": facts.task,
        "model-index": [{"name": _name(facts), "results": results}],
    }


def _class_cells(figures: Any) -> tuple[str, ...]:
    rates = (_number(figures[rate]) for rate in ("precision", "recall", "f1"))
    return (str(figures["name"]), *rates, str(figures["support"]))


def _flat(facts: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Flatten one level: one row a fact."""
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from ((f"{name}: {key}", _plain(inner)) for key, inner in value.items())
        else:
            yield name, _plain(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: float | None) -> str:
    return NO_EXAMPLES if value is None else number(value)


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a Markdown table; a cell cannot break out of it."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
