"""Writes a proof as a short text for a terminal: the deciding figure with its interval first, the weakest classes last.

Shares are written as numbers from 0 to 1, as in the log.
"""

from collections.abc import Iterable, Sequence

from bert_training.data.proof.shape import BaselineProof, CalibrationProof, ClassProof, Figure, Gain, LabelErrors, Proof

WORST_CLASSES = 10
NO_EXAMPLES = "no examples"


def proof_text(proof: Proof) -> str:
    """Return the whole text."""
    metric = proof["metric"]
    rows, units = proof["rows"].get("test", 0), proof["units"]
    few = "; few examples: the figures may be chance" if proof["is_few"] else ""
    lines = [
        f"Test: {rows:,} rows, {units:,} when near-duplicates and groups count once{few}. Deciding figure: {metric}.",
        "",
        *_table(("figure", "network", "95 % interval", "validation"), _figure_rows(proof)),
        "",
        *_baseline_lines(proof["baselines"], metric),
        _gain_line(proof["gain"], metric),
        _calibration_line(proof["calibration"]),
        *_entity_lines(proof),
        _suspects_line(proof["label_errors"]),
        "",
        *_class_lines(proof["classes"]),
    ]
    return "\n".join(lines)


def _figure_rows(proof: Proof) -> list[tuple[str, ...]]:
    """Write each figure, the deciding one first."""
    names = sorted(proof["figures"], key=lambda name: name != proof["metric"])
    return [
        (name, _number(proof["figures"][name]["value"]), _interval(proof["figures"][name]), _number(known))
        for name in names
        for known in [proof["validation"].get(name)]
    ]


def _baseline_lines(baselines: Sequence[BaselineProof], metric: str) -> list[str]:
    found = [(entry["source"], entry["figures"].get(metric)) for entry in baselines]
    return [
        f"Baseline {source}: {metric} {_number(figure['value'])} ({_interval(figure)})"
        for source, figure in found
        if figure is not None
    ]


def _gain_line(gain: Gain | None, metric: str) -> str:
    if gain is None or gain["value"] is None:
        return "Gain over a baseline: not known."
    is_worse = gain["high"] is not None and gain["high"] < 0
    not_shown = "worse than the baseline" if is_worse else "not shown, chance alone may have made it"
    verdict = "shown" if gain["is_shown"] else not_shown
    interval = "" if gain["low"] is None or gain["high"] is None else f" ({gain['low']:+.4f} to {gain['high']:+.4f})"
    return f"Gain over {gain['over']}: {metric} {gain['value']:+.4f}{interval}: {verdict}."


def _calibration_line(calibration: CalibrationProof | None) -> str:
    if calibration is None:
        return "Calibration: none was fitted."
    biases = " and a bias for each class" if calibration["has_biases"] else ""
    known = {name: value for name in ("before", "after") if (value := calibration[name]) is not None}
    errors = ", ".join(f"{value:.4f} {name}" for name, value in known.items()) or "not known"
    return f"Calibration: temperature {calibration['temperature']:.3f}{biases}; expected error {errors}."


def _entity_lines(proof: Proof) -> list[str]:
    errors = proof.get("entities")
    if errors is None:
        return []
    counts = ", ".join(
        f"{count:,} {name.replace('_', ' ')}"
        for name in ("right", "missed", "spurious", "wrong_type", "wrong_boundary")
        for count in [errors[name]]
    )
    return [f"Entities ({errors['scheme']}): {counts}; {errors['sentences_cut']:,} sentences were cut."]


def _suspects_line(errors: LabelErrors | None) -> str:
    if errors is None:
        return "Suspected label errors: not looked for."
    counts = ", ".join(f"{split} {count:,}" for split, count in errors["counts"].items())
    return f"Suspected label errors, by the {errors['source']} method: {counts or 'none'} of {errors['judged']:,} rows."


def _class_lines(classes: Sequence[ClassProof]) -> list[str]:
    worst = sorted(classes, key=lambda entry: (entry["support"] == 0, entry["f1"]["value"] or 0.0, entry["name"]))
    rows = [
        (
            entry["name"],
            _number(entry["f1"]["value"]),
            _interval(entry["f1"]),
            _number(entry["precision"]["value"]),
            _number(entry["recall"]["value"]),
            f"{entry['support']:,}{' (few)' if entry['is_few'] else ''}",
        )
        for entry in worst[:WORST_CLASSES]
    ]
    more = [f"... and {len(classes) - WORST_CLASSES:,} better ones"] if len(classes) > WORST_CLASSES else []
    return [*_table(("class, worst first", "F1", "95 % interval", "precision", "recall", "examples"), rows), *more]


def _number(value: float | None) -> str:
    return NO_EXAMPLES if value is None else f"{value:.4f}"


def _interval(figure: Figure) -> str:
    low, high = figure["low"], figure["high"]
    return "-" if low is None or high is None else f"{low:.4f} to {high:.4f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write columns under each other: the first to the left, the others to the right."""
    lines = [header, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    return [_aligned(line, widths) for line in lines]


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    rest = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
    return "  ".join([line[0].ljust(widths[0]), *rest])
