"""The IOB2 form of tags: the one slip that is repaired, and the other forms that are read."""

import pytest

from bert_training.data.doctor.bio import (
    entity_types,
    is_bio,
    mend_tag,
    name_entities,
    repair_tags,
    runs_to_entities,
    words_to_entities,
)


@pytest.mark.parametrize(
    ("tags", "repaired", "turned"),
    [
        ("O B-P I-P O", "O B-P I-P O", []),
        ("I-P I-P O", "B-P I-P O", [0]),
        ("O I-P B-P", "O B-P B-P", [1]),
        ("B-P I-L I-L I-P", "B-P B-L I-L B-P", [1, 3]),
        ("B-P-X I-P-X", "B-P-X I-P-X", []),
    ],
)
def test_an_inside_tag_that_continues_nothing_begins_an_entity(tags: str, repaired: str, turned: list[int]) -> None:
    assert repair_tags(tags.split()) == (repaired.split(), turned)


@pytest.mark.parametrize("tag", ["b-P", "B_P", "X", "B-", "o", "BP", "", "B-a b", "B-" + "x" * 99])
def test_other_forms_of_tags_are_found(tag: str) -> None:
    assert not is_bio(tag)
    assert is_bio("B-A|B")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("o b-per i-per 0", "O B-per I-per O"),
        ("B_PER I:PER B\u2013LOC", "B-PER I-PER B-LOC"),
        ("B-PER I-PER E-PER S-LOC", "B-PER I-PER I-PER B-LOC"),
        ("B-PER L-PER U-LOC M-LOC", "B-PER I-PER B-LOC I-LOC"),
    ],
)
def test_other_forms_are_read_as_begin_and_inside(written: str, read: str) -> None:
    assert [mend_tag(tag) for tag in written.split()] == read.split()


@pytest.mark.parametrize("tag", ["PER", "N", "", "B-", "X-PER", "B-a b", "b-" + "x" * 99])
def test_what_has_no_such_form_is_not_guessed(tag: str) -> None:
    assert mend_tag(tag) is None


def test_a_run_of_one_name_is_one_entity() -> None:
    runs = runs_to_entities(["PER", "PER", "O", "PER", "LOC", "o", "Vara Cível"])
    assert runs == ["B-PER", "I-PER", "O", "B-PER", "B-LOC", "O", "B-Vara_Cível"]


def test_each_word_is_an_entity_of_its_own() -> None:
    assert words_to_entities(["ART", "N", "N", "."]) == ["B-ART", "B-N", "B-N", "B-."]


def test_entities_are_named_with_the_places_of_their_words() -> None:
    assert name_entities(["B-P", "I-P", "O", "B-L", "B-L", "I-L"]) == "1-2 P; 4 L; 5-6 L"
    assert name_entities(["O", "O"]) == "O"


def test_types_are_those_of_entities_that_begin() -> None:
    assert entity_types(["O", "B-P", "I-P", "B-L-X"]) == {"P", "L-X"}
