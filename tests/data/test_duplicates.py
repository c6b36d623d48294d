"""Texts that are the same or nearly the same: which ones count, and that nothing but the texts decides."""

import random
from hashlib import sha256

import pytest

from bert_training.data.process_limits import BACKGROUND_LIMITS
from bert_training.data.profiling import duplicates
from bert_training.data.profiling.duplicates import can_compare, exact_groups, near_groups, pack_groups, unpack_groups
from bert_training.data.sandbox import run_in_sandbox
from tests.data.near_duplicates import make_texts, plant_copies, score_pairs

LONG = (
    "Trata-se de recurso interposto pelo autor contra a sentença de 12/03/2019 que julgou improcedente o pedido de "
    "indenização por danos morais, no valor de R$ 10.000,00, em face da empresa ré."
)
NEAR = {
    "case, accents and signs": LONG.upper().replace("Ç", "C").replace(",", " ;"),
    "a typo": LONG.replace("sentença", "setnença"),
    "another word": LONG.replace("autor", "requerente"),
    "another date": LONG.replace("12/03/2019", "5.11.2020"),
    "another number": LONG.replace("10.000,00", "7.500,00"),
    "a cut end": LONG[: len(LONG) * 4 // 5],
    "a greeting": f"Bom dia, prezados senhores! {LONG}",
    "spaces and lines": LONG.replace(" ", "  \n"),
    "accents as signs of their own": LONG.replace("ç", "c\u0327").replace("ã", "a\u0303"),
}
FAR = {
    "two words of which one differs": ("Muito bom", "Muito ruim"),
    "six words of which one differs": ("O produto chegou antes do prazo", "O produto chegou depois do prazo"),
    "words in another order": ("o réu pagou custas ao autor", "ao autor custas pagou o réu"),
    "numbers alone": ("Caixa 4523/2018", "Caixa 4524/2018"),
    "half a text": (LONG, LONG[: len(LONG) // 2]),
}


@pytest.mark.parametrize("copy", NEAR.values(), ids=NEAR)
def test_an_edited_copy_is_a_near_duplicate(copy: str) -> None:
    assert exact_groups([LONG, "algo diferente", copy]) == [0, 1, 2]
    assert near_groups([LONG, "algo diferente", copy]) == [0, 1, 0]


@pytest.mark.parametrize("pair", FAR.values(), ids=FAR)
def test_texts_that_say_something_else_are_not(pair: tuple[str, str]) -> None:
    assert near_groups(pair) == [0, 1]


def test_the_first_of_each_group_stands_for_it() -> None:
    assert exact_groups(["b", "a", "b", "a", "B"]) == [0, 1, 0, 1, 4]
    assert near_groups([LONG, "um", "um", f"Olá! {LONG}", "Um.", LONG]) == [0, 1, 1, 0, 1, 0]


def test_texts_without_a_word_are_alike_only_to_the_letter() -> None:
    assert near_groups(["👍", "", "👍👍", "👍", "...", ""]) == [0, 1, 2, 0, 4, 1]
    assert near_groups([]) == []


def test_line_ends_inside_a_text_do_not_move_the_others() -> None:
    assert near_groups([f"a\nb\n{LONG}\n", "\n", f"a b {LONG}"]) == [0, 1, 0]
    assert near_groups(["processo 12", "34", "processo 12"]) == [0, 1, 0]


def test_groups_travel_as_bytes() -> None:
    for groups in ([], [0], [0, 1, 0, 1, 4, 0]):
        assert unpack_groups(pack_groups(groups), len(groups)) == groups
    assert len(pack_groups(list(range(100_000)))) < 1000


@pytest.mark.parametrize("data", [pack_groups([0, 0]), pack_groups([0] * 4), b"", b"x", pack_groups([0, 5, 0])])
def test_bytes_that_are_not_the_groups_of_these_rows_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="of 3 rows"):
        unpack_groups(data, 3)


def test_the_order_of_the_rows_changes_no_group() -> None:
    letters = random.Random(7)
    words = [f"palavra{number}" for number in range(40)]
    texts = [" ".join(letters.sample(words, 12)) for _ in range(60)]
    texts += [f"{text} outra" for text in texts]
    order = letters.sample(range(len(texts)), len(texts))
    groups, shuffled = near_groups(texts), near_groups([texts[index] for index in order])
    first_of: dict[int, int] = {}
    assert all(first_of.setdefault(groups[index], group) == group for index, group in zip(order, shuffled, strict=True))
    assert len(set(groups)) == len(set(shuffled)) == 60


def test_a_chain_does_not_join_everything() -> None:
    words = [f"palavra{number}" for number in range(700)]
    chain = [" ".join(words[start : start + 20]) for start in range(600)]  # each like the next, the ends share nothing
    groups = near_groups([*chain, "pal", *chain])
    assert max(groups.count(group) for group in set(groups)) == 2
    assert groups[601:] == groups[:600], "copies stay together"


def test_many_copies_of_one_text_stay_together_however_many_they_are() -> None:
    entries = [f"{LONG} Arquivado na caixa {number}" for number in range(400)]
    assert set(near_groups(entries)) == {0}


def test_planted_copies_are_found_and_nothing_else() -> None:
    planted = plant_copies(make_texts(2000, seed=3), copies=600, seed=4)
    recall, precision = score_pairs(planted.families, near_groups(planted.texts))
    assert recall >= 0.99
    assert precision >= 0.99


def test_short_texts_are_found_unless_two_of_their_few_words_differ() -> None:
    planted = plant_copies(make_texts(2000, seed=5, words=10, has_openings=False), copies=600, seed=6)
    recall, precision = score_pairs(planted.families, near_groups(planted.texts))
    assert recall >= 0.9
    assert precision >= 0.99


def test_every_machine_finds_the_same_groups() -> None:
    planted = plant_copies(make_texts(500, seed=1), copies=200, seed=2)
    assert sha256(str(near_groups(planted.texts)).encode()).hexdigest()[:16] == "3c3b49eef41b0b4c"


def test_too_many_texts_are_only_compared_to_the_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [LONG, f"{LONG} Sim.", LONG]
    assert (can_compare(texts), near_groups(texts)) == (True, [0, 0, 0])
    monkeypatch.setattr(duplicates, "LETTERS", 100)
    assert (can_compare(texts), near_groups(texts)) == (False, [0, 1, 0])


@pytest.mark.long
def test_a_million_short_texts_are_grouped_within_the_limits_of_the_child() -> None:
    entries = make_texts(1000, seed=1, words=8, has_openings=False)
    texts = [f"{entries[number % 1000]} {number}" for number in range(1_000_000)]
    function = f"{near_groups.__module__}.{near_groups.__name__}"
    assert len(run_in_sandbox(function, {"texts": texts}, limits=BACKGROUND_LIMITS)) == len(texts)
