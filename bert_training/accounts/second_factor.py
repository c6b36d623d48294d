"""What the portal decides otherwise than allauth about the second factor: its secrets are encrypted in the database."""

import base64
import logging
import secrets

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator

from bert_training.services.sealing import SealBroken, seal, unseal
from bert_training.services.second_factors import is_required_of

logger = logging.getLogger(__name__)

PURPOSE = "bert_training.second_factor"


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """The hooks of allauth's second factor that the portal fills."""

    def encrypt(self, text: str) -> str:
        """Keep a secret so that a copy of the database without SECRET_KEY makes no codes."""
        return seal(text, PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret; when SECRET_KEY was exchanged, one that no code fits: staff reset the factor then."""
        try:
            return unseal(encrypted_text, PURPOSE)
        except SealBroken:
            logger.warning("second factor cannot be read: was SECRET_KEY exchanged without SECRET_KEY_FALLBACKS?")
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Keep it where it is required."""
        return not is_required_of(authenticator.user)
