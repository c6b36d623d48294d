"""Sessions in the database, as Django keeps them, with an end that no use moves.

What cannot be the key of a session is not looked up.
"""

import re
import time
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

KEY_FORM = re.compile(r"[a-z0-9]{32}")  # as Django makes them
SIGNED_IN_AT = "signed_in_at"  # seconds since 1970, in the session; accounts.adapter sets it


class SessionStore(DatabaseStore):
    """Ends SESSION_COOKIE_AGE after the last use, and SESSION_SECONDS after the sign-in at the latest."""

    def _validate_session_key(self, key: str | None) -> bool:
        # A cookie of another form is no cookie: with a NUL in it, written "\\000", the database raised.
        return key is not None and KEY_FORM.fullmatch(key) is not None

    def get_expiry_age(self, **kwargs: Any) -> int:
        """Return how many seconds the cookie and the row have left from now."""
        age = super().get_expiry_age(**kwargs)
        signed_in_at = self.get(SIGNED_IN_AT)
        if signed_in_at is None:
            return age
        return max(0, min(age, int(signed_in_at + settings.SESSION_SECONDS - time.time())))

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        """Return when the row ends."""
        return timezone.now() + timedelta(seconds=self.get_expiry_age(**kwargs))
