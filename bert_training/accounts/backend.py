"""The one way from name and password to a person: the pages', the admin's and allauth's own forms all end here."""

from allauth.account.auth_backends import AuthenticationBackend


class PortalBackend(AuthenticationBackend):  # type: ignore[misc]
    """Knows people by user name or e-mail address."""
