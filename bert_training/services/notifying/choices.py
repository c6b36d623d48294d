"""What a person wants to be told, and how: in the page all until they say otherwise, by e-mail what they chose."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import get_language

from bert_training.contract.enums import NoticeKind
from bert_training.models import NotificationChoice


@dataclass(frozen=True)
class Wishes:
    """What one person has chosen."""

    hidden: Collection[str] = ()
    mailed: Collection[str] = ()

    def in_page(self, kind: str) -> bool:
        """Tell whether the page tells it."""
        return kind not in self.hidden

    def by_email(self, kind: str) -> bool:
        """Tell whether it comes by e-mail."""
        return settings.HAS_EMAIL and kind in self.mailed


def wishes_of(people: Iterable[User]) -> dict[int, Wishes]:
    """Return what these people have chosen, by their numbers. One query."""
    ids = [person.pk for person in people]
    chosen = {row.user_id: row for row in NotificationChoice.objects.filter(user__in=ids)}
    return {pk: Wishes(chosen[pk].hidden, chosen[pk].mailed) if pk in chosen else Wishes() for pk in ids}


def choose(
    user: User, *, offered: Collection[NoticeKind], in_page: Collection[str], mailed: Collection[str] | None
) -> None:
    """Keep what somebody has chosen among what they were offered; the rest stays. mailed: None where it was no choice.

    Their e-mails come in the language in which they choose.
    """
    kept = NotificationChoice.objects.filter(user=user).first() or NotificationChoice(user=user)
    others = {*NoticeKind} - {*offered}
    kept.hidden = sorted({kind for kind in offered if kind not in in_page} | (others & {*kept.hidden}))
    if mailed is not None:
        kept.mailed = sorted({kind for kind in offered if kind in mailed} | (others & {*kept.mailed}))
    kept.language = get_language() or settings.LANGUAGE_CODE
    kept.save()
