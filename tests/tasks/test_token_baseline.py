"""The baselines of token classification: frequent tags, a linear tagger, and paths of tags that IOB2 allows."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bert_training.ml.proof.baselines import NothingToLearn
from bert_training.tasks.token_classification import baseline
from bert_training.tasks.token_classification.baseline import FrequentTags, LinearTagger, TaggedSentences
from bert_training.tasks.token_classification.tag_paths import best_paths, learn_transitions
from bert_training.tasks.token_classification.word_features import WordFeatures
from tests.ml.runs import TAGS, token_table


def sentences_of(*rows: tuple[str, str]) -> TaggedSentences:
    table = pd.DataFrame([(words.split(), tags.split()) for words, tags in rows], columns=["tokens", "tags"])
    return TaggedSentences(table, TAGS)


def test_a_form_gets_its_most_frequent_tag_and_an_unseen_one_none() -> None:
    sentences = sentences_of(
        ("Ana Souza", "B-PESSOA I-PESSOA"),
        ("Ana no Brasil", "B-PESSOA O B-LOCAL"),
        ("Ana", "B-LOCAL"),
        ("Ana Maria", "B-PESSOA I-PESSOA"),
    )
    frequent = FrequentTags(sentences)
    frequent.fit(np.arange(3))
    answers = frequent.answer(np.array([3]))
    ((entity,),) = answers.predicted
    assert entity[:3] == ("PESSOA", 0, 1)
    assert entity[3] == pytest.approx(2 / 3, abs=0.001)
    assert answers.right.tolist() == [1]


def test_the_linear_tagger_finds_what_words_around_tell() -> None:
    linear = LinearTagger(TaggedSentences(token_table(300), TAGS), seed=1)
    linear.fit(np.arange(200))
    answers = linear.answer(np.arange(200, 300))
    plain = [[entity[:3] for entity in row] for row in answers.predicted]
    assert plain == [list(map(tuple, row)) for row in answers.gold]
    assert all(0.5 < entity[3] <= 1 for row in answers.predicted for entity in row)


def test_the_same_seed_gives_the_same_bits_and_tags_of_test_play_no_part() -> None:
    table = token_table(120)
    changed = table.copy()
    changed["tags"] = [tags if row < 90 else ["O"] * len(tags) for row, tags in enumerate(table["tags"])]
    found = []
    for rows in (table, table, changed):
        linear = LinearTagger(TaggedSentences(rows, TAGS), seed=1)
        linear.fit(np.arange(90))
        found.append(linear.answer(np.arange(90, 120)).predicted)
    assert found[0] == found[1] == found[2]


def test_sentences_in_one_batch_or_many_and_shared_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    linear = LinearTagger(TaggedSentences(token_table(60), TAGS), seed=1)
    linear.fit(np.arange(40))
    whole = linear.answer(np.arange(60)).predicted
    monkeypatch.setattr(baseline, "SENTENCES_AT_ONCE", 7)
    assert linear.answer(np.arange(60)).predicted == whole
    monkeypatch.setattr(baseline, "WEIGHTS", 40)
    assert linear.width == 10
    assert "10 features" in linear.fit(np.arange(40))


def test_one_tag_is_nothing_to_learn() -> None:
    with pytest.raises(NothingToLearn, match="one tag"):
        LinearTagger(sentences_of(("o autor", "O O"), ("a parte", "O O")), seed=1).fit(np.arange(2))


def test_no_sentences_are_answered_by_nothing() -> None:
    linear = LinearTagger(TaggedSentences(token_table(20), TAGS), seed=1)
    linear.fit(np.arange(20))
    assert len(linear.answer(np.arange(0))) == 0


def test_the_best_path_is_the_best_of_all_that_iob2_allows() -> None:
    chance = np.random.default_rng(3)
    lengths = np.array([2, 4, 0, 1, 4])
    gains = learn_transitions([np.array([3, 1, 2, 3]), np.array([1, 3, 0])], TAGS)
    scores = np.log(chance.dirichlet(np.ones(4), size=11))
    paths = best_paths(scores, lengths, gains)
    ends = np.cumsum(lengths)
    for end, length in zip(ends, lengths, strict=True):
        own = scores[end - length : end]
        sums = {path: _sum(path, own, gains) for path in product(range(4), repeat=length)}
        assert tuple(paths[end - length : end]) == max(sums, key=lambda path: sums[path])


def _sum(path: tuple[int, ...], scores: Any, gains: Any) -> float:
    before = (-1, *path)
    return float(sum(scores[place, tag] + gains[before[place], tag] for place, tag in enumerate(path)))


def test_features_of_a_word_end_at_its_sentence() -> None:
    words = WordFeatures([["Ana", "Souza"], ["pede"], ["Ana", "Souza"], ["seja"]])
    first, second = (words.of(words.words_of(np.array([row])), width=words.count) for row in (0, 2))
    assert (first != second).nnz == 0


def test_where_no_word_is_outside_an_unseen_one_is() -> None:
    table = pd.DataFrame([(["a", "casa"], ["B-ART", "B-N"]), (["outra"], ["B-N"])], columns=["tokens", "tags"])
    frequent = FrequentTags(TaggedSentences(table, ["B-ART", "B-N"]))
    frequent.fit(np.arange(1))
    assert frequent.answer(np.array([1])).predicted == [[]]


def test_no_path_goes_on_with_what_has_not_begun() -> None:
    gains = learn_transitions([np.array([3, 1, 2, 3])], TAGS)
    sure_of_inside = np.log(np.tile([0.1, 0.04, 0.85, 0.01], (2, 1)))  # I-PESSOA by far, first of all B-LOCAL
    assert best_paths(sure_of_inside, np.array([1, 1]), gains).tolist() == [0, 0]
    paths = best_paths(sure_of_inside, np.array([2]), gains)
    assert [TAGS[tag] for tag in paths] == ["B-PESSOA", "I-PESSOA"]
