"""What `run_worker` is told: flags and environment, all judged before the first request.

The token is kept apart (`TokenSource`), so that options can be printed and no other part gets hold of it by accident.
"""

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit, urlunsplit

from bert_training.contract.limits import API_PREFIX
from bert_training.contract.tokens import USER_PREFIX, is_well_formed, shown_prefix

DEFAULT_POLL_SECONDS = 30.0
DEFAULT_GRACE_SECONDS = 120.0
DEFAULT_STALL_MINUTES = 30.0
LONGEST_MINUTES = 1440.0
MOST_PROCESSES = 64
_LOOPBACK = re.compile(r"^(localhost|127(\.\d{1,3}){3}|::1)$")
_DEVICE = re.compile(r"^(auto|cpu|mps|cuda(:\d{1,2})?)$")


class OptionError(Exception):
    """A flag or variable is missing or wrong; the message says which and what to give instead."""


class TokenSource:
    """Where the token comes from: a fixed text, or a file that an administrator may replace while we run."""

    def __init__(self, token: str, file: Path | None = None) -> None:
        self._file = file
        self.current = _judged_token(token if file is None else _read_token(file))

    @property
    def prefix(self) -> str:
        """Return the part of the token that may be shown."""
        return shown_prefix(self.current)

    def reload(self) -> bool:
        """Read the file again; tell whether it holds another good token. A damaged file changes nothing."""
        if self._file is None:
            return False
        try:
            token = _judged_token(_read_token(self._file))
        except OptionError:
            return False
        changed = token != self.current
        self.current = token
        return changed


@dataclass(frozen=True)
class Options:
    """The settings of one supervisor; `api_url` ends in the API's prefix, without a slash."""

    api_url: str
    token: TokenSource
    models_dir: Path
    poll_interval: float
    dry_run: bool
    debug: bool
    device: str
    offline: bool
    base_models_dir: Path | None
    grace: float
    stall_seconds: float
    processes: int | None = None  # None: one for each CUDA GPU

    @property
    def host(self) -> str:
        """Return the portal's host name."""
        return urlsplit(self.api_url).hostname or ""

    @property
    def netloc(self) -> str:
        """Return the portal's host and port."""
        return urlsplit(self.api_url).netloc

    @property
    def is_loopback(self) -> bool:
        """Tell whether the portal is this computer."""
        return is_loopback(self.host)

    def describe(self) -> str:
        """Return one line for the log, the token as its prefix only."""
        places = f"portal {self.api_url}, token {self.token.prefix}..., models in {self.models_dir}"
        base = f", base models in {self.base_models_dir}" if self.base_models_dir else ""
        flags = "".join(f", {name}" for name in ("dry_run", "offline", "debug") if getattr(self, name))
        processes = "as many processes as GPUs" if self.processes is None else f"{self.processes} processes"
        return f"{places}{base}, device {self.device}, {processes}, asks every {self.poll_interval:g} s{flags}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags on a parser: ours, or the one of manage.py."""
    add = parser.add_argument
    add("--api-url", help="address of the portal, e.g. https://portal.example.org (or BERT_API_URL)")
    add("--token", help="the worker's token; better BERT_TOKEN or --token-file, a flag shows in the process list")
    add("--token-file", help="file that holds the token, read again when the portal refuses it (or BERT_TOKEN_FILE)")
    add("--models-dir", help="where models, data and logs are kept (or BERT_MODELS_DIR; default ./bert_models)")
    add("--poll-interval", type=float, default=DEFAULT_POLL_SECONDS, help="longest wait between two questions, in s")
    add("--dry-run", action="store_true", help="check everything, then take simulated runs only")
    add("--debug", action="store_true", help="log every request")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    add("--processes", type=int, help="processes that train one run together (default: one for each CUDA GPU, else 1)")
    add("--offline", action="store_true", help="never ask the model hub; base models come from this computer")
    add("--base-models-dir", help="folder with base models, one folder a name, / written as --")
    add("--allow-http", action="store_true", help="allow an address without TLS that is not this computer")
    add("--grace", type=float, default=DEFAULT_GRACE_SECONDS, help="seconds to hand back a job when asked to stop")
    add(
        "--stall-minutes",
        type=float,
        default=DEFAULT_STALL_MINUTES,
        help="end a trainer after so long without a sign of life",
    )


def read_options(flags: Mapping[str, object], environ: Mapping[str, str]) -> Options:
    """Judge flags and environment; a flag wins. Raises OptionError for the first thing that is wrong."""

    def text(flag: str, variable: str = "") -> str:
        return str(flags.get(flag) or environ.get(variable) or "").strip()

    device = text("device")
    if not _DEVICE.match(device):
        raise OptionError(f"--device {device!r} is not a device: use auto, cpu, cuda, cuda:<number> or mps.")
    return Options(
        api_url=_judged_url(text("api_url", "BERT_API_URL"), allow_http=bool(flags.get("allow_http"))),
        token=_find_token(flags, environ),
        models_dir=Path(text("models_dir", "BERT_MODELS_DIR") or "bert_models").expanduser().absolute(),
        poll_interval=_judged_seconds("--poll-interval", flags.get("poll_interval"), most=3600),
        dry_run=bool(flags.get("dry_run")),
        debug=bool(flags.get("debug")),
        device=device,
        offline=bool(flags.get("offline")),
        base_models_dir=_judged_folder(text("base_models_dir")),
        grace=_judged_seconds("--grace", flags.get("grace"), most=86400),
        stall_seconds=60 * _judged_minutes("--stall-minutes", flags.get("stall_minutes")),
        processes=_judged_processes(flags.get("processes"), device),
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host name means this computer."""
    return _LOOPBACK.match(host.lower()) is not None


def _judged_url(url: str, *, allow_http: bool) -> str:
    if not url:
        raise OptionError("The address of the portal is missing: give --api-url or set BERT_API_URL.")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # raises ValueError when it is no number
    except ValueError as error:
        raise OptionError(f"--api-url {url!r} is no address: {error}.") from error
    if parts.scheme not in ("http", "https") or not host:
        raise OptionError(f"--api-url {url!r} must look like https://portal.example.org or http://127.0.0.1:8000.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise OptionError("--api-url must hold no user, password, ? or #: give scheme, host, port and path only.")
    if parts.scheme == "http" and not (is_loopback(host) or allow_http):
        raise OptionError(
            f"--api-url {url!r} has no TLS, so that anybody on the way could read the token: use https://, "
            "or add --allow-http when you trust the whole network between here and the portal."
        )
    return _with_prefix(parts)


def _with_prefix(parts: SplitResult) -> str:
    path = parts.path.rstrip("/")
    if not path.endswith(API_PREFIX):
        path += API_PREFIX
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _find_token(flags: Mapping[str, object], environ: Mapping[str, str]) -> TokenSource:
    for token, file in (
        (flags.get("token"), flags.get("token_file")),
        (environ.get("BERT_TOKEN"), environ.get("BERT_TOKEN_FILE")),
    ):
        if token:
            return TokenSource(str(token))
        if file:
            return TokenSource("", Path(str(file)).expanduser().absolute())
    raise OptionError(
        "The worker's token is missing: give --token-file, or set BERT_TOKEN or BERT_TOKEN_FILE. "
        "A staff user gets one on the portal under Workers."
    )


def _read_token(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")  # -sig: Notepad writes a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"The token file {file} cannot be read: {error}.") from error


def _judged_token(token: str) -> str:
    token = token.strip()
    if token.startswith(USER_PREFIX):
        raise OptionError("This is a user's token (bertu_...); a worker needs its own, which begins with bertw_.")
    if not is_well_formed(token):
        raise OptionError(
            f"The token ({len(token)} characters) is damaged: it must begin with bertw_ and be copied whole. "
            "If it is lost, rotate it on the portal's page of this worker."
        )
    return token


def _judged_seconds(flag: str, value: object, *, most: float) -> float:
    if not isinstance(value, int | float) or not 0 < value <= most:
        raise OptionError(f"{flag} {value!r} must be a number of seconds above 0 and at most {most:g}.")
    return float(value)


def _judged_minutes(flag: str, value: object) -> float:
    if not isinstance(value, int | float) or not 0 < value <= LONGEST_MINUTES:
        raise OptionError(f"{flag} {value!r} must be a number of minutes above 0 and at most {LONGEST_MINUTES:g}.")
    return float(value)


def _judged_processes(value: object, device: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or not 1 <= value <= MOST_PROCESSES:
        raise OptionError(f"--processes {value!r} must be a whole number from 1 to {MOST_PROCESSES}.")
    if value > 1 and (":" in device or device == "mps"):
        raise OptionError(
            f"--processes {value} cannot share the one GPU of --device {device}: use --device cuda or cpu."
        )
    return value


def _judged_folder(path: str) -> Path | None:
    if not path:
        return None
    folder = Path(path).expanduser().absolute()
    if not folder.is_dir():
        raise OptionError(f"--base-models-dir {folder} is not a folder.")
    return folder
