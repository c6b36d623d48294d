"""Help: every topic in both languages with the same headings, figures of the example, links that lead somewhere."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import Role
from bert_training.pages.help import LOCALES, TOPICS
from bert_training.pages.help_example import HelpExample
from tests.pages.conftest import client_of
from tests.personas import make_user

pytestmark = pytest.mark.django_db
TEMPLATES = Path(settings.BASE_DIR) / "templates"
ANCHOR = re.compile(r'<h2 id="([\w-]+)"')
CHART = re.compile(r"charts\.(\w+)")
LINK = re.compile(r'_help_link\.html" with topic="([\w-]+)"(?: anchor="([\w-]+)")?')
LANGUAGES = {"pt_BR": "pt-br", "en": "en"}


def text_of(locale: str, topic: str) -> str:
    return (TEMPLATES / "help" / locale / f"{topic}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("topic", [topic.name for topic in TOPICS])
def test_a_topic_says_the_same_in_both_languages(topic: str) -> None:
    portuguese, english = (text_of(locale, topic) for locale in LOCALES)
    assert ANCHOR.findall(portuguese) == ANCHOR.findall(english)
    for pattern in (CHART, re.compile(r"{{ example\.[\w.]+"), re.compile(r"<(li|h2|p|strong)\b")):
        assert sorted(pattern.findall(portuguese)) == sorted(pattern.findall(english))


def test_there_is_no_text_without_a_topic() -> None:
    for locale in LOCALES:
        assert {path.stem for path in (TEMPLATES / "help" / locale).iterdir()} == {topic.name for topic in TOPICS}


def test_every_topic_opens_in_both_languages_for_whoever_is_signed_in(db: None) -> None:
    viewer, nobody = make_user("viewer", roles=[Role.READ]), make_user("nobody", roles=[])
    for person, language in ((viewer, "pt-br"), (nobody, "en")):
        client = client_of(person, language)
        for topic in TOPICS:
            response = client.get(f"/help/{topic.name}")
            assert response.status_code == 200
            assert "example." not in response.content.decode()
    assert client.get("/help").content.decode().count('class="choice"') == len(TOPICS)
    assert client.get("/help/nonsense").status_code == 404
    assert Client().get("/help").status_code == 302


def test_the_words_hold_the_figures_of_the_example(as_ana: Client) -> None:
    example = HelpExample()
    page = as_ana.get("/help/interval").content.decode()
    assert all(example.headline[name] in page for name in ("value", "low", "high"))
    assert f"{example.worst['found']} of {example.worst['support']}" in page


def test_every_picture_has_figures_behind_it_and_is_saved(as_ana: Client, carla: User) -> None:
    for name, chart in HelpExample().charts.items():
        assert chart.table is not None
        assert as_ana.get(f"/help/charts/{name}.svg").content.startswith(b"<svg")
        figures = client_of(carla).get(f"/help/charts/{name}.csv").content.decode("utf-8-sig")
        assert len(figures.strip().splitlines()) == len(chart.table.rows) + 1
    assert as_ana.get("/help/charts/nonsense.svg").status_code == 404


def test_links_of_forms_lead_to_a_heading_that_is_there() -> None:
    found = [link for path in TEMPLATES.rglob("*.html") for link in LINK.findall(path.read_text(encoding="utf-8"))]
    assert len(found) >= 8
    for topic, anchor in found:
        assert not anchor or anchor in ANCHOR.findall(text_of("en", topic)), (topic, anchor)
