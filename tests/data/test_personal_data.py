"""Personal data of Brazil: what is found, what only looks like it, and what a masked text keeps."""

import random
import time

import pytest

from bert_training.data.profiling.check_digits import is_cnpj, is_cpf, is_process_number
from bert_training.data.profiling.personal_data import (
    MASKS,
    Kind,
    count_personal_data,
    find_personal_data,
    mask,
    mask_column,
    mask_words,
)
from tests.data.brazilian_numbers import MAKERS, near_miss

WORDS = [
    "o",
    "autor",
    "requer",
    "que",
    "seja",
    "citado",
    "o",
    "réu",
    "na",
    "ação",
    "de",
    "cobrança",
    "(fls.",
    "12)",
    "e",
    "diz",
]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("CPF 529.982.247-25, 52998224725.", "CPF [CPF], [CPF]."),
        ("529.982.247\u201325", "[CPF]"),
        ("CPF529.982.247-25", "CPF[CPF]"),
        ("529.982.247-26, 111.111.111-11", None),
        ("11.222.333/0001-81 e 11222333000181", "[CNPJ] e [CNPJ]"),
        ("12.ABC.345/01DE-35 12ABC34501DE35", "[CNPJ] [CNPJ]"),
        ("12.ABC.345/01DE-36, 00.000.000/0000-00", None),
        ("autos 0703777-48.2017.8.02.0058", "autos [PROCESSO]"),
        ("07037774820178020058", "[PROCESSO]"),
        ("0703777-49.2017.8.02.0058", None),
        ("OAB/SP 123.456, OAB-RJ nº 12345", "[OAB], [OAB]"),
        ("Ana (123456/SP), inscrita na OAB", "Ana ([OAB]), inscrita na OAB"),
        ("OAB/MG 12.345-A e 23.456/MG", "[OAB] e [OAB]"),
        ("Exame da OAB 2019; OAB, HC 123.456/SP; Estatuto da OAB (Lei nº 8.906/94)", None),
        ("Escreva a ana.b+c@tj.sp.gov.br.", "Escreva a [E-MAIL]."),
        ("@ana, a@b, preço @ R$ 3", None),
        ("(11) 91234-5678, +55 11 3456-7890, 0800 123 4567", "[TELEFONE], [TELEFONE], [TELEFONE]"),
        ("11 91234 5678, 31 9 8802 0306, 12. 99174.8808", "[TELEFONE], [TELEFONE], [TELEFONE]"),
        ("31 3488 8004, em 12 2019 2020", None),
        ("tel. 3456-7890 / zap 11912345678", "tel. [TELEFONE] / zap [TELEFONE]"),
        ("12345678, 2019-2020, 01310-100, (11) 99999-9999", None),
        ("Tel.(54)3331-4289/(54)99940-1361", "Tel.[TELEFONE]/[TELEFONE]"),
    ],
)
def test_personal_data_is_masked_and_what_looks_like_it_stays(text: str, masked: str | None) -> None:
    assert mask(text) == (text if masked is None else masked)


def test_known_numbers_pass_their_check_and_no_other_last_digit_does() -> None:
    cases = ((is_cpf, "52998224725"), (is_cnpj, "12ABC34501DE35"), (is_process_number, "07037774820178020058"))
    for is_real, number in cases:
        assert [digit for digit in "0123456789" if is_real(number[:-1] + digit)] == [number[-1]]


def planted_texts(seed: int, rows: int) -> tuple[list[str], list[Kind | None]]:
    """Write texts, each with one number of a kind, or with a near miss (None)."""
    chance = random.Random(seed)
    texts, kinds = [], []
    for _ in range(rows):
        kind = chance.choice([*Kind, None, None])
        number = near_miss(chance) if kind is None else MAKERS[kind](chance)
        words = chance.choices(WORDS, k=12)
        words.insert(chance.randrange(12), number + chance.choice(("", ".", ",", ";")))
        texts.append(" ".join(words))
        kinds.append(kind)
    return texts, kinds


def test_each_planted_number_is_found_and_no_near_miss() -> None:
    texts, kinds = planted_texts(seed=1, rows=4000)
    wrong = [
        (text, kind)
        for text, kind in zip(texts, kinds, strict=True)
        if [finding.kind for finding in find_personal_data(text)] != ([] if kind is None else [kind])
    ]
    assert wrong == []


def test_counts_and_masks_of_a_column_are_those_of_its_texts() -> None:
    texts, kinds = planted_texts(seed=2, rows=6_000)  # more than one block
    counted = count_personal_data(texts)
    for kind in Kind:
        rows = [index for index, planted in enumerate(kinds) if planted is kind]
        assert (counted[kind].found, counted[kind].rows) == (len(rows), len(rows))
        assert counted[kind].first_indexes == tuple(rows[:10])
    masked, changed = mask_column(texts)
    assert masked == [mask(text) for text in texts]
    assert changed == sum(kind is not None for kind in kinds)
    assert not any(count.found for count in count_personal_data(masked).values())
    assert all(MASKS[kind] in text for text, kind in zip(masked, kinds, strict=True) if kind)


@pytest.mark.parametrize(
    "text",
    [
        "@a." * 50_000,
        "1 " * 80_000,
        "(11) " * 40_000,
        "OAB/SP " * 30_000,
        "9" * 200_000,
        "A" * 200_000,
        "a" * 200_000 + "@b.c",
    ],
)
def test_no_text_is_slow(text: str) -> None:
    started = time.perf_counter()
    count_personal_data([text])
    assert time.perf_counter() - started < 1


def test_words_are_masked_one_by_one_and_keep_their_number() -> None:
    rows = [["CPF", "529.982.247-25", ","], ["OAB/SP", "123.456"], ["(52998224725)"], ["Ana"]]
    masked, changed = mask_words(rows)
    assert masked == [["CPF", "[CPF]", ","], ["[OAB]", "[OAB]"], ["([CPF])"], ["Ana"]]
    assert changed == 3


def test_no_text_gives_its_neighbour_a_meaning() -> None:
    counted = count_personal_data(["meu fone", "3456-7890", "OAB", "12345/SP", "(11)", "91234-5678"])
    assert not any(count.found for count in counted.values())
