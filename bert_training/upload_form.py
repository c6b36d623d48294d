"""The form that sends a spreadsheet, for pages and admin: files, name, where its columns are, repairs.

After a check it knows the file: `show` turns its text fields into lists of what the file has.
"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bert_training.column_fields import HEADER_CHARACTERS, HeadersField
from bert_training.contract.enums import Split
from bert_training.data.cells import normalized
from bert_training.data.repairs import Fix
from bert_training.data.suggestions import Content
from bert_training.data.table import GROUP
from bert_training.services.fix_words import OfferedFix, fix_choices, offered_fixes
from bert_training.services.sources import Uploads
from bert_training.tasks.intake import CheckRequest, Report
from bert_training.tasks.spec import TaskSpec

COLUMN_PREFIX = "column_"
JOINED = 3  # controls for one column of texts: a title, a body and one more
ACCEPTED = ".xlsx,.xlsm,.xls,.ods,.csv,.tsv,.txt,.jsonl,.json,.parquet,.conll,.bio,.iob"
FILE_FIELDS = {Split.TRAIN: "file", Split.VALIDATION: "validation_file", Split.TEST: "test_file"}


def _file_field(label: Any, help_text: Any, *, required: bool = True) -> forms.FileField:
    return forms.FileField(
        label=label,
        help_text=help_text,
        required=required,
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )


class RecipeForm(forms.Form):
    """Repairs to choose from."""

    recipe = forms.MultipleChoiceField(
        label=gettext_lazy("Repairs"),
        choices=fix_choices,
        required=False,
        widget=forms.MultipleHiddenInput,
        help_text=gettext_lazy("Done on the way in; your file stays as it is."),
    )

    def offer(self, offered: Sequence[OfferedFix], chosen: Sequence[str] = (), *, form_id: str = "") -> None:
        """Show the repairs that were chosen and those that a check offers. form_id: of the form that they belong to."""
        counts = {fix.name: fix.count for fix in offered}
        words = [
            (name, _("%(repair)s (%(count)d)") % {"repair": label, "count": counts[name]} if name in counts else label)
            for name, label in fix_choices()
            if name in counts or name in chosen
        ]
        self.has_offers = bool(words)
        attrs = {"form": form_id} if form_id else {}
        self.fields["recipe"].widget = forms.CheckboxSelectMultiple(attrs=attrs, choices=words)

    has_offers = False


class UploadForm(RecipeForm):
    """The files, what to call them, and how they shall be read."""

    file = _file_field(
        gettext_lazy("Spreadsheet"),
        gettext_lazy(
            "Excel (.xlsx, .xls), LibreOffice (.ods), CSV, JSON or Parquet, at most 50 MiB. "
            "The first row holds the names of the columns."
        ),
    )
    validation_file = _file_field(
        gettext_lazy("Validation file"),
        gettext_lazy("Rows on which the training is watched. Without it they are taken from the spreadsheet."),
        required=False,
    )
    test_file = _file_field(
        gettext_lazy("Test file"),
        gettext_lazy("Rows by which the finished model is judged. Without it they are taken from the spreadsheet."),
        required=False,
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
            self.fields[COLUMN_PREFIX + column.name] = HeadersField(
                label=_("Column for “%(name)s”") % {"name": _(column.label)},
                help_text=_("Empty: “%(header)s” or a usual other name of it.") % {"header": column.header},
                places=JOINED if column.content == Content.TEXT else 1,
            )
        self.fields[COLUMN_PREFIX + GROUP] = HeadersField(
            label=_("Column of what belongs together"),
            help_text=_("Rows of one process number, for instance, are never divided between training and test."),
        )
        self.order_fields([name for name in self.fields if name != "recipe"])  # those come last

    @property
    def extra_file_fields(self) -> list[BoundField]:
        """The fields of the files that may be sent beside the first."""
        return [self["validation_file"], self["test_file"]]

    @property
    def column_fields(self) -> list[BoundField]:
        """The fields that say where a column is."""
        return [self[name] for name in self.fields if name.startswith(COLUMN_PREFIX)]

    @property
    def has_mapping(self) -> bool:
        """Tell whether sheet or columns were named."""
        return any(any(field.value() or ()) for field in [self["sheet"], *self.column_fields])

    @property
    def has_extra_file_errors(self) -> bool:
        """Tell whether one of the files sent beside the first is wrong."""
        return any(field.errors for field in self.extra_file_fields)

    def uploads(self) -> Uploads:
        """Return the files that were sent."""
        return {split: self.cleaned_data[name] for split, name in FILE_FIELDS.items() if self.cleaned_data[name]}

    def check_request(self) -> CheckRequest:
        """Return how the files shall be read."""
        named = {field.name.removeprefix(COLUMN_PREFIX): self.cleaned_data[field.name] for field in self.column_fields}
        return CheckRequest(
            task=self.spec.name,
            sheet=self.cleaned_data["sheet"],
            columns={name: found[0] if len(found) == 1 else found for name, found in named.items() if found},
            recipe=self.cleaned_data["recipe"],
        )

    def show(self, report: Report, *, form_id: str = "") -> None:
        """Offer the sheets, columns and repairs that a check has found; nothing is taken before somebody chooses it."""
        if report.sheets:
            choices = [("", _("the first one")), *((name, name) for name in report.sheets)]
            self.fields["sheet"].widget = forms.Select(choices=choices)
        offered = offered_fixes(report.as_dict())
        is_header_found = Fix.FIND_HEADER not in [fix.name for fix in offered]
        for field in self.column_fields:
            self._show_columns(field, report, is_header_found=is_header_found)
        self.offer(offered, self["recipe"].value() or (), form_id=form_id)

    def _show_columns(self, field: BoundField, report: Report, *, is_header_found: bool) -> None:
        """Offer the columns. Without the header these are cells of a title: one of them chosen would be looked for."""
        name = field.name.removeprefix(COLUMN_PREFIX)
        headers = [header for header in report.columns_found if len(header) <= HEADER_CHARACTERS]
        by_name = {normalized(header): header for header in headers}
        chosen = [by_name[normalized(header)] for header in field.value() or () if normalized(header) in by_name]
        found = "" if chosen else report.columns.get(name, "")
        suggested = report.suggestions.get(name, [])
        if is_header_found and name != GROUP and not chosen and not found:
            chosen = [header for header in suggested[:1] if header in headers]
        field.field.widget.show(headers, chosen=chosen, suggested=suggested, found=found)
