"""What a profile says about examples: classes, lengths, copies, contradictions, personal data, groups."""

import json
import string

import pytest

from bert_training.data.profiling.profile import describe_classes, describe_examples
from bert_training.data.profiling.quality import Quality, judge_quality
from bert_training.data.table import Columns
from bert_training.tasks.profiling import examples_of
from tests.profiles import CPF, examples

LONG = "O autor pede o pagamento das férias vencidas do ano passado e o décimo terceiro salário"
OTHER = "Requer o fornecimento contínuo do remédio que o médico da rede pública receitou a ele"


def quality(*rows: tuple[str, str], cut_share: float | None = None, **problems: int) -> Quality:
    return judge_quality(describe_examples(examples(*rows))[0], problems, cut_share=cut_share)


def share(judged: Quality, name: str) -> float | None:
    return next(part.share for part in judged.parts if part.name == name)


def test_four_equal_classes_are_as_diverse_as_four() -> None:
    described = describe_classes(dict.fromkeys("abcd", 5))
    assert (described["number"], described["effective"], described["largest"]) == (4, 4.0, 5)
    assert describe_classes({"a": 97, "b": 1})["effective"] == pytest.approx(1.1)
    assert describe_classes({})["effective"] == 0


def test_copies_and_contradictions_are_told_with_their_rows() -> None:
    content, near = describe_examples(examples((LONG, "a"), (OTHER, "b"), (LONG, "b"), (LONG, "b"), (f"{LONG}!", "a")))
    assert content["exact"] == {"groups": 1, "rows": 3, "repeated": 2}
    found = {"rows": [2, 4, 5], "names": ["a", "b"]}
    assert content["contradictions"] == {"texts": 1, "rows": 3, "examples": [found]}
    assert content["near"]["largest"] == [{"rows": [2, 4, 5, 6], "size": 4}]
    assert near == [0, 1, 0, 0, 0]


def test_rows_with_the_same_words_and_other_tags_contradict() -> None:
    words = ["Maria", "mora", "aqui"]
    table: Columns = {"row": [2, 3], "tokens": [words, words], "tags": [["B-PESSOA", "O", "O"], ["O", "O", "O"]]}
    content, _near = describe_examples(examples_of(table, "token-classification"))
    assert content["contradictions"]["examples"] == [{"rows": [2, 3], "names": ["O", "PESSOA"]}]
    assert content["tags"] == {"O": 5, "B-PESSOA": 1}


def test_lengths_are_counted_for_each_class_over_the_same_edges() -> None:
    rows = [("palavra " * words, "ab"[words % 2]) for words in range(1, 60)]
    lengths = describe_examples(examples(*rows))[0]["lengths"]
    both = [first + second for first, second in zip(*(of["counts"] for of in lengths["classes"].values()), strict=True)]
    assert both == lengths["histogram"]["counts"]
    assert (lengths["classes"]["b"]["median"], lengths["classes"]["b"]["max"]) == (29, 59)
    assert "rest" not in lengths


def test_classes_beyond_the_twenty_most_frequent_share_one_histogram() -> None:
    rows = [(f"{name} {number}", name) for number, name in enumerate(string.ascii_lowercase * 2)]
    lengths = describe_examples(examples(*rows, ("palavra " * 9, "z")))[0]["lengths"]
    assert len(lengths["classes"]) == 20
    assert "z" in lengths["classes"]
    assert sum(lengths["rest"]["counts"]) == 12


def test_personal_data_are_counted_with_their_rows_and_no_text_is_kept() -> None:
    content, _near = describe_examples(examples((LONG, "a"), (f"{OTHER}, CPF {CPF}", "b"), (f"{CPF} e {CPF}", "a")))
    assert content["personal"]["cpf"] == {"found": 3, "rows": 2, "first_rows": [3, 4]}
    assert content["personal"]["email"]["found"] == 0
    assert CPF not in json.dumps(content)


def test_the_users_own_groups_are_described() -> None:
    rows = examples((LONG, "a"), (OTHER, "b"), ("x", "a"), ("y", "b"), groups=("1", "1", "", "2"))
    assert describe_examples(rows)[0]["group"] == {"groups": 2, "largest": 2, "blank": 1}


def test_faultless_data_score_a_hundred() -> None:
    words = [f"{first}{second}{third}" for first in "abcdef" for second in "ghijkl" for third in "mnopqrs"]
    rows = [(" ".join(words[place : place + 2]), "ab"[place // 2 % 2]) for place in range(0, 200, 2)]
    judged = quality(*rows, cut_share=0.0)
    assert (judged.score, [part.share for part in judged.parts]) == (100, [1.0] * 7)


@pytest.mark.parametrize(
    ("part", "rows"),
    [
        ("copies", [(LONG, "a")] * 3 + [(OTHER, "b")]),
        ("contradictions", [(LONG, "a"), (LONG, "b"), (OTHER, "b")]),
        ("near_copies", [(LONG, "a"), (f"{LONG}.", "a"), (OTHER, "b"), (f"{OTHER}!", "b")]),
        ("examples", [(LONG, "a"), (OTHER, "b")]),
        ("balance", [(LONG, "a")] * 9 + [(OTHER, "b")]),
    ],
)
def test_what_is_wrong_costs_points_in_its_part(part: str, rows: list[tuple[str, str]]) -> None:
    lost = share(quality(*rows), part)
    assert lost is not None
    assert lost < 0.7


def test_more_text_than_can_be_compared_is_no_fault_of_the_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_training.data.profiling.duplicates.LETTERS", 10)
    rows = [(LONG, "a"), (f"{LONG}.", "a"), (LONG, "a")]
    content, near = describe_examples(examples(*rows))
    assert (near, content["near"], content["exact"]["repeated"]) == (None, None, 1)
    assert share(quality(*rows), "near_copies") is None


def test_cells_that_looked_wrong_cost_points_and_remarks_do_not() -> None:
    rows = [(f"{LONG} {number}", "ab"[number % 2]) for number in range(50)]
    assert share(quality(*rows, mojibake=5), "cells") == 0
    assert share(quality(*rows, number_as_text=50), "cells") == 1


def test_what_is_not_known_counts_neither_for_nor_against() -> None:
    rows = [(LONG, "a"), (OTHER, "b")]
    assert share(quality(*rows), "fit") is None
    assert quality(*rows, cut_share=0.5).score < quality(*rows).score < quality(*rows, cut_share=0.0).score


def test_one_row_is_told_as_one() -> None:
    def reason(part: str, *rows: tuple[str, str], **problems: int) -> str:
        return next(each.reason for each in quality(*rows, cut_share=None, **problems).parts if each.name == part)

    pair = [(LONG, "a"), (OTHER, "b")]
    assert reason("copies", *pair, (LONG, "a")).startswith("1 row repeats")
    assert reason("copies", *pair, (LONG, "a"), (LONG, "a")).startswith("%(rows)s rows repeat")
    assert reason("near_copies", *pair, (f"{LONG}.", "a")).startswith("1 row is")
    assert reason("cells", *pair, mojibake=1).startswith("1 cell looked")
