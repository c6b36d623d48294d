"""The Portuguese catalogue: complete, compiled, and with the same places as the English sentences."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.conf import settings

SOURCE = settings.BASE_DIR / "locale/pt_BR/LC_MESSAGES/django.po"
COMPILED = SOURCE.with_suffix(".mo")
PLACES = re.compile(r"%\([a-z_]+\)[a-z]|%%|\{[a-z]+\}")
# Where sentences stand.
FOLDERS = ("bert_training", "portal", "templates")
SCRIPTS = settings.BASE_DIR / "static/bert_training/js"
COMMENT = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.DOTALL)
SENTENCE = re.compile(r"""["'`][A-ZÀ-Ý][a-zà-ÿ]+ [^"'`]*["'`]""")


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    """The source as translators edit it."""
    return polib.pofile(str(SOURCE))


def sentences(entries: polib.POFile | polib.MOFile) -> dict[tuple[str, str], object]:
    """Return what each sentence becomes."""
    return {(entry.msgctxt or "", entry.msgid): entry.msgstr_plural or entry.msgstr for entry in entries}


def test_nothing_is_untranslated_or_guessed(catalogue: polib.POFile) -> None:
    open_entries = [entry.msgid for entry in catalogue if not entry.translated() or entry.fuzzy or entry.obsolete]
    assert open_entries == []


def test_the_compiled_catalogue_is_that_of_the_source(catalogue: polib.POFile) -> None:
    assert sentences(polib.mofile(str(COMPILED))) == sentences(catalogue)


def test_a_translation_has_the_places_of_its_sentence(catalogue: polib.POFile) -> None:
    wrong = {}
    for entry in catalogue:
        wanted = sorted(PLACES.findall(entry.msgid_plural or entry.msgid))
        for text in entry.msgstr_plural.values() or [entry.msgstr]:
            if sorted(PLACES.findall(text)) != wanted:
                wrong[entry.msgid] = text
    assert wrong == {}


def test_a_translation_keeps_the_ends_of_its_sentence(catalogue: polib.POFile) -> None:
    """A full stop, a colon or a blank that gets lost shows where sentences are put together."""
    ends = {
        entry.msgid: text
        for entry in catalogue
        for text in entry.msgstr_plural.values() or [entry.msgstr]
        if [part in ".:?…" for part in entry.msgid[-1:]] != [part in ".:?…" for part in text[-1:]]
        or entry.msgid[:1].isspace() != text[:1].isspace()
    }
    assert ends == {}


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="collecting sentences needs gettext")
def test_every_sentence_of_the_code_is_in_the_catalogue(catalogue: polib.POFile, tmp_path: Path) -> None:
    """Collected anew into a copy: a sentence that was added or changed without `make messages` shows here."""
    for name in FOLDERS:
        shutil.copytree(settings.BASE_DIR / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    target = tmp_path / "locale"
    target.mkdir()
    script = (
        "import django; from django.conf import settings; from django.core.management import call_command;"
        f"settings.configure(USE_I18N=True, LOCALE_PATHS=[{str(target)!r}]); django.setup();"
        "call_command('makemessages', locale=['pt_BR'], verbosity=0, no_wrap=True)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    found = polib.pofile(str(target / "pt_BR/LC_MESSAGES/django.po"))
    assert {entry.msgid for entry in found} - {entry.msgid for entry in catalogue} == set()


def test_scripts_take_their_words_from_the_page() -> None:
    """The catalogue does not reach them: what they say stands in data attributes, put there by a template."""
    said = {path.name: SENTENCE.findall(COMMENT.sub("", path.read_text())) for path in SCRIPTS.glob("*.js")}
    assert {name: sentences for name, sentences in said.items() if sentences} == {}
    assert SENTENCE.findall('label.textContent = "Not heard of";')
