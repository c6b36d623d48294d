"""The section of a model card that says how long texts were read, with code that reads them in the same way.

transformers.pipeline alone cuts at the right or the left; what it cannot do stands there as a few lines.
"""

from collections.abc import Mapping
from typing import Any

CUT = """\
Textos com mais de {max_length} tokens foram lidos até esse limite: {kept}. Leia do mesmo modo:

```python
from transformers import pipeline

modelo = pipeline("{task}", model="caminho/da/pasta")
print(modelo("Escreva aqui um texto longo."{option}))
```
"""
KEPT = {
    "right": "o começo fica e o fim é cortado",
    "left": "o fim fica e o começo é cortado (o tokenizer desta pasta já corta assim)",
}
READ_TEXT = """\
{how} O `pipeline` não lê assim; estas linhas leem como no teste, com uma resposta por texto:

```python
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

pasta = "caminho/da/pasta"
tokenizer = AutoTokenizer.from_pretrained(pasta)
modelo = AutoModelForSequenceClassification.from_pretrained(pasta).eval()
texto = "Escreva aqui um texto longo."
{lines}
resposta = logits.softmax(dim=-1)
print(modelo.config.id2label[int(resposta.argmax())], float(resposta.max()))
```
"""
MIDDLE = (
    "Textos com mais de {max_length} tokens foram lidos sem o meio: ficam {head} tokens do começo e {tail} do fim, "
    "contados com os especiais."
)
MIDDLE_LINES = """\
ids = tokenizer(texto)["input_ids"]
if len(ids) > {max_length}:
    ids = ids[:{head}] + ids[-{tail}:]
with torch.no_grad():
    logits = modelo(input_ids=torch.tensor([ids])).logits[0]"""
WINDOWS = (
    "Textos com mais de {max_length} tokens foram lidos inteiros, em janelas de {max_length} tokens; cada janela lê de "
    "novo os últimos {overlap} tokens da anterior, e a resposta do texto é a média dos logits das janelas."
)
WINDOW_LINES = """\
janelas = tokenizer(
    texto, truncation=True, max_length={max_length}, stride={overlap}, return_overflowing_tokens=True,
    padding=True, return_tensors="pt",
)
janelas.pop("overflow_to_sample_mapping")
with torch.no_grad():
    logits = modelo(**janelas).logits.mean(dim=0)"""
TAGS_MIDDLE = (
    "Textos com mais de {max_length} tokens foram lidos sem o meio, e as palavras do meio ficaram sem resposta. O "
    "`pipeline` não lê assim; em janelas ele responde também o meio:"
)
TAGS_WINDOWS = (
    "Textos com mais de {max_length} tokens foram lidos inteiros, em janelas; cada janela lê de novo os últimos "
    "{overlap} tokens da anterior. No teste cada palavra vale pela janela em que tem mais contexto; o `pipeline` fica, "
    "entre duas janelas, com a resposta mais segura:"
)
TAGS_CODE = """\
{how}

```python
from transformers import pipeline

modelo = pipeline(
    "token-classification", model="caminho/da/pasta", aggregation_strategy="first", stride={overlap}
)
print(modelo("Escreva aqui um texto longo."))
```
"""
AROUND = 1  # special tokens before a text, and behind it: [CLS] and [SEP] or what the base model has for them
HEAD_PARTS = 4  # as ml.rows.cutting
DEFAULT_OVERLAP = 64  # of runs that are older than the setting


def long_text_section(task: str, reading: Mapping[str, Any]) -> str:
    """Return the section without its title. reading: truncation_side, max_length, window_overlap as they were."""
    side, max_length = reading.get("truncation_side", "right"), int(reading["max_length"])
    room = max_length - 2 * AROUND
    head = -(-room // HEAD_PARTS)
    values = {
        "max_length": max_length,
        "overlap": reading.get("window_overlap", DEFAULT_OVERLAP),
        "head": head + AROUND,
        "tail": room - head + AROUND,
    }
    if side in KEPT:
        option = ", truncation=True" if task == "text-classification" else ""  # the other pipeline always cuts
        return CUT.format(task=task, kept=KEPT[side], option=option, **values)
    if task == "token-classification":
        how = TAGS_MIDDLE if side == "middle" else TAGS_WINDOWS
        return TAGS_CODE.format(how=how.format(**values), **values)
    how, lines = (MIDDLE, MIDDLE_LINES) if side == "middle" else (WINDOWS, WINDOW_LINES)
    return READ_TEXT.format(how=how.format(**values), lines=lines.format(**values))
