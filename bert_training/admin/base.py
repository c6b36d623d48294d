"""What the portal's model admins have in common: paging without long counts, buttons on a row, read-only facts."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList, ChangeListSearchForm
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from bert_training.admin.row_audit import audit_of_row
from bert_training.contract.limits import SEARCH_CHARACTERS
from bert_training.models.choices import Label
from bert_training.services.errors import ServiceError

Row = TypeVar("Row", bound=Model)
Parent = TypeVar("Parent", bound=Model)

# Counting 10 million log lines takes seconds in PostgreSQL and nobody pages that far; a filter narrows the list.
COUNTED_ROWS = 10_000
ACTED_ROWS = 500  # rows that one action may touch; each is a transaction of its own
FROM_ROW = "_from_row"  # hidden field of the buttons on a row: return to that row, not to the list


if TYPE_CHECKING:

    class GenericModelAdmin(admin.ModelAdmin[Row]): ...

    class GenericInline(admin.TabularInline[Row, Parent]): ...

else:
    # Django's classes take type parameters only in its stubs.

    class GenericModelAdmin(admin.ModelAdmin):
        def __class_getitem__(cls, _row: object) -> type:
            return cls

    class GenericInline(admin.TabularInline):
        def __class_getitem__(cls, _rows: object) -> type:
            return cls


# What no list may be asked for: ?password__startswith= would read a superuser's hash to other staff letter by letter.
SECRET_FIELDS = frozenset({"password", "digest", "secret"})


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # takes parameters only in the stubs
    """Counts at most COUNTED_ROWS rows, whatever the table holds."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, or COUNTED_ROWS when there are more."""
        rows = self.object_list
        return rows[:COUNTED_ROWS].count() if isinstance(rows, QuerySet) else len(rows)


class ShortSearchForm(ChangeListSearchForm):
    """Takes a search of SEARCH_CHARACTERS; a longer one is not tried, and the list says why."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[SEARCH_VAR] = forms.CharField(required=False, strip=False, max_length=SEARCH_CHARACTERS)


class ShortSearchList(ChangeList):
    """A list with the short search."""

    search_form_class = ShortSearchForm


class PortalModelAdmin(GenericModelAdmin[Row]):
    """Base of every model admin of the application."""

    paginator = CappedPaginator
    show_full_result_count = False  # would count the whole table again beside the filtered count
    list_per_page = 50
    list_max_show_all = 200
    change_form_template = "admin/bert_training/change_form.html"
    object_history_template = "admin/bert_training/object_history.html"
    add_label: Label = ""  # words of the button above the list; empty = "add" and the model's name
    is_read_only = False  # nothing on a row's page can be written: it has no button to save
    list_title: Label = ""  # what the list is called; empty = the model's name
    # Actions that the page of one row offers as buttons too.
    row_actions: ClassVar[Sequence[str]] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the class of the list."""
        return ShortSearchList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Filter by what the list offers; Django allows every field of a row of its own, secrets too."""
        secret = not SECRET_FIELDS.isdisjoint(lookup.split(LOOKUP_SEP))
        return not secret and super().lookup_allowed(lookup, value, request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Name the list, and its button by what it does."""
        title = self.list_title or capfirst(str(self.opts.verbose_name_plural))
        own = {"title": title, "add_label": self.add_label}
        return super().changelist_view(request, {**own, **(extra_context or {})})

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, row: Any) -> str:
        """Return when the row was made, short enough for a column."""
        return shown_moment(row.created_at)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what was done here, and below it what the audit noted of the row, whoever did it and where."""
        noted = audit_of_row(request, self.model, object_id)
        return super().history_view(request, object_id, {**noted, **(extra_context or {})})

    def row_actions_for(self, row: Row) -> Iterable[str]:
        """Return the row_actions that make sense in the row's present state."""
        return self.row_actions

    def row_links(self, row: Row) -> list[tuple[str, str]]:
        """Return (address, words) of where a row's page leads beside its history."""
        return []

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Row | None = None,
    ) -> HttpResponse:
        """Give the template the buttons and links of the row."""
        if obj is not None:
            context["row_actions"] = self._buttons(request, obj)
            context["row_actions_url"] = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            context["row_links"] = self.row_links(obj)
            context["from_row"] = FROM_ROW
            context["show_save_and_add_another"] = False
            if self.is_read_only:
                context |= {"show_save": False, "show_save_and_continue": False, "show_close": True}
        return super().render_change_form(request, context, add=add, change=change, form_url=form_url, obj=obj)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run an action; one that was started on the page of a row returns there."""
        response = super().response_action(request, queryset, *args, **kwargs)
        row = request.POST.get(FROM_ROW, "")
        if isinstance(response, HttpResponseRedirect) and response.url == request.get_full_path() and row.isdecimal():
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(name, args=[row]))
        return response

    def perform(
        self, request: HttpRequest, queryset: QuerySet[Row], *, act: Callable[[Row], object], history: str
    ) -> None:
        """Run a service for each chosen row, note it in the row's history, and say what was done and what refused."""
        done = 0
        for row in chosen_rows(request, queryset):
            try:
                act(row)
            except ServiceError as refusal:
                messages.error(request, f"{row}: {refusal.message}")
                continue
            self.log_change(request, row, history)
            done += 1
        if done:
            words = ngettext("Done for %(count)d entry.", "Done for %(count)d entries.", done)
            messages.success(request, words % {"count": done})

    def _buttons(self, request: HttpRequest, row: Row) -> list[tuple[str, str]]:
        actions = self.get_actions(request)
        allowed = {name: action[2] for name, action in actions.items() if action is not None}
        return [(name, allowed[name]) for name in self.row_actions_for(row) if name in allowed]


class ListFilter(admin.SimpleListFilter):
    """A filter over a closed list: what may be chosen is known, reading it from the table would scan that."""

    field: str

    def words(self) -> Iterable[tuple[str, Any]]:
        """List the values with their words."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the closed list."""
        return list(self.words())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows with the chosen value."""
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


class FactsAdmin(PortalModelAdmin[Row]):
    """For rows that the system writes: to be read here, never added, changed or deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False


def chosen_rows(request: HttpRequest, queryset: QuerySet[Row]) -> list[Row]:
    """Return the rows of an action; none, with a message, when more than ACTED_ROWS were chosen."""
    rows = list(queryset[: ACTED_ROWS + 1])
    if len(rows) <= ACTED_ROWS:
        return rows
    messages.error(
        request, gettext("Choose at most %(count)d entries at a time. Nothing was changed.") % {"count": ACTED_ROWS}
    )
    return []


class FactsInline(GenericInline[Row, Parent]):
    """A short list of rows that the system wrote, on the page of the row that they belong to."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Parent | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Parent | None = None) -> bool:
        return False


def shown_moment(moment: datetime | None) -> str:
    """Return day and time in the short form of the language; a dash for never."""
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT") if moment else "-"


def signed_in(request: HttpRequest) -> User:
    """Return who is at work; the site lets nobody in who is not signed in."""
    return cast(User, request.user)


def link(url: str, words: object) -> SafeString:
    """Return a link; both parts are escaped."""
    return format_html('<a href="{}">{}</a>', url, words)


def admin_url(row: Model) -> str:
    """Return the address of a row's own page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_url(model: type[Model]) -> str:
    """Return the address of a model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
