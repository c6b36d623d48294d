"""Copies and contradictions among the rows of a sheet."""

from hypothesis import given
from hypothesis import strategies as st

from bert_training.data.doctor.repeats import find_repeats

ROWS = st.lists(st.tuples(st.sampled_from("tuv"), st.sampled_from("abcde")), max_size=12)


@given(ROWS)
def test_each_later_row_of_a_text_and_answer_is_a_copy_of_the_first(rows: list[tuple[str, str]]) -> None:
    copies = find_repeats([text for text, _ in rows], [answer for _, answer in rows]).copies
    assert copies == {place: rows.index(row) for place, row in enumerate(rows) if rows.index(row) != place}


@given(ROWS)
def test_each_row_of_a_text_with_several_answers_names_rows_that_contradict_it(rows: list[tuple[str, str]]) -> None:
    found = find_repeats([text for text, _ in rows], [answer for _, answer in rows]).contradictions
    answers = {text: {answer for other, answer in rows if other == text} for text, _ in rows}
    assert set(found) == {place for place, (text, _) in enumerate(rows) if len(answers[text]) > 1}
    for place, others in found.items():
        text, answer = rows[place]
        assert {rows[other][0] for other in others} == {text}
        assert answer not in {rows[other][1] for other in others}
        assert len({rows[other][1] for other in others}) == len(others) == min(3, len(answers[text]) - 1)


def test_many_answers_of_one_text_cost_no_more_than_their_rows() -> None:
    found = find_repeats(["t"] * 100_000, [str(index % 1000) for index in range(100_000)])
    assert (len(found.copies), len(found.contradictions)) == (99_000, 100_000)
