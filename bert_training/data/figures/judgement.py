"""How the answers of one kind of label are judged: what a task names in its spec, and portal and worker then call."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.shapes import ClassFigures, Figures

AnswersT = TypeVar("AnswersT", contravariant=True)


@dataclass(frozen=True)
class Tally:
    """The counts from which every rate follows, so that chance can be judged by counting again.

    hits, found, exist: (N, K) of each row: right answers, answers, and examples of each class or entity type.
    Stored sparse: entry e says that row rows[e] has amounts[e] of kind kinds[e] for class classes[e]; kinds: 0 hit,
    1 found, 2 exist. All (E,) int64.
    """

    row_count: int
    class_count: int
    rows: NDArray[np.int64]
    classes: NDArray[np.int64]
    kinds: NDArray[np.int64]
    amounts: NDArray[np.int64]

    def totals(self) -> NDArray[np.float64]:
        """Add up all rows. Returns (1, 3, K), as `Judgement.rates` takes them."""
        places = self.kinds * self.class_count + self.classes
        sums = np.bincount(places, weights=self.amounts, minlength=3 * self.class_count).astype(np.float64)
        return sums.reshape((1, 3, self.class_count))


class Judgement(Protocol[AnswersT]):
    """Judges answers; names: of the classes or entity types, in the order of their ids. Knows no rows and no splits."""

    def figures(self, answers: AnswersT, names: list[str]) -> Figures:
        """Return every figure of the task, by the metric's name, but the loss."""

    def classes(self, answers: AnswersT, names: list[str]) -> list[ClassFigures]:
        """Return the figures of each class or entity type."""

    def tally(self, answers: AnswersT, names: list[str]) -> Tally:
        """Count hits, answers and examples of each row."""

    def rates(self, totals: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return those figures that follow from totals (R, 3, K) of a tally, each (R,); NaN = not defined."""

    def confidences(self, answers: AnswersT) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the stated probability of each answer and whether it is right, one a text or a predicted entity."""

    def details(self, answers: AnswersT, names: list[str]) -> dict[str, Any]:
        """Return the fields confusion, curves and entities of a Proof, as far as they are of this kind."""
