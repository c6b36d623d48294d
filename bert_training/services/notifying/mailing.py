"""Sends a notification as an e-mail of plain text, with the picture of the training where there is one."""

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from bert_training.contract.enums import DispatchFailure, NoticeKind
from bert_training.models import Dispatch, NotificationChoice, Occurrence
from bert_training.services.emails import Delivery, Enclosure, Letter, send_letter
from bert_training.services.notifying.dispatches import Try
from bert_training.services.notifying.recipients import kinds_for
from bert_training.services.notifying.words import Told, tell
from bert_training.services.picturing.training_history import FILE_NAME, training_history

WITH_CURVES = frozenset({NoticeKind.RUN_COMPLETED, NoticeKind.RUN_DECISION, NoticeKind.RUN_FAILED})


def mail(dispatch: Dispatch) -> Try:
    """Send one e-mail, in the language in which its reader chose to get it."""
    person = dispatch.user
    if person is None or not person.email:
        return Try(failure=DispatchFailure.NO_ADDRESS)
    if not person.is_active or dispatch.occurrence.kind not in kinds_for(person):
        return Try(failure=DispatchFailure.SWITCHED_OFF)
    with translation.override(_language_of(person)):
        picture = curves_of(dispatch.occurrence)
        enclosed = [Enclosure(FILE_NAME, "image/png", picture)] if picture else []
        told = tell(dispatch.occurrence)
        letter = Letter(_subject(told), "notifications/email.txt", _context(told), enclosed, f"dispatch-{dispatch.pk}")
        delivery = send_letter(person.email, letter)
    return Try(failure=_FAILURES[delivery])


def curves_of(occurrence: Occurrence) -> bytes | None:
    """Return the picture of the training that goes with an occurrence; None where there is none."""
    if occurrence.run is None or occurrence.kind not in WITH_CURVES:
        return None
    return training_history(occurrence.run)


_FAILURES = {
    Delivery.SENT: None,
    Delivery.FAILED: DispatchFailure.MAIL_SERVER,
    Delivery.NO_SERVER: DispatchFailure.NO_ADDRESS,
}


def _language_of(person: User) -> str:
    chosen = NotificationChoice.objects.filter(user=person).values_list("language", flat=True).first()
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _subject(told: Told) -> str:
    """Return one line, whatever the name of a run holds."""
    portal = _("BERT Training Portal")
    return " ".join(f"{told.title} - {portal}".split())


def _context(told: Told) -> dict[str, object]:
    return {
        "told": told,
        "url": settings.BASE_URL + told.path,
        "choices_url": settings.BASE_URL + reverse("pages:notification-choices"),
    }
