"""The part of a report that says how good a model is and where it fails, from the proof of its run."""

from collections.abc import Iterator, Mapping

from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from bert_training.charts.curves import Axis, Curve, draw_curves
from bert_training.charts.shapes import Table
from bert_training.data.figures.entities import NO_ENTITY
from bert_training.data.figures.entity_pairs import Fate
from bert_training.data.overfitting import Losses
from bert_training.data.proof.shape import ClassProof, EntityErrors, Figure, Proof
from bert_training.services.answers.answer_words import FATE_LABELS
from bert_training.services.proving.figure_words import UNKNOWN, count_text, interval_text, share_text
from bert_training.services.proving.proof_summary import Summary
from bert_training.services.proving.verdict_words import baseline_name, metric_label
from bert_training.services.reporting.blocks import Block, Bullets, Grid, Paragraph, Picture, Section
from bert_training.services.reporting.frequencies import of_hundred
from bert_training.tasks.spec import FINAL, TaskSpec

SHOWN_PAIRS = 15
FREQUENCIES = ("accuracy", "recall_macro", "precision_macro", "recall", "precision")


def result_section(summary: Summary, spec: TaskSpec) -> Section:
    """Say the verdict, then the figures that matter in natural frequencies and beside the simple methods."""
    proof = summary.proof
    blocks: list[Block] = [
        Paragraph(summary.sentence, is_strong=True),
        Paragraph(summary.meaning),
        Paragraph(summary.gain),
        Bullets(list(_frequencies(proof))),
        figure_grid(proof, spec),
    ]
    return Section(_("Result on the test rows"), blocks)


def _frequencies(proof: Proof) -> Iterator[str]:
    is_entities = "entities" in proof
    words = {
        "accuracy": "" if is_entities else _("Of 100 texts it answers right: %(count)s."),
        "recall_macro": _("Of 100 examples of a label, on average over the labels, it finds: %(count)s."),
        "precision_macro": _("Of 100 times that it gives a label, on average over the labels, right: %(count)s."),
        "recall": _("Of 100 entities it finds, with both borders right: %(count)s.") if is_entities else "",
        "precision": _("Of 100 entities that it marks, right: %(count)s.") if is_entities else "",
    }
    for name in FREQUENCIES:
        figure = proof["figures"].get(name)
        if words[name] and figure is not None and figure["value"] is not None:
            yield words[name] % {"count": of_hundred(figure)}


def figure_grid(proof: Proof, spec: TaskSpec) -> Grid:
    """Return the figures that are shares, the deciding one first, beside those of the simple methods."""
    known = [
        metric
        for metric in spec.metrics
        if metric.name in proof["figures"] and metric.higher_is_better and metric.chart != FINAL
    ]
    known.sort(key=lambda metric: metric.name != proof["metric"])
    heads = [_("Figure"), _("This model"), _("95%% interval") % {}]
    rows = [
        [
            metric_label(spec, metric.name),
            share_text(proof["figures"][metric.name]["value"]),
            interval_text(proof["figures"][metric.name], share_text) or UNKNOWN,
            *(share_text(_value(entry["figures"].get(metric.name))) for entry in proof["baselines"]),
        ]
        for metric in known
    ]
    return Grid([*heads, *(capfirst(baseline_name(entry["source"])) for entry in proof["baselines"])], rows)


def _value(figure: Figure | None) -> float | None:
    return figure["value"] if figure else None


def classes_section(proof: Proof) -> Section:
    """Say of each class, the weakest first, how many of 100 are found and how many of 100 answers are right."""
    heads = [_("Label"), _("Of 100, finds"), _("Of 100 answers, right"), _("Examples")]
    if "entities" in proof:
        heads[0] = _("Entity type")
    rows = [_class_row(entry) for entry in sorted(proof["classes"], key=_weakest_first)]
    note = Paragraph(
        _("Between which numbers it would be with other rows of the same kind stands beside it (95%% interval).") % {}
        + " "
        + _("With fewer than 30 examples (marked *) a number may be chance.")
    )
    return Section(_("For each label, the weakest first"), [Grid(heads, rows), note])


def _weakest_first(entry: ClassProof) -> tuple[bool, float, str]:
    return (not entry["support"], entry["f1"]["value"] or 0.0, entry["name"])


def _class_row(entry: ClassProof) -> list[str]:
    mark = " *" if entry["is_few"] else ""
    if not entry["support"]:
        return [entry["name"], _("no examples"), UNKNOWN, count_text(0)]
    return [
        entry["name"] + mark,
        of_hundred(entry["recall"]),
        of_hundred(entry["precision"]),
        count_text(entry["support"]),
    ]


def failures_section(summary: Summary) -> Section:
    """Say what is taken for what, and what else to look at."""
    blocks: list[Block] = []
    pairs = _confused(summary.proof)
    errors = summary.proof.get("entities")
    if errors:
        blocks.append(Bullets(_kinds_of_errors(errors)))
    if pairs:
        heads = [_("In the spreadsheet"), _("Answer of the model"), _("How often"), _("Share of its examples")]
        blocks.append(Grid(heads, pairs, words=2))
    elif not errors:
        blocks.append(Paragraph(_("No test row was answered wrong.")))
    if summary.alerts:
        blocks.append(Bullets([f"{alert.sentence} {alert.advice}".strip() for alert in summary.alerts]))
    return Section(_("Where it fails"), blocks)


def _kinds_of_errors(errors: EntityErrors) -> list[str]:
    counts = {fate: errors[fate.value] for fate in Fate if fate is not Fate.RIGHT}  # type: ignore[literal-required]
    return [f"{FATE_LABELS[fate]}: {count_text(count)}" for fate, count in counts.items()]


def _confused(proof: Proof) -> list[list[str]]:
    totals: dict[int, int] = {}
    for gold, _answer, count in proof["confusion"]:
        totals[gold] = totals.get(gold, 0) + count
    wrong = sorted((cell for cell in proof["confusion"] if cell[0] != cell[1]), key=lambda cell: (-cell[2], cell))
    return [
        [
            _name(proof, gold),
            _name(proof, answer),
            count_text(count),
            UNKNOWN if gold == NO_ENTITY else share_text(count / totals[gold]),
        ]
        for gold, answer, count in wrong[:SHOWN_PAIRS]
    ]


def _name(proof: Proof, place: int) -> str:
    return _("no entity") if place == NO_ENTITY else proof["names"][place]


def history_section(losses: Mapping[int, Losses]) -> Section | None:
    """Draw how the training went; None where nothing was noted. losses: by epoch."""
    points = list(losses.items())
    training = [(float(epoch), train) for epoch, (train, _judged) in points if train is not None]
    judged = [(float(epoch), value) for epoch, (_train, value) in points if value is not None]
    if not judged:
        return None
    most = max(value for _epoch, value in (*training, *judged))
    table = Table(
        [_("Epoch"), _("Loss on training"), _("Loss on validation")],
        [[count_text(epoch), _loss(train), _loss(value)] for epoch, (train, value) in points],
    )
    chart = draw_curves(
        "training-history",
        _("Loss of each epoch"),
        [Curve(_("training"), training, 1), Curve(_("validation"), judged, 2)],
        across=_axis_of_epochs(max(2, *losses)),
        up=Axis(_("Loss"), 0.0, most or 1.0, _loss),
        table=table,
    )
    return Section(_("How the training went"), [Picture(chart)])


def _loss(value: float | None) -> str:
    return UNKNOWN if value is None else str(number_format(round(value, 3), decimal_pos=3))


def _axis_of_epochs(last: int) -> Axis:
    """Return an axis on which whole epochs are written, at most five."""
    steps = next(steps for steps in (4, 3, 2, 1) if (last - 1) % steps == 0)
    return Axis(_("Epoch"), 1.0, float(last), lambda epoch: count_text(round(epoch)), steps + 1)
