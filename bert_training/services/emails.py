"""Sends links to people by e-mail, where the portal has a mail server; a mail that fails never fails the caller."""

import logging
from enum import StrEnum
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)


class Delivery(StrEnum):
    """What became of a mail."""

    SENT = "sent"
    FAILED = "failed"
    NO_SERVER = "no_server"  # EMAIL_URL is not set: the link is handed over by a person


def send_link(address: str, *, subject: str, template: str, context: dict[str, object]) -> Delivery:
    """Send one mail of plain text, waiting EMAIL_TIMEOUT seconds at most for the mail server."""
    if not settings.HAS_EMAIL:
        return Delivery.NO_SERVER
    try:
        send_mail(subject, render_to_string(template, context), None, [address])
    except (SMTPException, OSError) as error:
        # Not the error's text, which quotes the address.
        logger.warning("mail not sent", extra={"error": type(error).__name__})
        return Delivery.FAILED
    return Delivery.SENT
