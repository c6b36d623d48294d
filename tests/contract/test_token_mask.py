"""No token is written: not in a line, not cut over lines or pieces, not in the portal's log nor in a spool."""

import json
import logging
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bert_training.contract.tokens import (
    SHOWN_CHARACTERS,
    USER_PREFIX,
    WORKER_PREFIX,
    TokenMask,
    hide_tokens,
    make_token,
    shown_prefix,
)
from bert_training.worker.spool import SpoolWriter
from portal.logs import JsonFormatter

MORE_THAN_SHOWN = SHOWN_CHARACTERS + 1


def shows_secret(text: str, token: str) -> bool:
    """Tell whether a text has more of the secret in one piece than may be shown."""
    secret = token[len(WORKER_PREFIX) :]
    windows = {secret[start : start + MORE_THAN_SHOWN] for start in range(len(secret) - MORE_THAN_SHOWN + 1)}
    return any(text[start : start + MORE_THAN_SHOWN] in windows for start in range(len(text)))


def test_a_token_is_hidden_wherever_it_stands_in_a_line() -> None:
    token = make_token(WORKER_PREFIX)
    shown = hide_tokens(f"Bearer {token}, again '{token}'\n{token}")
    assert not shows_secret(shown, token)
    assert shown.count(shown_prefix(token)) == 3


@pytest.mark.parametrize("seed", range(8))
def test_a_token_cut_anywhere_over_lines_and_pieces_is_hidden(seed: int) -> None:
    chance = random.Random(seed)
    for _case in range(100):
        token = make_token(chance.choice([WORKER_PREFIX, USER_PREFIX]))
        cuts = sorted(chance.sample(range(1, len(token)), chance.choice([1, 1, 2, 5, 20])))
        pieces = [token[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(token)], strict=True)]
        lines = [" " * chance.choice([0, 0, 4]) + piece for piece in pieces]
        lines[0] = chance.choice(["", "Bearer ", "number "]) + lines[0]
        lines[-1] += chance.choice(["", " and more", "\u00e9", ", bert"])
        mask = TokenMask()
        written = "".join(mask.hide(line).lstrip() for line in ["before", *lines, "after all"])
        assert not shows_secret(written, token), (token, lines)
        assert written.endswith("after all")


@pytest.mark.parametrize(
    "lines",
    [
        ["the number", "twelve_follows"],
        ["bert", "we_train"],
        ["bertw_", "is how a token begins"],
        ["BERTimbau bert_training b", "ber", "bert"],
        ["token bertw_1a2b3c4d...", "12345678901234567890"],
    ],
)
def test_what_is_no_token_stays_as_it_is(lines: list[str]) -> None:
    mask = TokenMask()
    assert [mask.hide(line) for line in lines] == lines


def test_a_spool_holds_no_token(tmp_path: Path) -> None:
    token = make_token(WORKER_PREFIX)
    writer = SpoolWriter(tmp_path / "spool.jsonl")
    writer.append_log("INFO", f"one {token}\ntwo {token[:20]}\n{token[20:]} end", ts=datetime.now(UTC))
    writer.append_log("INFO", token[:30], ts=datetime.now(UTC))
    writer.append_log("INFO", token[30:], ts=datetime.now(UTC))
    writer.close()
    lines = [json.loads(line)["message"] for line in (tmp_path / "spool.jsonl").read_text().splitlines()]
    assert not shows_secret("".join(lines), token)
    assert lines[2].endswith(" end")


def test_the_portals_log_holds_no_token() -> None:
    token = make_token(USER_PREFIX)
    record = logging.makeLogRecord({"msg": f"GET /runs?token={token}", "path": f"/?t={token}", "levelno": 20})
    assert not shows_secret(JsonFormatter().format(record), token)
