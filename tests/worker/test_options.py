"""Flags and environment are judged before the first request, and never show the token."""

from pathlib import Path
from typing import Any

import pytest

from bert_training.contract.tokens import USER_PREFIX, WORKER_PREFIX, make_token
from bert_training.worker.options import OptionError, Options, TokenSource, read_options

TOKEN = make_token(WORKER_PREFIX)
USUAL: dict[str, object] = {"api_url": "http://127.0.0.1:8000", "token": TOKEN, "device": "auto"}
NUMBERS: dict[str, object] = {"poll_interval": 30.0, "grace": 120.0, "stall_minutes": 30.0}


def options(environ: dict[str, str] | None = None, **changes: Any) -> Options:
    return read_options(USUAL | NUMBERS | changes, environ or {})


@pytest.mark.parametrize(
    ("url", "api_url"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/bert-training/api"),
        ("http://localhost:8000/", "http://localhost:8000/bert-training/api"),
        ("http://[::1]:8000", "http://[::1]:8000/bert-training/api"),
        ("https://portal.example.org/bert-training/api", "https://portal.example.org/bert-training/api"),
        ("https://example.org/portal/", "https://example.org/portal/bert-training/api"),
    ],
)
def test_the_address_of_the_portal_may_end_anywhere_before_the_api(url: str, api_url: str) -> None:
    assert options(api_url=url).api_url == api_url


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"api_url": ""}, "BERT_API_URL"),
        ({"api_url": "portal.example.org"}, "must look like"),
        ({"api_url": "ftp://portal.example.org"}, "must look like"),
        ({"api_url": "http://portal.example.org"}, "--allow-http"),
        ({"api_url": "http://127.0.0.1.example.org"}, "--allow-http"),
        ({"api_url": "https://me:secret@example.org"}, "no user"),
        ({"api_url": "https://example.org/?a=1"}, "no user"),
        ({"api_url": "https://example.org:port"}, "no address"),
        ({"token": ""}, "BERT_TOKEN_FILE"),
        ({"token": "bertw_short"}, "damaged"),
        ({"token": TOKEN[:-1] + ("a" if TOKEN[-1] != "a" else "b")}, "damaged"),
        ({"token": make_token(USER_PREFIX)}, "user's token"),
        ({"token": "", "token_file": "/nowhere/token"}, "cannot be read"),
        ({"poll_interval": 0}, "--poll-interval"),
        ({"poll_interval": 99999.0}, "--poll-interval"),
        ({"grace": -1.0}, "--grace"),
        ({"stall_minutes": 0}, "--stall-minutes"),
        ({"stall_minutes": 99999.0}, "--stall-minutes"),
        ({"device": "gpu"}, "--device"),
        ({"base_models_dir": "/nowhere/models"}, "not a folder"),
        ({"processes": 0}, "--processes 0 must be a whole number from 1 to 64"),
        ({"processes": 65}, "--processes 65"),
        ({"processes": 2, "device": "cuda:1"}, "--device cuda:1"),
    ],
)
def test_a_wrong_option_is_named_with_what_to_do(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError) as caught:
        options(**wrong)
    assert words in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_http_to_another_host_needs_a_flag() -> None:
    assert options(api_url="http://10.0.0.5:8000", allow_http=True).api_url.startswith("http://10.0.0.5")


def test_variables_serve_where_flags_are_missing_and_flags_win(tmp_path: Path) -> None:
    environ = {
        "BERT_API_URL": "https://a.example.org",
        "BERT_TOKEN": make_token(WORKER_PREFIX),
        "BERT_MODELS_DIR": str(tmp_path),
    }
    from_variables = options(environ, api_url=None, token=None)
    assert (from_variables.host, from_variables.token.current) == ("a.example.org", environ["BERT_TOKEN"])
    assert from_variables.models_dir == tmp_path
    assert options(environ, api_url="https://b.example.org").host == "b.example.org"
    assert options(environ).token.current == TOKEN


def test_the_token_may_stand_in_a_file_named_by_flag_or_variable(tmp_path: Path) -> None:
    file = tmp_path / "token.txt"
    file.write_text(f"\ufeff{TOKEN}\r\n", encoding="utf-8")
    assert options(token=None, token_file=str(file)).token.current == TOKEN
    assert options({"BERT_TOKEN_FILE": str(file)}, token=None).token.current == TOKEN


def test_a_token_file_is_read_again_and_a_damaged_one_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    source = TokenSource("", file)
    assert not source.reload()
    file.write_text("half a tok")
    assert not source.reload()
    assert source.current == TOKEN
    other = make_token(WORKER_PREFIX)
    file.write_text(other)
    assert source.reload()
    assert source.current == other


def test_options_are_shown_with_the_beginning_of_the_token_only() -> None:
    shown = options().describe()
    assert TOKEN[:14] in shown
    assert TOKEN[:16] not in shown


def test_the_start_line_says_how_many_processes_train_a_run() -> None:
    assert "as many processes as GPUs" in options().describe()
    assert "2 processes" in options(processes=2, device="cpu").describe()
    assert options(processes=1, device="cuda:1").processes == 1
