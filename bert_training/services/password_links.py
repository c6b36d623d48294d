"""Links with which a person chooses a new password: staff hand them over, or the portal mails them.

A link signs the password's hash and the last sign-in, so nothing is stored: it ends when the password changes, when the
person signs in, and PASSWORD_RESET_TIMEOUT after it was made.
"""

from collections.abc import Sequence

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from bert_training.contract.enums import AuditKind
from bert_training.services.audit import record
from bert_training.services.emails import Delivery, Letter, send_letter
from bert_training.services.origin import Origin, calling_from, current_origin

MAIL_FUNCTION = "bert_training.background.mail_password_links"


def make_password_link(person: User) -> str:
    """Return a link for somebody; who has it can take the account."""
    number = urlsafe_base64_encode(force_bytes(person.pk))
    path = reverse("password-reset", kwargs={"uidb64": number, "token": default_token_generator.make_token(person)})
    record(AuditKind.RESET_LINK_MADE, target=person)
    return settings.BASE_URL + path


def mail_password_link(person: User, url: str) -> Delivery:
    """Send somebody their link."""
    subject = _("A new password for the BERT Training Portal")
    context = {"person": person, "url": url, "hours": settings.PASSWORD_RESET_TIMEOUT // 3600}
    return send_letter(person.email, Letter(subject, "account/password_reset_email.txt", context))


def mail_links_later(email: str) -> None:
    """Have links mailed to who has this address: in the background, so that an unknown one is answered as fast."""
    found = User.objects.filter(email__iexact=email, is_active=True)
    numbers, origin = [person.pk for person in found if person.has_usable_password()], current_origin()
    async_task(MAIL_FUNCTION, numbers, origin.request_id, origin.address)


def mail_password_links(numbers: Sequence[int], request_id: str, address: str) -> None:
    """Make and mail the links of these people; the audit names the request that asked, and from where it came."""
    with calling_from(Origin(request_id, address)):
        for person in User.objects.filter(pk__in=numbers, is_active=True):
            mail_password_link(person, make_password_link(person))
