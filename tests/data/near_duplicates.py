"""Makes Portuguese texts and edited copies of some of them, and scores groups against what was planted."""

import random
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from bert_training.tasks import TASKS
from bert_training.tasks.samples import sample_rows

Edit = Callable[[str, random.Random], str]

OPENINGS = (
    "Trata-se de ação proposta em face do Estado, na qual a parte autora sustenta, em síntese, que",
    "Vieram os autos a esta procuradoria para manifestação sobre o pedido formulado na petição inicial, segundo o qual",
    "Certifico e dou fé que, nesta data, faço juntada da petição protocolada pela parte interessada, em que se lê",
)
GREETINGS = ("Bom dia, prezados.", "Prezados senhores,", "Boa tarde!", "Olá, tudo bem?", "Segue o texto:")
NUMBER = re.compile(r"\d[\d.,/-]*\d")


def make_texts(count: int, *, seed: int, words: int = 40, has_openings: bool = True) -> list[str]:
    """Write texts of words that occur as often as in the shipped samples; every other one begins with a formula."""
    draw = random.Random(seed)
    samples = sample_rows(TASKS["text-classification"])
    frequencies = Counter(word for row in samples for word in row[0].split() if not NUMBER.search(word))
    names, weights = list(frequencies), list(frequencies.values())
    texts = []
    for index in range(count):
        opening = draw.choice(OPENINGS).split() if has_openings and index % 2 else []
        chosen = [*opening, *draw.choices(names, weights, k=words - 2 - len(opening))]
        chosen[draw.randrange(len(opening), len(chosen)) : 0] = [_date(draw), f"R$ {draw.randrange(100, 99_999):,},00"]
        texts.append(" ".join(chosen))
    return texts


def _date(draw: random.Random) -> str:
    return f"{draw.randrange(1, 29):02}/{draw.randrange(1, 13):02}/{draw.randrange(2005, 2027)}"


def _typo(text: str, draw: random.Random) -> str:
    """Two neighbouring letters change places."""
    places = [place for place in range(len(text) - 1) if text[place : place + 2].isalpha()]
    at = draw.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _another_word(text: str, draw: random.Random) -> str:
    words = text.split()
    words[draw.randrange(len(words))] = draw.choice(("requerente", "processo", "entretanto", "produto", "prazo"))
    return " ".join(words)


def _without_a_word(text: str, draw: random.Random) -> str:
    words = text.split()
    del words[draw.randrange(len(words))]
    return " ".join(words)


def _another_number(text: str, draw: random.Random) -> str:
    found = NUMBER.search(text)
    return f"{text} {_date(draw)}" if found is None else f"{text[: found.start()]}{_date(draw)}{text[found.end() :]}"


def _cut(text: str, draw: random.Random) -> str:
    words = text.split()
    return " ".join(words[: -max(1, round(len(words) * draw.uniform(0.05, 0.2)))])


EDITS: dict[str, Edit] = {
    "a typo": _typo,
    "another word": _another_word,
    "a word left out": _without_a_word,
    "another case": lambda text, _draw: text.upper(),
    "no accents": lambda text, _draw: text.translate(str.maketrans("áéíóúâêôãõàç", "aeiouaeoaoac")),
    "other punctuation": lambda text, _draw: re.sub(r"[.,;!?] ", " - ", f"{text}..."),
    "another number or date": _another_number,
    "a cut end": _cut,
    "a greeting": lambda text, draw: f"{draw.choice(GREETINGS)} {text}",
    "a typo and another word": lambda text, draw: _typo(_another_word(text, draw), draw),
}


@dataclass(frozen=True)
class Planted:
    """Texts of which some are copies. families: the same number for a text and its copies.  edits: "" for originals."""

    texts: list[str]
    families: list[int]
    edits: list[str]


def plant_copies(originals: Sequence[str], *, copies: int, seed: int) -> Planted:
    """Add edited copies of originals chosen by the seed, each kind of edit in turn, and shuffle all."""
    draw = random.Random(seed)
    rows = [(text, family, "") for family, text in enumerate(originals)]
    for number in range(copies):
        family = draw.randrange(len(originals))
        name = list(EDITS)[number % len(EDITS)]
        rows.append((EDITS[name](originals[family], draw), family, name))
    draw.shuffle(rows)
    texts, families, edits = (list(column) for column in zip(*rows, strict=True))
    return Planted(texts, families, edits)


def score_pairs(families: Sequence[int], groups: Sequence[int]) -> tuple[float, float]:
    """Return recall and precision over the pairs of one family, of all pairs that were put into one group."""
    both = _pairs(zip(families, groups, strict=True))
    return both / max(1, _pairs(families)), both / max(1, _pairs(groups))


def _pairs(names: Iterable[Hashable]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(names).values())
