"""Form controls of the admin's own forms."""

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.utils.translation import gettext


class NamedAutocomplete(AutocompleteSelect):
    """Django's search box for long lists; without a placeholder an empty one has no name for a screen reader."""

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        """Add the placeholder, which Django's own version sets to nothing."""
        return {**super().build_attrs(base_attrs, extra_attrs), "data-placeholder": gettext("Type to search")}
