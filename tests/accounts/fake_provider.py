"""An OpenID Connect provider on loopback: discovery, keys, token with a signed ID token, userinfo; over real HTTP.

It signs in whoever it is told to, and misbehaves as it is told.
"""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

CLIENT_ID, CLIENT_SECRET = "portal", "a-secret-of-the-portal"
KEY_ID = "key-1"


class FakeProvider:
    """What it says can be changed by tests: `claims`, `config` and `userinfo` are laid over what is right."""

    def __init__(self) -> None:
        self.key, self.other_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.url = ""
        self.claims: dict[str, Any] = {}
        self.config: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.token: dict[str, Any] = {}
        self.signing_key: Any = self.key
        self.algorithm = "ES256"
        self.asked: dict[str, str] = {}  # what the browser was sent here with
        self.paths: list[str] = []

    def sign_in(self, location: str) -> dict[str, str]:
        """Do what the provider does when somebody has signed in there; returns what the browser goes back with."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        return {"code": "a-code", "state": self.asked["state"]}

    def answer(self, path: str, body: dict[str, str]) -> tuple[int, Any]:
        """Answer the portal."""
        self.paths.append(path)
        if path == "/.well-known/openid-configuration":
            return 200, self.discovery()
        if path == "/keys":
            public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
            return 200, {"keys": [{**public, "kid": KEY_ID, "alg": "ES256", "use": "sig"}]}
        if path == "/token":
            return self.exchange(body)
        return 200, {"sub": "davi-1", **self.userinfo}

    def discovery(self) -> dict[str, Any]:
        """Return what the provider says about itself."""
        ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        ends["userinfo_endpoint"] = "/userinfo"
        return {"issuer": self.url, **{name: self.url + path for name, path in ends.items()}, **self.config}

    def exchange(self, body: dict[str, str]) -> tuple[int, Any]:
        """Give tokens for the code to who knows the secret and the verifier of the challenge."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(body.get("code_verifier", "").encode()).digest())
        known = (body.get("client_id"), body.get("client_secret"), body.get("code"))
        is_right = known == (CLIENT_ID, CLIENT_SECRET, "a-code") and challenge.decode().rstrip("=") == self.asked.get(
            "code_challenge"
        )
        if not is_right:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": "davi-1",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": self.asked["nonce"],
            "email": "davi@example.com",
            "email_verified": True,
            **self.claims,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        id_token = jwt.encode(kept, self.signing_key, algorithm=self.algorithm, headers={"kid": KEY_ID})
        return 200, {"access_token": "an-access-token", "token_type": "Bearer", "id_token": id_token, **self.token}


@contextmanager
def running_provider() -> Iterator[FakeProvider]:
    """Serve a provider on a free port for as long as the block runs."""
    provider = FakeProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith("/authorize?"):
                return self._answer({})
            # A browser comes: whoever it is, they sign in at once and are sent back.
            back = provider.sign_in(self.path)
            self.send_response(302)
            self.send_header("Location", f"{provider.asked['redirect_uri']}?{urlencode(back)}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(text).items()})

        def _answer(self, body: dict[str, str]) -> None:
            status, content = provider.answer(urlsplit(self.path).path, body)
            text = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
