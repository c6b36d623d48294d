"""Lists of rows that name other rows: which of those the caller may see is asked once for the whole page."""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from rest_framework.generics import GenericAPIView

from bert_training.api.authentication import calling_person
from bert_training.api.serializers.access import context_of

if TYPE_CHECKING:
    Base = GenericAPIView[Any]
else:
    Base = object


class OriginsOfPage(Base):
    """Gives the serializer of a list its `context_of`."""

    page_rows: tuple[Any, ...] = ()

    def paginate_queryset(self, queryset: QuerySet[Any]) -> Any:  # type: ignore[override]
        """Keep the rows of the page for the context."""
        page = super().paginate_queryset(queryset)
        self.page_rows = tuple(page or ())
        return page

    def get_serializer_context(self) -> dict[str, Any]:
        """Add what is known of the rows that those of the page name."""
        known = context_of(calling_person(self.request), self.page_rows) if self.page_rows else {}
        return {**super().get_serializer_context(), **known}
