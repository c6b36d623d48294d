"""The bodies that people send. Strict types, and unlike the worker's messages a field that is not known is an error."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bert_training.contract.enums import ShareLevel
from bert_training.contract.limits import MOST_REPEATS
from bert_training.contract.messages import Identifier
from bert_training.models.run import NOTES_CHARACTERS
from bert_training.models.run_tag import TAG_CHARACTERS, TAGS_OF_A_RUN
from bert_training.services.queue_order import Move

Name = Annotated[str, Field(max_length=200)]
NonemptyName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Tag = Annotated[str, Field(min_length=1, max_length=TAG_CHARACTERS, pattern=r"[^\s,]")]
Priority = Annotated[int, Field(ge=-1000, le=1000)]


class Body(BaseModel):
    """Base: strict types, unknown fields refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class NewRun(Body):
    """POST /runs. The hyperparameters are judged by the task's own declaration."""

    dataset: Identifier
    base_model: Name
    name: Name = ""
    preset: Name = ""  # name of a preset of GET /tasks; the hyperparameters given stand above its values
    hyperparameters: dict[str, Any] = {}
    initial_run: Identifier | None = None  # a completed run of this task and base model, to begin from its model
    priority: Priority | None = None  # operators and staff
    simulate: bool = False  # staff: taken only by a worker with --dry-run


class Reproduction(Body):
    """POST /runs/{id}/reproduce."""

    name: Name = ""
    dataset: Identifier | None = None  # another upload of the same spreadsheet, instead of the run's own dataset


class NewRepeats(Body):
    """POST /runs/{id}/repeats."""

    kind: Literal["fold", "seed"]
    count: Annotated[int, Field(ge=2, le=MOST_REPEATS)]  # of folds at least 3


class RunChange(Body):
    """PATCH /runs/{id}; what is not named stays as it is. tags: all that the run has from now on."""

    name: NonemptyName | None = None
    tags: Annotated[list[Tag], Field(max_length=TAGS_OF_A_RUN)] | None = None
    notes: Annotated[str, Field(max_length=NOTES_CHARACTERS)] | None = None
    archived: bool | None = None


class DatasetChange(Body):
    """PATCH /datasets/{id}; what is not named stays as it is."""

    name: NonemptyName | None = None
    description: Annotated[str, Field(max_length=2000)] | None = None


class DatasetRepair(Body):
    """POST /datasets/{id}/repair: names of one-click repairs, as `fixes` of a check names them."""

    recipe: Annotated[list[Annotated[str, Field(max_length=50)]], Field(min_length=1, max_length=50)]


class TeamShare(Body):
    """What one team may do."""

    team: Identifier
    level: ShareLevel


class QueueMove(Body):
    """POST /queue/{job}/move."""

    to: Move


class QueuePriority(Body):
    """POST /queue/{job}/priority: higher goes first, 0 is usual."""

    priority: Priority


class Shares(Body):
    """PUT /datasets/{id}/shares and /runs/{id}/shares: the whole list."""

    shares: Annotated[list[TeamShare], Field(max_length=1000)]
