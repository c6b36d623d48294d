"""The form that sends a spreadsheet, for pages and admin: the file, its name, and where its columns are."""

from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bert_training.contract.enums import Split
from bert_training.services.datasets import Uploads
from bert_training.tasks.intake import CheckRequest
from bert_training.tasks.spec import TaskSpec

COLUMN_PREFIX = "column_"


class UploadForm(forms.Form):
    """The file, what to call it, and where its columns are if they have other names."""

    file = forms.FileField(
        label=gettext_lazy("Spreadsheet"),
        help_text=gettext_lazy("Excel file (.xlsx), at most 50 MiB. Its first row holds the names of the columns."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx"}),
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Empty: the name of the file."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    sheet = forms.CharField(
        label=gettext_lazy("Sheet"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("Empty: the first sheet."),
    )

    def __init__(self, spec: TaskSpec, *args: Any) -> None:
        super().__init__(*args)
        self.spec = spec
        for column in spec.columns:
            words = _("Column for “%(name)s”") % {"name": _(column.label)}
            self.fields[COLUMN_PREFIX + column.name] = forms.CharField(
                label=words,
                max_length=300,
                required=False,
                widget=forms.TextInput(attrs={"list": "columns-found", "autocomplete": "off"}),
                help_text=_("Empty: “%(header)s” or a usual other name of it.") % {"header": column.header},
            )

    @property
    def column_fields(self) -> list[BoundField]:
        """The fields that say where a column is."""
        return [self[COLUMN_PREFIX + column.name] for column in self.spec.columns]

    @property
    def has_mapping(self) -> bool:
        """Tell whether sheet or columns were named."""
        return any(field.value() for field in [self["sheet"], *self.column_fields])

    def uploads(self) -> Uploads:
        """Return the file that was sent."""
        return {Split.TRAIN: self.cleaned_data["file"]}

    def check_request(self) -> CheckRequest:
        """Return how the file shall be read."""
        named = {column.name: self.cleaned_data[COLUMN_PREFIX + column.name] for column in self.spec.columns}
        columns: dict[str, str | list[str]] = {name: header for name, header in named.items() if header}
        return CheckRequest(task=self.spec.name, sheet=self.cleaned_data["sheet"], columns=columns)
