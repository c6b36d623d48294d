"""Form controls of the admin's own forms."""

import re
from collections.abc import Sequence
from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.utils.translation import gettext

ROW_NUMBER = re.compile(r"[0-9]{1,18}")


class NamedAutocomplete(AutocompleteSelect):
    """Django's search box for long lists; without a placeholder an empty one has no name for a screen reader."""

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        """Add the placeholder, which Django's own version sets to nothing."""
        return {**super().build_attrs(base_attrs, extra_attrs), "data-placeholder": gettext("Type to search")}

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        """Look up only what can be a number of a row: Django asks the database for whatever was sent, and raises."""
        numbers = [given for given in value if ROW_NUMBER.fullmatch(given)]
        return super().optgroups(name, numbers, attr)
