"""Cells of a column as clean text: in blocks, with what was done to which of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_training.data.cells import clean_cell
from bert_training.data.doctor import column_values
from bert_training.data.doctor.column_values import ColumnValues, clean_column
from bert_training.data.doctor.mojibake import garbled_word, mend
from bert_training.data.repairs import NOTHING, Fix


def cleaned(texts: list[str], *recipe: Fix) -> ColumnValues:
    column = ColumnValues(list(texts))
    clean_column(column, frozenset(recipe))
    return column


def test_a_dirty_cell_is_found_in_whichever_block_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_values, "ROWS_PER_SCAN", 3)
    texts = [f"linha {index}" for index in range(10)]
    for place in (0, 2, 3, 9):
        texts[place] = f"a\x07{place}"
    column = cleaned(texts)
    assert column.cleaned == [0, 2, 3, 9]
    assert [place for place, text in enumerate(column.texts) if "\ufffd" in text] == [0, 2, 3, 9]


@given(st.lists(st.text(st.characters(), max_size=6), max_size=12))
def test_the_search_in_blocks_finds_all_that_cleaning_would_change(texts: list[str]) -> None:
    assert cleaned(texts).texts == [clean_cell(text) for text in texts]


@given(st.lists(st.text(st.sampled_from("aãçÃÂâ€œ\x80\x9d\xa0£§ðŸ\u02dcŠ "), max_size=5), max_size=12))
def test_the_search_in_blocks_finds_all_garbled_cells(texts: list[str]) -> None:
    assert set(cleaned(texts).garbled) == {index for index, text in enumerate(texts) if garbled_word(text)}


def test_ordinary_portuguese_is_left_alone() -> None:
    text = "Ação nº 12 — “§ 3º”, ½ R$ 1.000,00\n\tfim … ª"
    column = cleaned([text])
    assert (column.texts, column.cleaned, column.garbled) == ([text], [], {})


def test_garbled_letters_are_mended_before_their_control_characters_are_lost() -> None:
    garbled = "É ÁRDUO".encode().decode("latin-1")
    assert cleaned([garbled], Fix.MEND_MOJIBAKE).texts == ["É ÁRDUO"]
    assert cleaned([garbled]).garbled == {0: garbled.split(" ")[0]}
    assert cleaned([garbled]).cleaned == []


# Without â, Â and Ã: before some signs they look garbled themselves.
PORTUGUESE = st.text(st.sampled_from("abcder ãõáéíóúêôàçÕÁÉÍÓÚÊÔÀÇüºª°§\u2013“”\u2019…€"), min_size=1, max_size=30)


@given(PORTUGUESE)
def test_what_windows_garbled_is_mended(text: str) -> None:
    garbled = text.encode().decode("cp1252", "replace")
    if "\ufffd" not in garbled and garbled_word(garbled):
        assert mend(garbled) == text


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize(
    "text",
    [
        "ação",
        "não",
        "É",
        "à vista",
        "às",
        "PRÓPRIO",
        "OPÇÃO",
        "nº 3",
        "30°",
        "“aspas”",
        "fim…",
        "5 \u2013 10 €",
        "😊 bom",
    ],
)
def test_garbled_words_are_recognised_and_mended(text: str, encoding: str) -> None:
    garbled = "".join(
        bytes([byte]).decode(encoding) if byte not in b"\x81\x8d\x8f\x90\x9d" else chr(byte) for byte in text.encode()
    )
    assert garbled_word(garbled)
    assert mend(garbled) == text
    assert mend(text) == text


def test_letters_garbled_twice_are_mended() -> None:
    assert mend("ação".encode().decode("cp1252").encode().decode("cp1252")) == "ação"


def test_an_a_with_grave_whose_space_became_a_plain_one_is_mended_beside_others() -> None:
    assert mend("condenaÃ§Ã£o Ã revelia") == "condenação à revelia"


def test_quotes_of_windows_read_as_latin_are_mended() -> None:
    assert mend("that\x92s \x93so\x94") == "that\u2019s “so”"


@pytest.mark.parametrize(
    "text",
    [
        "AÇÃO DE COBRANÇA",
        "“AMANHÃ”, disse a IRMÃ…",
        "AMANHÃ\u00a0cedo",
        "A IRMÔ e o IRMÃO",
        "château, São Tomé, Âmbar, â, ã",
        "«IRMû",
        "PAGÃ\u2019 e CRISTÃ\u2013",
    ],
)
def test_capitals_before_closing_quotes_are_no_garbled_letters(text: str) -> None:
    assert garbled_word(text) == ""
    assert mend(text) == text


def test_a_clean_column_stays_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_values, "clean_cell", None)  # no cell is looked at by itself
    assert cleaned(["AÇÃO", "coração", "linha\n\tnova"], *NOTHING).garbled == {}
