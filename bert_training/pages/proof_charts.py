"""The pictures of a proof: the headline beside the simple methods, coverage, reliability, kinds of errors."""

from collections.abc import Sequence

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from bert_training.charts.bars import draw_bars
from bert_training.charts.curves import Axis, Curve, draw_curves
from bert_training.charts.estimates import Estimate, draw_estimates
from bert_training.charts.shapes import COMPACT, Chart, Table
from bert_training.data.proof.shape import ClassProof, CoveragePoint, Figure, Proof
from bert_training.pages.proof_figures import baseline_head, ordered_baselines
from bert_training.pages.words import COEFFICIENTS, figure_text
from bert_training.services.proving.figure_words import count_text, interval_text, round_share_text, share_text
from bert_training.services.proving.verdict_words import metric_label
from bert_training.tasks.spec import Metric, TaskSpec

DRAWN_CLASSES = 24


def headline_chart(proof: Proof, spec: TaskSpec, metric_name: str) -> Chart | None:
    """Draw the graded figure with its interval beside the same figure of the simple methods."""
    metric = next((each for each in spec.metrics if each.name == metric_name), None)
    found = [(_("This model"), proof["figures"].get(metric_name))]
    found += [(baseline_head(each["source"]), each["figures"].get(metric_name)) for each in ordered_baselines(proof)]
    known = [(label, figure) for label, figure in found if figure and figure["value"] is not None]
    if metric is None or len(known) < 2 or proof["figures"].get(metric_name) != known[0][1]:
        return None
    title = _("%(figure)s on the test rows") % {"figure": metric_label(spec, metric_name)}
    rows = [
        [label, *(figure_text(metric, figure[part]) for part in ("value", "low", "high"))] for label, figure in known
    ]
    table = Table([_("Method"), metric_label(spec, metric_name), _("Interval from"), _("Interval to")], rows)
    estimates = [_estimate(metric, label, figure, first=not place) for place, (label, figure) in enumerate(known)]
    return draw_estimates("headline", title, estimates, axis=_axis_of(metric, estimates), table=table)


def classes_chart(proof: Proof) -> Chart | None:
    """Draw the F1 of the weakest classes; the table behind it has them all."""
    tested = sorted((each for each in proof["classes"] if each["support"]), key=lambda each: each["f1"]["value"] or 0.0)
    if not tested:
        return None
    estimates = [
        Estimate(each["name"], each["f1"]["value"] or 0.0, share_text(each["f1"]["value"]), *_ends(each["f1"]))
        for each in tested[:DRAWN_CLASSES]
    ]
    heads = [
        _("Label"),
        *(f"{head} {end}".strip() for head in ("F1", _("Precision"), _("Recall")) for end in ("", "2.5%", "97.5%")),
    ]
    table = Table([*heads, _("Examples"), _("Answered")], [_class_row(each) for each in tested])
    title = _("F1 of each label, the weakest first")
    return draw_estimates("classes", title, estimates, axis=Axis("", text=whole_percent), table=table)


def coverage_chart(points: Sequence[CoveragePoint], *, is_entities: bool) -> Chart | None:
    """Draw over the threshold which share is decided, and which share of that is wrong."""
    if not points:
        return None
    taken = _("accepted entities") if is_entities else _("decided by the model alone")
    wrong = _("wrong among them")
    curves = [
        _with_interval(taken, [(point["threshold"], point["taken"]) for point in points], series=1),
        _with_interval(wrong, [(point["threshold"], point["wrong"]) for point in points], series=2),
    ]
    across = Axis(_("accepted from this confidence on"), text=whole_percent)
    table = Table(
        [_("Confidence from"), _("Answers"), taken, _("Interval"), wrong, _("Interval")], _coverage_rows(points)
    )
    title = _("Coverage and error by confidence")
    up = Axis(_("Share"), text=whole_percent)
    return draw_curves("coverage", title, curves, across=across, up=up, table=table, width=COMPACT)


def reliability_chart(proof: Proof) -> Chart | None:
    """Draw the share that is right over the stated confidence; on the dashed line both are the same."""
    bins = proof["calibration"]["bins"] if proof["calibration"] else []
    if not bins:
        return None
    rows = [[share_text(each["confidence"]), share_text(each["accuracy"]), count_text(each["rows"])] for each in bins]
    said = _("stated %(stated)s, right %(right)s (%(rows)s answers)")
    titles = [said % dict(zip(("stated", "right", "rows"), row, strict=True)) for row in rows]
    measured = Curve(_("this model"), [(each["confidence"], each["accuracy"]) for each in bins], titles=titles)
    perfect = Curve(_("stated as it is"), [(0.0, 0.0), (1.0, 1.0)], 2, is_reference=True)
    return draw_curves(
        "reliability",
        _("Stated confidence and share that is right"),
        [measured, perfect],
        across=Axis(_("Stated confidence"), text=whole_percent),
        up=Axis(_("Share that is right"), text=whole_percent),
        table=Table([_("Stated confidence"), _("Share that is right"), _("Answers")], rows),
        width=COMPACT,
    )


def errors_chart(proof: Proof) -> Chart | None:
    """Draw how many entities went wrong in which way."""
    found = proof.get("entities")
    if not found:
        return None
    counts = {
        _("Missed"): found["missed"],
        _("Spurious"): found["spurious"],
        _("Wrong type"): found["wrong_type"],
        _("Wrong boundary"): found["wrong_boundary"],
    }
    return draw_bars("errors", _("Errors by kind, each counted once"), counts, shown=len(counts))


def _estimate(metric: Metric, label: str, figure: Figure, *, first: bool) -> Estimate:
    between = interval_text(figure, lambda value: figure_text(metric, value))
    text = figure_text(metric, figure["value"])
    return Estimate(
        label,
        figure["value"] or 0.0,
        f"{text} ({between})" if between else text,
        low=figure["low"],
        high=figure["high"],
        series=1 if first else 2,
    )


def _ends(figure: Figure) -> tuple[float | None, float | None]:
    return figure["low"], figure["high"]


def _class_row(each: ClassProof) -> list[str]:
    rates = (each["f1"], each["precision"], each["recall"])
    shares = [share_text(end) for rate in rates for end in (rate["value"], *_ends(rate))]
    return [each["name"], *shares, count_text(each["support"]), count_text(each["predicted"])]


def _axis_of(metric: Metric, estimates: Sequence[Estimate]) -> Axis:
    """Return an axis from nothing to all; of a coefficient from its worst, of a loss to the greatest here."""
    if metric.name in COEFFICIENTS:
        return Axis("", low=-1.0, text=_plain)
    if metric.higher_is_better:
        return Axis("", text=whole_percent)
    return Axis("", high=max(each.high or each.value for each in estimates), text=_plain)


def _with_interval(label: str, points: Sequence[tuple[float, Figure]], *, series: int) -> Curve:
    return Curve(
        label,
        [(x, figure["value"] or 0.0) for x, figure in points],
        series,
        interval=[(figure["low"] or 0.0, 1.0 if figure["high"] is None else figure["high"]) for _x, figure in points],
        titles=[f"{round_share_text(x)}: {share_text(figure['value'])}" for x, figure in points],
    )


def _coverage_rows(points: Sequence[CoveragePoint]) -> list[list[str]]:
    return [
        [
            round_share_text(point["threshold"]),
            count_text(point["answers"]),
            share_text(point["taken"]["value"]),
            interval_text(point["taken"], share_text),
            share_text(point["wrong"]["value"]),
            interval_text(point["wrong"], share_text),
        ]
        for point in points
    ]


def whole_percent(value: float) -> str:
    """Write a share beside an axis, where there is little room."""
    return f"{number_format(round(100 * value))}%"


def _plain(value: float) -> str:
    return str(number_format(value, decimal_pos=1))
