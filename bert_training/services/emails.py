"""Sends e-mails to people, where the portal has a mail server; a mail that fails never fails the caller."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from smtplib import SMTPException
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)


class Delivery(StrEnum):
    """What became of a mail."""

    SENT = "sent"
    FAILED = "failed"
    NO_SERVER = "no_server"  # EMAIL_URL is not set: the link is handed over by a person


@dataclass(frozen=True)
class Enclosure:
    """A file that goes with a mail."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """A mail of plain text. number: names it, so that a mail server or reader knows the same one again."""

    subject: str
    template: str
    context: dict[str, object]
    enclosed: Sequence[Enclosure] = ()
    number: str = ""


def send_letter(address: str, letter: Letter) -> Delivery:
    """Send one mail, waiting EMAIL_TIMEOUT seconds at most for the mail server."""
    if not settings.HAS_EMAIL:
        return Delivery.NO_SERVER
    message = EmailMessage(letter.subject, render_to_string(letter.template, letter.context), None, [address])
    if letter.number:
        message.extra_headers["Message-ID"] = f"<{letter.number}@{urlsplit(settings.BASE_URL).hostname}>"
    for enclosure in letter.enclosed:
        message.attach(enclosure.name, enclosure.content, enclosure.content_type)
    try:
        message.send()
    except (SMTPException, OSError) as error:
        # Not the error's text, which quotes the address.
        logger.warning("mail not sent", extra={"error": type(error).__name__})
        return Delivery.FAILED
    return Delivery.SENT
