"""Describing a column for people."""

from hypothesis import given
from hypothesis import strategies as st

from bert_training.data.summary import count_words


@given(st.lists(st.text(st.sampled_from("aé😀 \t\n,.")), max_size=8))
def test_words_are_counted_as_by_splitting(texts: list[str]) -> None:
    assert count_words(texts) == [len(text.split()) for text in texts]


def test_a_text_with_the_sign_between_texts_spoils_no_count() -> None:
    assert count_words(["um dois", "três\x1fquatro", ""]) == [2, 2, 0]


def test_more_texts_than_one_block_holds() -> None:
    assert count_words([" ".join(["a"] * (index % 7)) for index in range(2500)]) == [index % 7 for index in range(2500)]
