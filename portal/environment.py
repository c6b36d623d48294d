"""Reads settings from the environment: NAME, or the file that NAME_FILE names. A wrong value stops the start."""

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


def env_text(name: str, default: str = "") -> str:
    """Return the text of NAME, else the content of the file NAME_FILE, else the default."""
    if name in os.environ:
        return os.environ[name]
    file_name = os.environ.get(f"{name}_FILE")
    if not file_name:
        return default
    try:
        return Path(file_name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE={file_name!r} cannot be read: {error.strerror}.") from error


def env_flag(name: str, *, default: bool) -> bool:
    """Return a switch; anything but 1/true/yes/on and 0/false/no/off is an error."""
    text = env_text(name, "1" if default else "0").strip().lower()
    if text in TRUE_WORDS:
        return True
    if text in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name}={text!r} is neither true nor false. Use 1 or 0.")


def env_number(name: str, default: float, *, minimum: float) -> float:
    """Return a number that is at least `minimum`."""
    text = env_text(name, str(default))
    try:
        number = float(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={text!r} is not a number.") from None
    if not minimum <= number < float("inf"):
        raise ImproperlyConfigured(f"{name}={text!r} must be at least {minimum}.")
    return number


def env_list(name: str, default: str = "") -> list[str]:
    """Return the comma-separated entries of NAME without blanks."""
    return [entry.strip() for entry in env_text(name, default).split(",") if entry.strip()]


def storage_settings(url: str) -> dict[str, object]:
    """Turn STORAGE_URL into Django's STORAGES entry.

    file:///folder, or s3://bucket?endpoint=...&access_key=...&secret_key=...&region=... (all but the bucket optional).
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": unquote(parts.path), "base_url": None, "allow_overwrite": True},
        }
    if parts.scheme == "s3" and parts.netloc:
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": _s3_options(parts.netloc, parts.query)}
    raise ImproperlyConfigured(f"STORAGE_URL={url!r} must be file:///folder or s3://bucket?endpoint=...")


def _s3_options(bucket: str, query: str) -> dict[str, object]:
    names = {
        "endpoint": "endpoint_url",
        "access_key": "access_key",
        "secret_key": "secret_key",
        "region": "region_name",
    }
    given = {name: values[-1] for name, values in parse_qs(query).items()}
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ImproperlyConfigured(f"STORAGE_URL knows no {', '.join(unknown)}; it knows {', '.join(names)}.")
    # s3v4: the default still signs some requests with version 2, which newer stores refuse.
    fixed = {"bucket_name": bucket, "file_overwrite": True, "signature_version": "s3v4", "querystring_auth": True}
    return fixed | {names[name]: value for name, value in given.items()}
