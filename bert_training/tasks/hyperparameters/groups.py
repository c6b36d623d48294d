"""The hyperparameters of a task in the order in which people read them: by group, then as declared."""

from bert_training.tasks.hyperparameters.declaration import Group
from bert_training.tasks.hyperparameters.settings import Hyperparameters


def names_by_group(hyperparameters: type[Hyperparameters]) -> dict[Group, list[str]]:
    """Return the names of each group that has any."""
    names: dict[Group, list[str]] = {group: [] for group in Group}
    for name, field in hyperparameters.model_fields.items():
        extra = field.json_schema_extra
        if not isinstance(extra, dict):
            raise TypeError(f"hyperparameter {name!r} of {hyperparameters.__name__} has no group: declare it so")
        names[Group(str(extra["group"]))].append(name)
    return {group: found for group, found in names.items() if found}


def names_in_order(hyperparameters: type[Hyperparameters]) -> list[str]:
    """Return all names, group after group."""
    return [name for names in names_by_group(hyperparameters).values() for name in names]
