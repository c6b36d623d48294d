"""The profile on the page of a dataset: score, classes, lengths, repeated texts, personal data; its charts as files."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.charts.bars import Histogram, draw_bars, draw_histogram, draw_panels, most_frequent_first
from bert_training.charts.saving import ChartForm, send_chart
from bert_training.charts.shapes import Chart
from bert_training.contract.enums import ProfileStatus
from bert_training.models import Dataset, DatasetProfile, TokenLengths
from bert_training.pages.requests import form_page, page, person
from bert_training.pages.words import Fact
from bert_training.services.errors import ServiceError
from bert_training.services.profile_words import ShownQuality, kind_label, row_names, shares_cut, shown_quality
from bert_training.services.profiles import restart_profile
from bert_training.services.proving.figure_words import UNKNOWN, count_text, share_text

SHOWN_CLASSES = 20  # bars of a chart; the table has them all
SHOWN_BASE_MODELS = 5
USUAL_WAIT = timedelta(minutes=2)  # for a profile in the background; the largest takes less than one


@dataclass(frozen=True)
class ShownLengths:
    """Lengths in the tokens of one base model, and the share of texts that each max_length cuts."""

    base_model: str
    charts: list[Chart]
    cuts: list[Fact]


@dataclass(frozen=True)
class Findings:
    """What a profile found, in words and pictures."""

    quality: ShownQuality
    balance: list[Fact]
    class_chart: Chart
    classes: list[dict[str, Any]]
    length_charts: list[Chart]
    copies: list[Fact]
    contradictions: list[dict[str, Any]]
    near_groups: list[dict[str, Any]]
    personal: list[dict[str, Any]]

    @property
    def has_personal_data(self) -> bool:
        """Tell whether anything of the kind was found."""
        return any(kind["found"] for kind in self.personal)


@dataclass(frozen=True)
class ShownProfile:
    """The profile of a dataset; status is empty when nobody has asked for one yet, findings are None until it is ready.

    waits: it should have been made by now.
    """

    status: str
    waits: bool
    findings: Findings | None
    token_lengths: list[ShownLengths]

    def chart(self, name: str) -> Chart | None:
        """Return the chart of this name."""
        charts = [chart for lengths in self.token_lengths for chart in lengths.charts]
        if self.findings is not None:
            charts += [self.findings.class_chart, *self.findings.length_charts]
        return next((chart for chart in charts if chart.name == name), None)


def shown_profile(dataset: Dataset) -> ShownProfile:
    """Put the profile of a dataset into words and pictures; two queries."""
    profile = DatasetProfile.objects.defer("clusters").filter(dataset=dataset).first()
    lengths = list(TokenLengths.objects.filter(dataset=dataset).order_by("-counted_at")[:SHOWN_BASE_MODELS])
    is_ready = profile is not None and profile.status == ProfileStatus.READY
    return ShownProfile(
        status="" if profile is None else profile.status,
        waits=profile is not None and timezone.now() - profile.created_at > USUAL_WAIT,
        findings=_findings(dataset, profile.content, lengths) if profile is not None and is_ready else None,
        token_lengths=[_shown_lengths(counted) for counted in lengths],
    )


@form_page
def restart(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the profile again."""
    dataset = access.changeable_dataset(person(request), pk)
    if request.method == "POST":
        try:
            restart_profile(dataset)
        except ServiceError as refusal:
            messages.error(request, refusal.message)
    return redirect("pages:dataset", pk=pk)


@page
def download_chart(request: HttpRequest, pk: int, name: str, form: ChartForm) -> HttpResponse:
    """Send a chart of the page as a file."""
    dataset = access.visible_dataset(person(request), pk)
    return send_chart(request, shown_profile(dataset).chart(name), form, of=dataset.name)


def _findings(dataset: Dataset, content: Mapping[str, Any], lengths: list[TokenLengths]) -> Findings:
    counts = content["classes"]["counts"]
    return Findings(
        quality=shown_quality(dataset, content, lengths[:1]),
        balance=_balance(content["classes"]),
        class_chart=draw_bars("classes", _("Examples of each class"), counts, shown=SHOWN_CLASSES),
        classes=_classes(counts, content["lengths"].get("classes", {})),
        length_charts=_length_charts(content["lengths"]),
        copies=_copies(content),
        contradictions=[_shown_group(group) for group in content["contradictions"]["examples"]],
        near_groups=[_shown_group(group) for group in (content["near"] or {}).get("largest", [])],
        personal=[
            {**found, "name": kind_label(kind), "first_rows": row_names(found["first_rows"])}
            for kind, found in content["personal"].items()
        ],
    )


def _balance(classes: Mapping[str, Any]) -> list[Fact]:
    ratio = classes["largest"] / max(1, classes["smallest"])
    return [
        Fact(_("from the largest class to the smallest"), f"{number_format(round(ratio, 1))} : 1"),
        Fact(_("classes of one size would be as diverse"), str(number_format(classes["effective"]))),
    ]


def _classes(counts: Mapping[str, int], lengths: Mapping[str, Any]) -> list[dict[str, Any]]:
    total = sum(counts.values()) or 1
    return [
        {"name": name, "count": count, "share": share_text(count / total), "lengths": lengths.get(name)}
        for name, count in most_frequent_first(counts)
    ]


def _length_charts(lengths: Mapping[str, Any]) -> list[Chart]:
    if "histogram" not in lengths:
        return []
    edges, unit = lengths["histogram"]["edges"], _("words")
    panels = _panels(edges, {name: of_class["counts"] for name, of_class in lengths["classes"].items()}, unit)
    if "rest" in lengths:
        panels[_("all others")] = Histogram(edges, lengths["rest"]["counts"], unit)
    whole = Histogram(edges, lengths["histogram"]["counts"], unit)
    return [
        draw_histogram("lengths", _("Length of the texts in words"), whole),
        draw_panels("lengths-by-class", _("Length of the texts in words, by class"), panels),
    ]


def _shown_lengths(lengths: TokenLengths) -> ShownLengths:
    content, unit = lengths.content, _("tokens")
    edges, limit = content["edges"], content["max_length"]
    whole = Histogram(edges, content["counts"], unit, limit)
    title = _("Length of the texts in tokens; the run cuts what is longer than %(limit)s") % {"limit": limit}
    charts = [draw_histogram(f"tokens-{lengths.pk}", title, whole)]
    if content["classes"]:
        title = _("Length of the texts in tokens, by class")
        panels = _panels(edges, content["classes"], unit, limit=limit)
        charts.append(draw_panels(f"tokens-by-class-{lengths.pk}", title, panels))
    label = _("of the texts are cut at %(tokens)s tokens")
    cuts = [Fact(label % {"tokens": tokens}, share_text(share)) for tokens, share in shares_cut(lengths).items()]
    return ShownLengths(lengths.base_model, charts, cuts)


def _panels(
    edges: list[int], counts: Mapping[str, list[int]], unit: str, *, limit: int | None = None
) -> dict[str, Histogram]:
    """Return one histogram a class, the most frequent class first."""
    totals = most_frequent_first({name: sum(of_class) for name, of_class in counts.items()})
    return {name: Histogram(edges, counts[name], unit, limit) for name, _total in totals}


def _copies(content: Mapping[str, Any]) -> list[Fact]:
    exact, near = content["exact"]["repeated"], content["near"]
    facts = [
        Fact(_("rows that repeat an earlier text"), count_text(exact)),
        Fact(_("rows whose text has another answer elsewhere"), count_text(content["contradictions"]["rows"])),
        Fact(
            _("rows that are nearly the same as an earlier text"),
            UNKNOWN if near is None else count_text(near["repeated"] - exact),
        ),
    ]
    if "group" in content:
        facts.append(Fact(_("different groups in the column of groups"), count_text(content["group"]["groups"])))
        facts.append(Fact(_("rows in the largest group"), count_text(content["group"]["largest"])))
    return facts


def _shown_group(group: Mapping[str, Any]) -> dict[str, Any]:
    return {**group, "rows": row_names(group["rows"])}
