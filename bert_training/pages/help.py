"""Help in the reader's language: one short page a topic, each a template of its own in each language.

Whoever is signed in may read it. Its figures and pictures are those of the recorded example.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, to_locale
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.charts.saving import ChartForm, send_chart
from bert_training.pages.help_example import HelpExample
from bert_training.pages.requests import page, person

LOCALES = ("pt_BR", "en")  # folders of templates/help; a test compares them


@dataclass(frozen=True)
class Topic:
    """name: in the address, and of its templates; never renamed.  summary: what it answers, for the list."""

    name: str
    title: str | Promise
    summary: str | Promise


TOPICS = (
    Topic(
        "spreadsheet",
        gettext_lazy("How to prepare a spreadsheet"),
        gettext_lazy("Columns, rows, how many are needed, what the portal repairs."),
    ),
    Topic(
        "classes",
        gettext_lazy("Classes and labels"),
        gettext_lazy("What a class is, and how to choose classes that can be learned."),
    ),
    Topic("run", gettext_lazy("Starting a run"), gettext_lazy("Base model, presets, repeats, and why a run may wait.")),
    Topic(
        "split",
        gettext_lazy("Training, validation and test"),
        gettext_lazy("Why some rows are kept from the model, and how they are chosen."),
    ),
    Topic(
        "result",
        gettext_lazy("Reading the result"),
        gettext_lazy("The verdict, and what precision, recall and F1 say."),
    ),
    Topic(
        "interval",
        gettext_lazy("What an interval says"),
        gettext_lazy("Why a model may be better or worse than its figure."),
    ),
    Topic(
        "baseline", gettext_lazy("Simple methods to compare with"), gettext_lazy("When a network is worth its effort.")
    ),
    Topic("confusion", gettext_lazy("What is taken for what"), gettext_lazy("How to read the confusion matrix.")),
    Topic(
        "weak-class",
        gettext_lazy("What to do when a class is bad"),
        gettext_lazy("The steps, from the cheapest to the dearest."),
    ),
    Topic(
        "confidence",
        gettext_lazy("Probability and confidence"),
        gettext_lazy("Whether “sure to 90 percent” is right nine times of ten."),
    ),
    Topic(
        "computers",
        gettext_lazy("Queue and computers"),
        gettext_lazy("Who trains, in which order, and what to do when nothing happens."),
    ),
    Topic(
        "privacy",
        gettext_lazy("What happens to texts and models"),
        gettext_lazy("Who sees the texts, where they lie, how they are deleted."),
    ),
)
BY_NAME = {topic.name: topic for topic in TOPICS}


@page
def list_topics(request: HttpRequest) -> HttpResponse:
    """List all topics."""
    return render(request, "help/index.html", {"topics": TOPICS, "example_run": access.example_run(person(request))})


@page
def show_topic(request: HttpRequest, topic: str) -> HttpResponse:
    """Show one topic."""
    shown = _topic(topic)
    example = HelpExample()
    context: dict[str, Any] = {
        "topic": shown,
        "following": _following(shown),
        "body": f"help/{_locale()}/{shown.name}.html",
        "example": example,
        "charts": example.charts,
        "example_run": access.example_run(person(request)),
    }
    return render(request, "help/topic.html", context)


@page
def download_chart(request: HttpRequest, name: str, form: ChartForm) -> HttpResponse:
    """Save a picture of help, or the figures behind it."""
    return send_chart(request, HelpExample().charts.get(name), form, of=_("Example"))


def _topic(name: str) -> Topic:
    if name not in BY_NAME:
        raise Http404(_("There is no help of this name."))
    return BY_NAME[name]


def _following(topic: Topic) -> Topic | None:
    return next((after for before, after in pairwise(TOPICS) if before is topic), None)


def _locale() -> str:
    """Return the folder of the reader's language."""
    locale = to_locale(get_language() or "")
    return locale if locale in LOCALES else LOCALES[0]
