"""Whatever comes from outside: readers of bodies, tokens, ranges and positions answer or refuse, and never break."""

import json
import math
import re
from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bert_training.api.downloads import RangeNotSatisfiable, read_range
from bert_training.api.errors import InvalidRequest
from bert_training.api.parsing import parse_json
from bert_training.contract.limits import JSON_DEPTH
from bert_training.contract.tokens import WORKER_PREFIX, make_token
from bert_training.live.sse import read_event_id
from bert_training.services.errors import TokenMalformed
from bert_training.services.tokens import find_token

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
quickly = settings(max_examples=150, deadline=None)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def is_plain(value: Any) -> bool:
    """Tell whether a database takes the value as JSON: whole texts without NUL, finite numbers, bounded depth."""
    return depth_of(value) <= JSON_DEPTH and all(map(is_plain_leaf, leaves_of(value)))


def leaves_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for name, inner in value.items() for leaf in (name, *leaves_of(inner))]
    return [leaf for inner in value for leaf in leaves_of(inner)] if isinstance(value, list) else [value]


def is_plain_leaf(leaf: Any) -> bool:
    if isinstance(leaf, float):
        return math.isfinite(leaf)
    return not isinstance(leaf, str) or re.search("[\x00\ud800-\udfff]", leaf) is None


@quickly
@given(st.binary(max_size=200))
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b'{"a": "\\ud800"}')
@example(b'{"\\u0000": 1}')
def test_any_bytes_are_parsed_into_what_can_be_stored_or_refused(body: bytes) -> None:
    try:
        value = parse_json(body)
    except InvalidRequest:
        return
    assert is_plain(value)


@quickly
@given(VALUES)
def test_any_json_is_read_as_it_is_or_refused(value: Any) -> None:
    try:
        read = parse_json(json.dumps(value).encode())
    except InvalidRequest:
        assert not is_plain(value)
    else:
        assert read == value
        assert is_plain(value)


@quickly
@given(st.text(st.characters(codec="utf-8"), max_size=50), st.integers(0, 20))
def test_log_texts_pass_with_strange_characters_replaced(text: str, place: int) -> None:
    body = json.dumps({"message": text[:place] + "\ud800\x00" + text[place:]}).encode()
    read = parse_json(body, accepts_any_text=True)["message"]
    assert read.encode()
    assert read.replace("\ufffd", "").replace("\x00", "") == text.replace("\ufffd", "").replace("\x00", "")


GOOD_TOKEN = make_token(WORKER_PREFIX)


@quickly
@given(st.integers(0, len(GOOD_TOKEN) - 1), st.text(max_size=3))
def test_a_token_with_anything_changed_is_malformed(place: int, change: str) -> None:
    changed = GOOD_TOKEN[:place] + change + GOOD_TOKEN[place + 1 :]
    if changed != GOOD_TOKEN:
        with pytest.raises(TokenMalformed):
            find_token(changed)


@quickly
@given(st.text(max_size=40) | st.from_regex(r"bytes=[0-9]{0,5}-[0-9]{0,5}", fullmatch=True), st.integers(1, 5000))
def test_any_range_header_is_within_the_file_or_not_taken(header: str, size: int) -> None:
    request = RequestFactory().get("/", headers={"range": header})
    try:
        asked = read_range(request, size, '"etag"')
    except RangeNotSatisfiable:
        return
    if asked is not None:
        assert 0 <= asked[0] <= asked[1] < size


@quickly
@given(st.text(max_size=40))
def test_any_event_id_is_a_position(text: str) -> None:
    assert 0 <= read_event_id(text) < 10**18
