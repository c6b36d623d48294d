"""What help says and draws of the example run: from its recorded figures, so that words and pictures never age."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from bert_training.charts.bars import draw_bars
from bert_training.charts.curves import Axis, Curve, draw_curves
from bert_training.charts.estimates import Estimate, draw_estimates
from bert_training.charts.shapes import Chart, Table
from bert_training.contract.enums import Split
from bert_training.data.proof.shape import ClassProof, Figure, Proof
from bert_training.models.choices import SPLIT_LABELS
from bert_training.services.example.recorded import TASK, recorded_run
from bert_training.services.proving.figure_words import count_text, distance_text, interval_text, share_text
from bert_training.services.proving.verdict_words import baseline_name
from bert_training.tasks import TASKS
from bert_training.tasks.samples import sample_rows

SHOWN_ROWS = 3
METRIC = "f1_macro"


@dataclass(frozen=True)
class Confusion:
    """Which class was taken for which, how often."""

    given: str
    answered: str
    count: str


class HelpExample:
    """The figures of the example, as texts and charts of the reader's language; for templates."""

    @cached_property
    def _proof(self) -> Proof:
        proof: Proof = recorded_run()["proof"]
        return proof

    @cached_property
    def _counts(self) -> dict[tuple[int, int], int]:
        return {(given, answered): count for given, answered, count in self._proof["confusion"]}

    # --- words

    @cached_property
    def columns(self) -> list[str]:
        """Name the columns of its spreadsheet."""
        return [column.header for column in TASKS[TASK].columns]

    @cached_property
    def rows(self) -> Sequence[Sequence[str]]:
        """Show the first rows of its spreadsheet."""
        return sample_rows(TASKS[TASK], SHOWN_ROWS)

    @cached_property
    def row_count(self) -> str:
        """Count the rows of its spreadsheet."""
        return count_text(len(sample_rows(TASKS[TASK])))

    @cached_property
    def names(self) -> list[str]:
        """Name the classes."""
        return self._proof["names"]

    @cached_property
    def split(self) -> dict[str, str]:
        """Count the rows of each split."""
        return {split: count_text(count) for split, count in self._split_rows.items()}

    @cached_property
    def _split_rows(self) -> dict[str, int]:
        tested = self._proof["rows"]
        whole = len(sample_rows(TASKS[TASK]))
        return {Split.TRAIN.value: whole - sum(tested.values()), **tested}

    @cached_property
    def headline(self) -> dict[str, str]:
        """Write the deciding figure with the ends of its interval, and those of the simple methods."""
        figure, gain = self._proof["figures"][METRIC], self._proof["gain"]
        simple = {each["source"]: share_text(each["figures"][METRIC]["value"]) for each in self._proof["baselines"]}
        ends = {name: share_text(figure[name]) for name in ("value", "low", "high")}
        return {**ends, **simple, "gap": distance_text(gain["value"] if gain else None)}

    @cached_property
    def _worst(self) -> ClassProof:
        return min(self._proof["classes"], key=lambda entry: entry["recall"]["value"] or 0.0)

    @cached_property
    def worst(self) -> dict[str, str]:
        """Tell of the class that is found worst: name, examples, how many were found, recall with its interval."""
        entry = self._worst
        place = self.names.index(entry["name"])
        ends = {name: share_text(entry["recall"][name]) for name in ("value", "low", "high")}
        found = {"found": count_text(self._counts.get((place, place), 0)), "support": count_text(entry["support"])}
        return {"name": entry["name"], **found, **ends, "precision": share_text(entry["precision"]["value"])}

    @cached_property
    def confused(self) -> Confusion:
        """Tell which two classes are confused most often."""
        wrong = {pair: count for pair, count in self._counts.items() if pair[0] != pair[1]}
        given, answered = max(wrong, key=lambda pair: wrong[pair])
        return Confusion(self.names[given], self.names[answered], count_text(wrong[given, answered]))

    @cached_property
    def confusion(self) -> list[tuple[str, list[str]]]:
        """Return the whole table: for each class in the spreadsheet how often which answer came."""
        places = range(len(self.names))
        return [
            (self.names[given], [count_text(self._counts.get((given, answered), 0)) for answered in places])
            for given in places
        ]

    @cached_property
    def calibration(self) -> dict[str, str]:
        """Write how far stated and real probability are apart, before and after calibration."""
        found = self._proof["calibration"]
        assert found is not None
        return {name: distance_text(found[name]) for name in ("before", "after")}

    # --- pictures

    @cached_property
    def charts(self) -> dict[str, Chart]:
        """Draw every picture of help, by name."""
        drawn = (self._drawn_split(), self._learning(), self._classes(), self._methods(), self._reliability())
        return {chart.name: chart for chart in drawn}

    def _drawn_split(self) -> Chart:
        counts = {str(SPLIT_LABELS[split]): count for split, count in self._split_rows.items()}
        return draw_bars("split", _("Rows of the example in each part"), counts, shown=len(counts))

    def _learning(self) -> Chart:
        points = [
            (float(epoch), float(values[METRIC]))
            for epoch, _step, split, values in recorded_run()["metrics"]
            if split == Split.VALIDATION
        ]
        heads = [_("Epoch"), _("F1 (macro) on validation")]
        table = Table(heads, [[count_text(int(x)), share_text(y)] for x, y in points])
        across = Axis(_("Epoch"), low=points[0][0], high=points[-1][0], text=_whole)
        titles = [f"{count_text(int(x))}: {share_text(y)}" for x, y in points]
        curve = Curve(_("F1 (macro) on validation"), points, titles=titles)
        up = Axis(_("F1 (macro) on validation"))
        return draw_curves("learning", _("How the example learned"), [curve], across=across, up=up, table=table)

    def _classes(self) -> Chart:
        ordered = sorted(self._proof["classes"], key=lambda entry: entry["recall"]["value"] or 0.0)
        shown = [
            _estimate(entry["name"], entry["recall"], series=2 if entry is self._worst else 1)
            for entry in ordered
            if entry["recall"]["value"] is not None
        ]
        return _drawn_estimates("classes", _("How much of each class is found"), shown)

    def _methods(self) -> Chart:
        own = self._proof["figures"][METRIC]
        found: list[tuple[str, Any]] = [(_("the network"), own)]
        found += [
            (baseline_name(each["source"]), each["figures"][METRIC]) for each in reversed(self._proof["baselines"])
        ]
        shown = [_estimate(label, figure) for label, figure in found]
        return _drawn_estimates("methods", _("The network beside simple methods: F1 (macro)"), shown)

    def _reliability(self) -> Chart:
        calibration = self._proof["calibration"]
        assert calibration is not None
        points = [(each["confidence"], each["accuracy"]) for each in calibration["bins"]]
        heads = [_("Stated probability"), _("Really right"), _("Rows")]
        rows = [
            [share_text(each["confidence"]), share_text(each["accuracy"]), count_text(each["rows"])]
            for each in calibration["bins"]
        ]
        titles = [f"{share_text(x)}: {share_text(y)}" for x, y in points]
        curves = [
            Curve(_("the example"), points, titles=titles),
            Curve(_("if every probability were true"), [(0.0, 0.0), (1.0, 1.0)], series=2, is_reference=True),
        ]
        return draw_curves(
            "reliability",
            _("What the model states, and how often it is right"),
            curves,
            across=Axis(_("Stated probability")),
            up=Axis(_("Really right")),
            table=Table(heads, rows),
        )


def _whole(value: float) -> str:
    """Write a number of an axis that has no halves."""
    return count_text(int(value)) if value.is_integer() else ""


def _estimate(label: str, figure: Figure, *, series: int = 1) -> Estimate:
    value = figure["value"] or 0.0
    between = interval_text(figure, share_text)
    text = f"{share_text(value)} ({between})" if between else share_text(value)
    return Estimate(label, value, text, figure["low"], figure["high"], series)


def _drawn_estimates(name: str, title: str, shown: Sequence[Estimate]) -> Chart:
    """Draw shares with their intervals. The table says the same."""
    table = Table([_("Name"), _("Value")], [[each.label, each.text] for each in shown])
    return draw_estimates(name, title, shown, axis=Axis(title), table=table)
