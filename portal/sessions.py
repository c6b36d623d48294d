"""Sessions in the database, as Django keeps them; what cannot be the key of one is not looked up."""

import re

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

KEY_FORM = re.compile(r"[a-z0-9]{32}")  # as Django makes them


class SessionStore(DatabaseStore):
    """Takes a cookie of another form for no cookie: with a NUL in it, written "\\000", the database raised."""

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and KEY_FORM.fullmatch(key) is not None
