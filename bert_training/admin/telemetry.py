"""Log lines and metric points: two long lists, read page by page, narrowed by run. Never shown inside another page."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bert_training.admin.badges import state_badge
from bert_training.admin.base import FactsAdmin, ListFilter, Row, admin_url, link
from bert_training.admin.facts import facts_table, shown_figure
from bert_training.admin.row_audit import shown_second
from bert_training.contract.enums import LogLevel
from bert_training.models import Log, Metric

OF_ONE_RUN = "run__id__exact"
SHOWN_VALUES = 4


class TelemetryAdmin(FactsAdmin[Row]):
    """A list of possibly millions of rows: newest first by key, no sorting, no count beyond what is paged."""

    list_select_related = ("run", "attempt")
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 200
    show_facets = admin.ShowFacets.NEVER

    @admin.display(description=_("run"))
    def run_link(self, row: Log | Metric) -> SafeString:
        """Lead to the run."""
        return link(admin_url(row.run), row.run.name)

    @admin.display(description=_("run"))
    def run_number(self, row: Log | Metric) -> SafeString:
        """Lead to the run, in few letters."""
        return link(admin_url(row.run), f"#{row.run_id}")

    @admin.display(description=_("attempt"))
    def attempt_number(self, row: Log | Metric) -> int:
        """Return the number of the attempt within its job."""
        return row.attempt.number


class LevelFilter(ListFilter):
    """Lines of one level."""

    title = _("level")
    parameter_name = field = "level"

    def words(self) -> list[tuple[str, str]]:
        """List the four levels."""
        return [(level.value, level.value) for level in LogLevel]


class LogAdmin(TelemetryAdmin[Log]):
    """What the trainers wrote."""

    list_display = ("time", "level_badge", "message", "run_number", "attempt_number")
    list_display_links = None
    list_filter = (LevelFilter,)
    search_fields = ("message",)
    fields = readonly_fields = ("run_link", "attempt_number", "seq", "timestamp", "level_badge", "message")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Log], search_term: str
    ) -> tuple[QuerySet[Log], bool]:
        """Search the lines of one run; the words of millions of lines have no index."""
        if search_term and OF_ONE_RUN not in request.GET:
            messages.warning(request, gettext("Open the log lines of one run first, then search in them."))
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description=_("time"))
    def time(self, line: Log) -> str:
        """Return day and time to the second."""
        return shown_second(line.timestamp)

    @admin.display(description=_("level"))
    def level_badge(self, line: Log) -> SafeString:
        """Return the level in its colour."""
        return state_badge(line.level, line.level)


class MetricAdmin(TelemetryAdmin[Metric]):
    """The figures that the trainers sent."""

    list_display = ("id", "run_number", "attempt_number", "epoch", "step", "split", "shown_values")
    list_filter = ("split",)
    fields = readonly_fields = ("run_link", "attempt_number", "epoch", "step", "split", "values_table", "received_at")

    @admin.display(description=_("values"))
    def shown_values(self, point: Metric) -> str:
        """Return the first figures in one line; all of them stand on the point's own page."""
        shown = [f"{name} {shown_figure(value)}" for name, value in point.values.items()]
        return ", ".join(shown[:SHOWN_VALUES] + ["…"] * (len(shown) > SHOWN_VALUES))

    @admin.display(description=_("values"))
    def values_table(self, point: Metric) -> SafeString:
        """Return the figures with all their digits."""
        return facts_table(point.values)
