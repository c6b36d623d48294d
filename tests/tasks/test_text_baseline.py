"""The baselines of text classification: what they learn, what they must not see, and when there is nothing to learn."""

import numpy as np
import pandas as pd
import pytest

from bert_training.ml.proof.baselines import NothingToLearn
from bert_training.tasks.text_classification import baseline, word_counts
from bert_training.tasks.text_classification.baseline import LinearTexts, MajorityClass, build_baselines
from bert_training.tasks.text_classification.word_counts import count_words, letters_read
from tests.ml.runs import TEXT_LABELS, text_table


def linear_over(table: pd.DataFrame) -> LinearTexts:
    linear = build_baselines(table, label_names=TEXT_LABELS, seed=1)[1]
    assert isinstance(linear, LinearTexts)
    return linear


def linear_of(texts: list[str], labels: list[int]) -> LinearTexts:
    return LinearTexts(texts, np.array(labels), TEXT_LABELS, seed=1)


def test_the_majority_class_answers_with_the_shares_of_the_rows_it_learned_from() -> None:
    majority = MajorityClass(np.array([0, 1, 1, 1, 2, 2]), 3)
    majority.fit(np.arange(4))
    answers = majority.answer(np.array([4, 5]))
    assert answers.predicted.tolist() == [1, 1]
    assert answers.probabilities.tolist() == [[0.25, 0.75, 0.0]] * 2


def test_the_linear_baseline_learns_what_one_word_tells() -> None:
    table = text_table(200)
    linear = linear_over(table)
    linear.fit(np.arange(150))
    answers = linear.answer(np.arange(150, 200))
    assert (answers.predicted == answers.gold).all()
    assert answers.probabilities.sum(axis=1) == pytest.approx(1, abs=0.01)


def test_the_same_seed_gives_the_same_bits_and_labels_of_test_play_no_part() -> None:
    table = text_table(200)
    changed = table.copy()
    changed.loc[150:, "label"] = "saude"
    bits = set()
    for rows in (table, table, changed):
        linear = linear_over(rows)
        linear.fit(np.arange(150))
        bits.add(linear.answer(np.arange(150, 200)).probabilities.tobytes())
    assert len(bits) == 1


def test_words_of_test_change_no_weight() -> None:
    texts = text_table(60)["text"].tolist()
    labels = [0, 1, 2] * 20
    linear, other = linear_of(texts, labels), linear_of([*texts[:50], *["imposto novo"] * 10], labels)
    for fitted in (linear, other):
        fitted.fit(np.arange(50))
    ours, theirs = (np.sort(fitted.word_weights[fitted.word_weights > 0]) for fitted in (linear, other))
    assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("texts", [["!?", "...", "-"] * 4, [f"palavra{row}" for row in range(12)]])
def test_texts_without_a_common_word_are_nothing_to_learn(texts: list[str]) -> None:
    with pytest.raises(NothingToLearn, match="no word"):
        linear_of(texts, [0, 1, 2] * 4).fit(np.arange(12))


def test_one_class_is_nothing_to_learn() -> None:
    with pytest.raises(NothingToLearn, match="one label"):
        linear_of(["a parte pede"] * 12, [1] * 12).fit(np.arange(12))


def test_a_class_that_was_not_there_to_learn_has_probability_0() -> None:
    linear = linear_of(text_table(60)["text"].tolist(), [0, 1] * 29 + [2, 2])
    linear.fit(np.arange(58))
    assert linear.answer(np.arange(58, 60)).probabilities[:, 2].tolist() == [0.0, 0.0]


def test_where_all_would_take_long_fewer_rows_are_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    table, rows = text_table(400), np.arange(400)
    assert "of 400 rows" in linear_over(table).fit(rows)
    monkeypatch.setattr(baseline, "UPDATES", 10_000)
    assert "of 400 rows" not in linear_over(table).fit(rows)


def test_accents_one_letter_words_and_pairs_within_a_text_count() -> None:
    counts = count_words(["não é bom", "Não é", "nao e bom"], most=9)
    assert counts.toarray().tolist() == [[1, 1, 1, 1], [1, 1, 0, 1], [0, 0, 1, 0]]  # não, é, bom, "não é"


def test_of_too_many_words_the_most_common_stay() -> None:
    counts = count_words(["a b", "b a", "c b", "c"], most=2)
    assert counts.toarray().tolist() == [[1, 1], [1, 1], [0, 1], [0, 0]]  # a (of 2 texts, before c), b (of 3)


@pytest.mark.parametrize(("most", "letters"), [(60, 50), (59, 49), (31, 21), (30, 20), (14, 6), (3, 1), (2, 0)])
def test_of_very_many_letters_the_longest_texts_give_up_theirs(
    monkeypatch: pytest.MonkeyPatch, most: int, letters: int
) -> None:
    monkeypatch.setattr(word_counts, "LETTERS", 50)
    monkeypatch.setattr(word_counts, "MOST_LETTERS", most)
    assert letters_read(np.array([2, 90, 8])) == letters
