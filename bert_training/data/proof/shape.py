"""What a proof says, as JSON values: computed by worker and portal alike, shown by pages, API, report and model card.

A figure is {"value", "low", "high"}: low and high bound its 95 % interval; None = not defined, or no interval is made.
"""

from typing import NotRequired, TypedDict

PROOF_VERSION = 1


class Figure(TypedDict):
    """A figure with its 95 % interval."""

    value: float | None
    low: float | None
    high: float | None


class ClassProof(TypedDict):
    """One class or entity type on test. support: its examples.  predicted: how often it was answered.

    is_few: fewer than 30 examples, so that its figures may be chance.
    """

    name: str
    precision: Figure
    recall: Figure
    f1: Figure
    support: int
    predicted: int
    is_few: bool


class BaselineProof(TypedDict):
    """A simple method on the same test rows. source: a PredictionSource."""

    source: str
    figures: dict[str, Figure]


class Gain(TypedDict):
    """By how much the network is better than the best baseline on the deciding metric, row by row on the same rows.

    The best one on these very rows: the choice favours the baseline. Of log_loss the value is by how much it is lower.
    is_shown: whether the whole interval is above 0.
    """

    over: str
    value: float | None
    low: float | None
    high: float | None
    is_shown: bool


class Bin(TypedDict):
    """Rows of about the same stated probability: what was stated, and how many were right."""

    confidence: float
    accuracy: float
    rows: int


class CalibrationProof(TypedDict):
    """What calibration did, on test. before, after: expected calibration error (15 bins of equal rows).

    before: None when nothing was folded in (temperature 1), and for entities, whose probability is not that of a word.
    """

    temperature: float
    has_biases: bool
    before: float | None
    after: float | None
    bins: list[Bin]


class CoveragePoint(TypedDict):
    """What came of the answers whose stated probability is at least `threshold`.

    answers: how many.  taken: which share of all answers they are.  wrong: which share of them is wrong.
    """

    threshold: float
    answers: int
    taken: Figure
    wrong: Figure


class Slice(TypedDict):
    """A part of the test rows. figures: by the metric's name.  is_few: fewer than 30 units.

    kind: "range" (from low to high), "value", "others" (so many rarer `values`), "rest" (no number) or "blank".
    """

    kind: str
    value: str
    low: float
    high: float
    values: int
    rows: int
    is_few: bool
    figures: dict[str, Figure]


class Suspect(TypedDict):
    """A row whose label a model that had not seen it doubts.

    given, suggested: label names (entities: the type in doubt, "" = none).  doubt: 0..1, how sure that model is.
    """

    row: int
    split: str
    given: str
    suggested: str
    doubt: float


class LabelErrors(TypedDict):
    """source: "linear", or "network" where the run was cross-validated.  judged: rows that were looked at.

    counts: suspects by split.  suspects: the most doubtful first, at most 1,000.
    """

    source: str
    judged: int
    counts: dict[str, int]
    suspects: list[Suspect]


class EntityErrors(TypedDict):
    """How entities were missed on test, and what was cut. scheme: how tags are read."""

    scheme: str
    right: int
    missed: int
    spurious: int
    wrong_type: int
    wrong_boundary: int
    invalid_tags: int
    sentences: int
    sentences_cut: int
    words_cut: int


class Proof(TypedDict):
    """The whole. rows: by split.  units: of test, near-duplicates and groups counted once.

    metric: the deciding one; predictions do not tell the loss of training, then f1_macro, or f1 of entities.
    is_few: fewer than 30 units on test.  figures: of the network on test.  validation: of the network there.
    confusion: [gold, predicted, count] of test with indexes into `names`; for entities -1 = no entity.
    curves: {"roc" | "pr": {class name: [[x, y], ...]}}; empty for more than 20 classes and for entities.
    coverage: by rising threshold; proofs of older programs lack it, and it is empty when no probability is stated.
    """

    version: int
    metric: str
    rows: dict[str, int]
    units: int
    is_few: bool
    names: list[str]
    figures: dict[str, Figure]
    validation: dict[str, float | None]
    classes: list[ClassProof]
    confusion: list[list[int]]
    curves: dict[str, dict[str, list[list[float]]]]
    baselines: list[BaselineProof]
    gain: Gain | None
    calibration: CalibrationProof | None
    coverage: NotRequired[list[CoveragePoint]]
    entities: NotRequired[EntityErrors]
    label_errors: LabelErrors | None
