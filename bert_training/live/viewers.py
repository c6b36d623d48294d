"""Who is watching a run, and whether they still may: a session that ended or a token that was revoked ends the view."""

import time
from dataclasses import dataclass

from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from bert_training import access
from bert_training.models import AccessToken
from bert_training.services.second_factors import lacks_second_factor
from bert_training.services.sessions import person_of_session

# Looked at with each frame, and a stream has one as often as this: who lost the right is out after 4 s at the latest.
RECHECK_SECONDS = 2.0


@dataclass(frozen=True)
class Viewer:
    """A person and what they signed in with: a session or a token."""

    user_id: int
    session_key: str | None = None
    token_id: int | None = None


class Permission:
    """Whether a viewer may still watch, asked anew every RECHECK_SECONDS. Two or three short queries."""

    def __init__(self, viewer: Viewer, run_id: int) -> None:
        self._viewer = viewer
        self._run_id = run_id
        self._asked_at = time.monotonic()

    async def holds(self) -> bool:
        """Tell whether the sign-in holds and the run may be seen."""
        if time.monotonic() - self._asked_at < RECHECK_SECONDS:
            return True
        self._asked_at = time.monotonic()
        return await database_sync_to_async(self._ask)()

    def _ask(self) -> bool:
        person = find_person(self._viewer)
        return person is not None and is_visible(person, self._run_id)


def find_person(viewer: Viewer) -> User | None:
    """Return who is signed in, None when no longer: logout and a new password end a session, revoking ends a token."""
    if viewer.token_id is not None:
        token = AccessToken.objects.usable().select_related("user").filter(pk=viewer.token_id).first()
        person = token.user if token is not None else None
    else:
        found = person_of_session(viewer.session_key)
        person = found if found is not None and not lacks_second_factor(found) else None
    return person if person is not None and person.is_active and person.pk == viewer.user_id else None


def is_visible(person: User, run_id: int) -> bool:
    """Tell whether a person may see the run now."""
    return access.runs_visible_to(person).filter(pk=run_id).exists()
