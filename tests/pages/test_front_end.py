"""What templates, styles and scripts must never do, whoever writes them."""

import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from bert_training.models import Run

# But for those of files that people take home, which have their own policy within.
TEMPLATES = [
    path for path in sorted((settings.BASE_DIR / "templates").rglob("*.html")) if path.parent.name != "reports"
]
SCRIPTS = sorted((settings.BASE_DIR / "static/bert_training/js").glob("*.js"))
STYLES = sorted((settings.BASE_DIR / "static/bert_training/css").glob("*.css"))
VENDOR = settings.BASE_DIR / "static/vendor"

FORBIDDEN_IN_TEMPLATES = {
    "inline style": r"\sstyle\s*=|<style\b",
    "inline handler": r"\son[a-z]+\s*=\s*[\"']",
    "inline script": r"<script(?![^>]*\bsrc=)",
    "unescaped text": r"\|\s*safe\b|autoescape\s+off",
    "foreign host": r"(?:src|href|action)\s*=\s*[\"']https?://",
}
FORBIDDEN_IN_SCRIPTS = {
    "markup from text": r"innerHTML|outerHTML|insertAdjacentHTML|document\.write",
    "code from text": r"\beval\(|new Function\(",
    "foreign host": r"https?://(?!www\.w3\.org/2000/svg)",  # that is a name, which nobody asks for
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_nothing_that_the_content_policy_would_stop(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = {what: re.findall(pattern, text, re.IGNORECASE) for what, pattern in FORBIDDEN_IN_TEMPLATES.items()}
    assert not {what: places for what, places in found.items() if places}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_never_makes_markup_or_code_of_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = {what: re.findall(pattern, text) for what, pattern in FORBIDDEN_IN_SCRIPTS.items()}
    assert not {what: places for what, places in found.items() if places}


def test_colours_stand_in_the_tokens_only() -> None:
    others = [path for path in STYLES if path.name not in ("tokens.css", "admin.css")]
    found = {path.name: re.findall(r"#[0-9a-f]{3,8}\b", path.read_text(), re.IGNORECASE) for path in others}
    assert not {name: places for name, places in found.items() if places}


def test_every_style_name_in_use_is_declared() -> None:
    """Most are tokens; a file may declare some of its own, such as the colour of a series."""
    declared = {name for path in STYLES for name in re.findall(r"(--[a-z0-9-]+):", path.read_text())}
    ours = [path.read_text() for path in STYLES if path.name != "admin.css"]
    assert {name for text in ours for name in re.findall(r"var\((--[a-z0-9-]+)", text)} <= declared


def test_libraries_are_the_published_bytes() -> None:
    listed = dict(re.findall(r"`(uplot/[^`]+)` \| `([0-9a-f]{64})`", (VENDOR / "README.md").read_text()))
    kept = {path for path in VENDOR.rglob("*") if path.is_file() and path.name != "README.md"}
    assert {str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept} == listed


@pytest.mark.parametrize("path", ["/", "/datasets", "/datasets/new", "/runs", "/runs/{run}", "/queue", "/workers"])
def test_a_page_comes_with_the_strict_policy(as_ana: Client, run: Run, path: str) -> None:
    response = as_ana.get(path.format(run=run.pk))
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    content = response.content.decode()
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", content)
    assert all('type="application/json"' in tag for tag in inline)
    assert " style=" not in content


@pytest.mark.parametrize("path", ["/", "/datasets", "/datasets/new", "/runs", "/runs/new", "/runs/{run}", "/queue"])
def test_every_control_has_a_name(as_ana: Client, run: Run, path: str) -> None:
    content = as_ana.get(path.format(run=run.pk)).content.decode()
    labelled = set(re.findall(r'<label for="([^"]+)"', content))
    ids = re.findall(r'<(?:input|select|textarea)(?![^>]*type="(?:hidden|radio)")[^>]*\bid="([^"]+)"', content)
    inside_label = set(re.findall(r'<label>[^<]*<(?:input|select)[^>]*\bid="([^"]+)"', content))
    inside_label |= set(re.findall(r'<label>\s*[^<]*\s*<(?:input|select)[^>]*\bid="([^"]+)"', content))
    assert set(ids) - labelled - inside_label == set()
