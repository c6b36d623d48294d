"""What the portal asks an OpenID Connect provider: allauth speaks the protocol, here every answer is judged strictly.

Only the configured hosts are called. The ID token is verified by its signature, issuer, audience, time and nonce, also
where the standard would let TLS stand for the signature.
"""

import hashlib
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse

PROVIDER_ID = "oidc"
ANSWER_SECONDS = 5
CLOCK_SECONDS = 60  # that the provider's clock may differ
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
CLAIMS = ("iss", "sub", "aud", "exp", "iat", "nonce")


class ForeignHost(requests.RequestException):
    """The provider names an address on a host that was not configured."""


class OneHost(requests.Session):
    """Calls the configured hosts alone, and follows no redirect from them."""

    def request(self, method: str, url: str | bytes, **more: Any) -> requests.Response:  # type: ignore[override]
        """Send one request; raises ForeignHost before anything is sent elsewhere."""
        require_own_host(str(url))
        return super().request(method, url, **{**more, "timeout": ANSWER_SECONDS, "allow_redirects": False})


class OidcAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """The exchange with the provider for one sign-in."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, PROVIDER_ID)

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return what the provider says about itself: it must be the configured one, all on its own hosts."""
        config: dict[str, Any] = super().openid_config
        if str(config.get("issuer", "")).rstrip("/") != settings.OIDC_SERVER_URL:
            raise OAuth2Error("another issuer")
        for name in ENDPOINTS:
            require_own_host(str(config.get(name, "")))
        return config

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Return where the provider sends the person back to: by BASE_URL, whatever host this request named."""
        return settings.BASE_URL + reverse("oidc-callback")

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """Keep nothing of the provider's token beyond this sign-in."""
        return SocialToken(token=data["access_token"])

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **more: Any) -> SocialLogin:
        """Return whom the provider has signed in. Raises OAuth2Error for an answer that proves nothing."""
        claims = self._verified(str(more["response"].get("id_token", "")))
        if "email" not in claims:
            told = self._fetch_user_info(token.token)
            if not isinstance(told, dict) or told.get("sub") != claims["sub"]:
                raise OAuth2Error("userinfo of somebody else")
            claims = {**told, **claims}
        # True alone: some providers send the word "false".
        email = EmailAddress(email=str(claims.get("email", "")), verified=claims.get("email_verified") is True)
        account = SocialAccount(provider=PROVIDER_ID, uid=_uid(claims))
        login = SocialLogin(user=User(), account=account, email_addresses=[email], provider=self.get_provider())
        login.preferred_username = str(claims.get("preferred_username", ""))
        return login

    def _verified(self, id_token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                id_token,
                self._key(id_token),
                algorithms=ALGORITHMS,
                audience=settings.OIDC_CLIENT_ID,
                issuer=self.openid_config["issuer"],
                leeway=CLOCK_SECONDS,
                options={"require": [*CLAIMS]},
            )
        except jwt.PyJWTError as error:
            raise OAuth2Error(f"ID token: {type(error).__name__}") from error
        # Where the token is for several parties, `azp` says for which of them it was made.
        made_for = claims["aud"] if isinstance(claims["aud"], str) else claims.get("azp", settings.OIDC_CLIENT_ID)
        if made_for != settings.OIDC_CLIENT_ID or claims["nonce"] != nonce_of(self.request.GET["state"]):
            raise OAuth2Error("ID token of another sign-in")
        return claims

    def _key(self, id_token: str) -> jwt.PyJWK:
        with OneHost() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        wanted = jwt.get_unverified_header(id_token).get("kid")
        found = [key for key in keys if wanted is None or key.key_id == wanted]
        if len(found) != 1:
            raise OAuth2Error("ID token: no such key")
        return found[0]


class OidcProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """The configured provider; PKCE always."""

    oauth2_adapter_class = OidcAdapter
    pkce_enabled_default = True

    def get_oauth2_adapter(self, request: HttpRequest) -> OidcAdapter:
        """Return the exchange that judges strictly."""
        return OidcAdapter(request)


def configured_provider(request: HttpRequest) -> OidcProvider:
    """Return the provider of the settings; no row of the database names another."""
    app = SocialApp(
        provider="openid_connect",
        provider_id=PROVIDER_ID,
        name=settings.OIDC_NAME,
        client_id=settings.OIDC_CLIENT_ID,
        secret=settings.OIDC_CLIENT_SECRET,
        settings={"server_url": settings.OIDC_SERVER_URL},
    )
    return OidcProvider(request, app=app)


def nonce_of(state: str) -> str:
    """Return the nonce of a sign-in: the state is random and kept in the browser's session (OpenID Connect 15.5.2)."""
    return hashlib.sha256(state.encode()).hexdigest()


def require_own_host(url: str) -> None:
    """Raise ForeignHost unless an address is on a configured host, by its scheme and port too."""
    ours, asked = urlsplit(settings.OIDC_SERVER_URL), urlsplit(url)
    if asked.scheme != ours.scheme or asked.netloc not in (ours.netloc, *settings.OIDC_OTHER_HOSTS):
        raise ForeignHost("an address on a host that is not configured")


def _uid(claims: dict[str, Any]) -> str:
    # With the issuer: under another OIDC_SERVER_URL the same `sub` is somebody else.
    return hashlib.sha256(f"{claims['iss']}\n{claims['sub']}".encode()).hexdigest()
