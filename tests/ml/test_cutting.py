"""Long rows: what each way keeps, and that windows judge every token once, with the context that there is."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_training.ml.job import TruncationSide
from bert_training.ml.network.pretrained import load_tokenizer
from bert_training.ml.rows.cutting import SPECIAL, Cutting, cutting_for, join_logits, kept_tokens
from bert_training.ml.task_network import IGNORE, Example
from bert_training.ml.training import BaseModelFiles
from tests.ml.runs import toy_settings

CLS, SEP, LABELS = 101, 102, 7
WAYS: tuple[TruncationSide, ...] = ("right", "left", "middle", "none")

rows = st.integers(min_value=0, max_value=90)
rooms = st.integers(min_value=1, max_value=40)
shares = st.floats(min_value=0, max_value=1, exclude_max=True)  # of the room: the overlap of windows
ways = st.sampled_from(WAYS)


def cutting_of(room: int, *, side: TruncationSide = "none", overlap: int = 0, label_per_token: bool = True) -> Cutting:
    prefix, suffix = np.array([CLS], dtype=np.int32), np.array([SEP], dtype=np.int32)
    return Cutting(prefix, suffix, room + 2, side, label_per_token, overlap)


def row_of(length: int, *, label_per_token: bool = True) -> Example:
    """A row whose token ids are its positions and whose labels are their remainders."""
    ids = np.arange(length, dtype=np.int32)
    return Example(ids, ids.astype(np.int64) % LABELS if label_per_token else np.array([3]))


@given(length=rows, room=rooms, share=shares)
@settings(deadline=None)
def test_windows_judge_every_token_once_and_by_its_own_label(length: int, room: int, share: float) -> None:
    pieces = cutting_of(room, overlap=int(share * room)).cut(row_of(length))
    judged = [(int(p), int(label)) for piece in pieces for p, label in zip(piece.positions, piece.labels, strict=True)]
    assert sorted(pair for pair in judged if pair[1] != IGNORE) == [(p, p % LABELS) for p in range(length)]


@given(length=rows, room=rooms, share=shares)
@settings(deadline=None)
def test_a_token_is_judged_where_it_has_most_context(length: int, room: int, share: float) -> None:
    pieces = cutting_of(room, overlap=int(share * room)).cut(row_of(length))
    windows = [piece.positions[1:-1] for piece in pieces]
    for piece, own in zip(pieces, windows, strict=True):
        for token in piece.positions[piece.labels != IGNORE]:
            context = [min(token - w[0], w[-1] - token) for w in windows if w[0] <= token <= w[-1]]
            at_border = own[0] == 0 or own[-1] == length - 1  # nothing is missing beyond the row's own borders
            assert at_border or min(token - own[0], own[-1] - token) >= max(context) - 1


@given(length=rows, room=rooms, share=shares, side=ways, label_per_token=st.booleans())
@settings(deadline=None)
def test_pieces_fit_and_hold_the_tokens_that_they_name(
    length: int, room: int, share: float, side: TruncationSide, label_per_token: bool
) -> None:
    cutting = cutting_of(room, side=side, overlap=int(share * room), label_per_token=label_per_token)
    pieces = cutting.cut(row_of(length, label_per_token=label_per_token))
    for piece in pieces:
        assert len(piece.input_ids) <= room + 2
        assert piece.positions.tolist() == [SPECIAL, *piece.input_ids[1:-1], SPECIAL]
        assert (piece.input_ids[0], piece.input_ids[-1]) == (CLS, SEP)
    assert label_per_token or sum(piece.weight for piece in pieces) == pytest.approx(1)


@given(length=rows, room=rooms, share=shares)
@settings(deadline=None)
def test_a_row_that_fits_is_the_same_piece_in_every_way(length: int, room: int, share: float) -> None:
    row = row_of(min(length, room))
    found = [cutting_of(room, side=side, overlap=int(share * room)).cut(row) for side in WAYS]
    whole = [SPECIAL, *range(min(length, room)), SPECIAL]
    assert [[piece.positions.tolist() for piece in pieces] for pieces in found] == [[whole]] * 4
    assert {piece.weight for pieces in found for piece in pieces} == {1.0}


def test_head_and_tail_keep_what_was_found_best_for_510_tokens() -> None:
    kept = kept_tokens(1000, 510, "middle")
    assert kept.tolist() == [*range(128), *range(1000 - 382, 1000)]


def test_windows_are_those_of_the_tokenizers_library(tiny_bert: BaseModelFiles) -> None:
    chosen = toy_settings(max_length=16, truncation_side="none", window_overlap=5)
    tokenizer = load_tokenizer(tiny_bert, chosen)
    text = " ".join(["o autor pede que a parte seja ouvida no processo"] * 5)
    theirs = tokenizer(text, truncation=True, stride=5, return_overflowing_tokens=True)["input_ids"]
    ids = np.array(tokenizer(text, add_special_tokens=False)["input_ids"], dtype=np.int32)
    ours = cutting_for(tokenizer, chosen, label_per_token=False).cut(Example(ids, np.array([0])))
    assert [piece.input_ids.tolist() for piece in ours] == theirs
    assert len(theirs) == 5


def test_an_overlap_that_the_base_model_has_no_room_for_is_lowered(tiny_bert: BaseModelFiles) -> None:
    chosen = toy_settings(max_length=512, truncation_side="none", window_overlap=256)
    assert cutting_for(load_tokenizer(tiny_bert, chosen), chosen, label_per_token=True).overlap == 32


def test_a_document_has_the_mean_logits_of_its_windows() -> None:
    cutting, row = cutting_of(4, overlap=1, label_per_token=False), row_of(10, label_per_token=False)
    pieces = cutting.cut(row)
    joined = join_logits(row, pieces, [torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0]), torch.tensor([2.0, 0.0])])
    torch.testing.assert_close(joined, torch.tensor([1.0, 1.0]))


def test_a_token_takes_its_logits_from_the_window_that_judges_it() -> None:
    cutting, row = cutting_of(6, overlap=2), row_of(10)
    pieces = cutting.cut(row)
    logits = [torch.full((8, 1), float(number)) for number in range(len(pieces))]
    assert join_logits(row, pieces, logits)[:, 0].tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]


def test_padding_that_a_tokenizers_file_asks_for_is_no_special_token(tiny_bert: BaseModelFiles) -> None:
    chosen = toy_settings()
    tokenizer = load_tokenizer(tiny_bert, chosen)
    tokenizer.backend_tokenizer.enable_padding(length=128)
    assert cutting_for(tokenizer, chosen, label_per_token=False).specials == 2


@pytest.mark.parametrize("label_per_token", [False, True])
def test_an_empty_row_without_special_tokens_is_one_token_that_is_not_its_own(label_per_token: bool) -> None:
    none = np.array([], dtype=np.int32)
    cutting = Cutting(none, none, 8, "right", label_per_token, stand_in=5)
    row = row_of(0, label_per_token=label_per_token)
    (piece,) = cutting.cut(row)
    assert (piece.input_ids.tolist(), piece.positions.tolist()) == ([5], [SPECIAL])
    assert piece.labels.tolist() == ([IGNORE] if label_per_token else [3])
    logits = torch.zeros(1, LABELS) if label_per_token else torch.zeros(LABELS)
    assert join_logits(row, [piece], [logits]).shape == ((0, LABELS) if label_per_token else (LABELS,))
