"""The one error for settings that are each possible and do not go together."""


class SettingRefused(ValueError):
    """`name`: the setting to change; `message`: a message id, filled by `values` and the name."""

    def __init__(self, name: str, message: str, **values: str) -> None:
        self.name, self.message, self.values = name, message, {"name": name, **values}
        super().__init__(message % self.values)
