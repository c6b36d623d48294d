"""Everything that can be set, from the environment (`.env.example` lists it); a fresh checkout needs little of it."""

import re
import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy

from bert_training.contract import limits
from portal.environment import env_flag, env_list, env_number, env_text, storage_settings

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env_text("DATA_DIR", str(BASE_DIR / "var"))).resolve()

DEBUG = env_flag("DEBUG", default=False)

# These run on a GPU PC or start the portal themselves: no session, no database, so they need no key.
KEYLESS_COMMANDS = frozenset({"run_worker", "demo"})
WITHOUT_PORTAL = len(sys.argv) > 1 and sys.argv[1] in KEYLESS_COMMANDS


def _secret_key() -> str:
    """Return SECRET_KEY; with DEBUG one is made once and kept in DATA_DIR."""
    given = env_text("SECRET_KEY")
    if given:
        return given
    if WITHOUT_PORTAL:
        return secrets.token_urlsafe(50)
    if not DEBUG:
        raise ImproperlyConfigured("SECRET_KEY is not set. Set SECRET_KEY or SECRET_KEY_FILE, or DEBUG=1 for a trial.")
    kept = DATA_DIR / "secret_key"
    if not kept.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        kept.write_text(secrets.token_urlsafe(50), encoding="utf-8")
        kept.chmod(0o600)
    return kept.read_text(encoding="utf-8")


SECRET_KEY = _secret_key()

# The public address, used in links and to decide on secure cookies and HSTS.
BASE_URL = env_text("BASE_URL", "http://localhost:8000").rstrip("/")
if not BASE_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured(f"BASE_URL={BASE_URL!r} must begin with http:// or https://.")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")

INSTALLED_APPS = [
    "daphne",
    "portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "allauth",  # its translations
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "bert_training.apps.BertTrainingConfig",
]

MIDDLEWARE = [
    "portal.middleware.request_id",
    "portal.middleware.security_headers",
    "portal.middleware.api_errors",
    "portal.middleware.body_limit",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "bert_training.request_origin.note_origin",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "bert_training.accounts.middleware.LockoutAnswer",
    "portal.middleware.keep_session",
    "portal.middleware.require_second_factor",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = False  # the API has none, and a redirected POST loses its body

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bert_training.pages.rights.rights",
                "bert_training.pages.notifications.bell",
            ]
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.insert(0, "django.forms")

# --- database -----------------------------------------------------------------------------------------------------
STATEMENT_TIMEOUT_SECONDS = 15
LOCK_TIMEOUT_SECONDS = env_number("LOCK_TIMEOUT_SECONDS", 5, minimum=0.1)
CONNECT_TIMEOUT_SECONDS = 5
CONNECTION_SECONDS = 60  # how long a connection is used


def _database() -> dict[str, Any]:
    """Return the database of DATABASE_URL; SQLite in DATA_DIR by default, with the options that make it dependable."""
    url = env_text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'portal.sqlite3'}")
    try:
        database: dict[str, Any] = environ.Env.db_url_config(url)
    except (environ.ImproperlyConfigured, ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"DATABASE_URL is not understood: {type(error).__name__}.") from error
    engine = database.get("ENGINE", "")
    # A connection serves the requests of its thread for a minute; the check finds one that the server has ended.
    database.update(CONN_MAX_AGE=CONNECTION_SECONDS, CONN_HEALTH_CHECKS=True)
    options = database.setdefault("OPTIONS", {})
    if engine.endswith("sqlite3"):
        Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        # IMMEDIATE takes the write lock at BEGIN, so a read-then-write transaction cannot fail half way.
        # FULL: a commit waits for the disk, since the portal's 2xx promises that a power cut takes nothing back.
        options.update(
            transaction_mode="IMMEDIATE",
            timeout=20,
            init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        )
    elif "postgresql" in engine:
        # A database that does not answer at all must not hold a request for longer than one that is locked.
        options.setdefault("connect_timeout", CONNECT_TIMEOUT_SECONDS)
        # A commit waits for the disk whatever the server's default is: the portal's 2xx promises it.
        options["options"] = (
            f"-c statement_timeout={STATEMENT_TIMEOUT_SECONDS}s -c lock_timeout={1000 * LOCK_TIMEOUT_SECONDS:.0f}ms"
            " -c synchronous_commit=on"
        )
    else:
        raise ImproperlyConfigured("DATABASE_URL must name postgres://... or sqlite:///...")
    return database


DATABASES = {} if WITHOUT_PORTAL else {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: live view and cache; without it the live view serves one web process, and the cache is in the database ----
REDIS_URL = env_text("REDIS_URL")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise ImproperlyConfigured("REDIS_URL must begin with redis://, rediss:// or unix://.")
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    # Shared by all processes, so that a limit on sign-ins is one limit. Above MAX_ENTRIES what has expired goes first.
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "bert_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

# --- files -----------------------------------------------------------------------------------------------------------
STORAGE_URL = env_text("STORAGE_URL", (DATA_DIR / "files").as_uri())
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
if not WITHOUT_PORTAL:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns at each start when it is missing
STATICFILES_DIRS = [BASE_DIR / "static"]
# After `collectstatic` files have hashed names and live long in browsers; before it they come from the source folders.
IS_COLLECTED = (STATIC_ROOT / "staticfiles.json").exists() and not DEBUG
WHITENOISE_USE_FINDERS = not IS_COLLECTED
STORAGES = {
    "default": storage_settings(STORAGE_URL),
    "staticfiles": {
        "BACKEND": "portal.static_storage.HashedFiles"
        if IS_COLLECTED or "collectstatic" in sys.argv
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# The only addresses that take more than 1 MiB.
UPLOAD_PATHS = re.compile(
    r"/bert-training/api/datasets/(validate|upload|[0-9]+/manifest)|/datasets/(new|[0-9]+/manifest)"
    r"|/admin/bert_training/dataset/add/"
)
# How long a request may take to arrive, one second more for every 4 KiB of its body (portal.connections).
REQUEST_SECONDS = env_number("REQUEST_SECONDS", 30, minimum=0.1)
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes; a larger upload goes to a temporary file

# --- background work (django-q2 on the same database: a task and its rows commit together) ----------------------------
Q_CLUSTER = {
    "name": "portal",
    "orm": "default",
    "workers": 2,
    "timeout": 300,  # seconds
    "retry": 360,  # seconds; must exceed timeout, otherwise a long task runs twice
    "max_attempts": 3,
    "ack_failures": True,
    "poll": 0.5,
    "catch_up": False,
    "label": gettext_lazy("Background work"),
}
# Larger uploads are checked in the background, so that a request never waits long.
BACKGROUND_CHECK_BYTES = 10 * 1024 * 1024
# What one person may keep and use, staff too: a script in a loop must not fill store and queue for everybody. Staff
# make exceptions, and limits of teams, in the admin (models.Quota). 0 = no limit, for the last two.
DATASETS_PER_USER = int(env_number("DATASETS_PER_USER", 500, minimum=1))
DATASET_BYTES_PER_USER = int(env_number("DATASET_BYTES_PER_USER", 5 * 1024**3, minimum=1))
QUEUED_RUNS_PER_USER = int(env_number("QUEUED_RUNS_PER_USER", 500, minimum=0))
GPU_MINUTES_PER_USER = int(env_number("GPU_MINUTES_PER_USER", 0, minimum=0))  # in a calendar month of TIME_ZONE
# How often one person may ask for what costs; a script that needs more gets it here, not in the code.
UPLOADS_PER_HOUR = int(env_number("UPLOADS_PER_HOUR", 60, minimum=1))
CHECKS_PER_HOUR = int(env_number("CHECKS_PER_HOUR", 600, minimum=1))  # of spreadsheets, without keeping them
RUNS_PER_HOUR = int(env_number("RUNS_PER_HOUR", 60, minimum=1))
# Of wrong tokens, an address.
TOKEN_FAILURES_PER_MINUTE = int(env_number("TOKEN_FAILURES_PER_MINUTE", 30, minimum=1))

# --- worker protocol (seconds); tests shorten them --------------------------------------------------------------------
LEASE_SECONDS = env_number("LEASE_SECONDS", limits.LEASE_SECONDS, minimum=0.1)
HEARTBEAT_SECONDS = env_number("HEARTBEAT_SECONDS", limits.HEARTBEAT_SECONDS, minimum=0.05)
TICK_SECONDS = env_number("TICK_SECONDS", limits.TICK_SECONDS, minimum=0.05)
AFFINITY_SECONDS = env_number("AFFINITY_SECONDS", limits.AFFINITY_SECONDS, minimum=0)

# --- people -----------------------------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "pages:sign-in"
LOGIN_REDIRECT_URL = "pages:home"
LOGOUT_REDIRECT_URL = "pages:sign-in"
ACCOUNT_ADAPTER = "bert_training.accounts.adapter.AccountAdapter"
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60  # seconds; a link that staff hand over may be used tomorrow
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_EMAIL_VERIFICATION = "none"  # staff who invite know whom they write to
# allauth's own limits know no Retry-After; the portal's count every wrong password and code (accounts.lockout).
ACCOUNT_RATE_LIMITS = dict.fromkeys(("login", "login_failed", "change_password", "reauthenticate"))
MFA_ADAPTER = "bert_training.accounts.second_factor.SecondFactorAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # staff who invite know whom they write to
MFA_TOTP_ISSUER = "BERT Training Portal"
MFA_TOTP_TOLERANCE = 1  # periods of 30 s: a code that is typed slowly, a phone whose clock is late
# Staff may do everything, so a password alone should not: on in production, off for a trial.
REQUIRE_STAFF_2FA = env_flag("REQUIRE_STAFF_2FA", default=False)
SOCIALACCOUNT_ADAPTER = "bert_training.accounts.identities.IdentityAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
# The organisation's own sign-in (OpenID Connect); the portal calls this host and no other.
OIDC_SERVER_URL = env_text("OIDC_SERVER_URL").rstrip("/")
OIDC_NAME = env_text("OIDC_NAME") or "OpenID Connect"
OIDC_OTHER_HOSTS = env_list("OIDC_OTHER_HOSTS", "")
OIDC_CLIENT_ID = env_text("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env_text("OIDC_CLIENT_SECRET")
if OIDC_SERVER_URL and not (OIDC_CLIENT_ID and OIDC_CLIENT_SECRET):
    raise ImproperlyConfigured("OIDC_SERVER_URL needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.")
if OIDC_SERVER_URL and not OIDC_SERVER_URL.startswith(("https://", "http://127.0.0.1:")):
    raise ImproperlyConfigured(f"OIDC_SERVER_URL={OIDC_SERVER_URL!r} must begin with https://.")
# Without a mail server no mail is sent, and staff hand links over: printed ones would stand in logs.
HAS_EMAIL = bool(env_text("EMAIL_URL"))
EMAIL_CONFIG = environ.Env.email_url_config(env_text("EMAIL_URL") or "dummymail://")
vars().update(EMAIL_CONFIG)
# Which hosts webhooks may call, each a name or name:port. Those of WEBHOOK_HOSTS over https and at public addresses
# alone; those within the house also over http and at private addresses.
WEBHOOK_HOSTS = [host.lower() for host in env_list("WEBHOOK_HOSTS", "")]
WEBHOOK_INTERNAL_HOSTS = [host.lower() for host in env_list("WEBHOOK_INTERNAL_HOSTS", "")]
EMAIL_TIMEOUT = 10  # seconds; a request waits for the mail server
DEFAULT_FROM_EMAIL = env_text("EMAIL_FROM") or f"portal@{urlsplit(BASE_URL).hostname}"

LANGUAGES = [("pt-br", gettext_lazy("Portuguese (Brazil)")), ("en", gettext_lazy("English"))]
LANGUAGE_CODE = env_text("LANGUAGE_CODE", "pt-br")
if LANGUAGE_CODE not in dict(LANGUAGES):
    raise ImproperlyConfigured(f"LANGUAGE_CODE={LANGUAGE_CODE!r} must be one of {', '.join(dict(LANGUAGES))}.")
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env_text("TIME_ZONE", "America/Sao_Paulo")
USE_TZ = True

# --- security ---------------------------------------------------------------------------------------------------------
IS_HTTPS = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True  # pages read the token from the form or a data attribute
SESSION_ENGINE = "portal.sessions"
SESSION_COOKIE_AGE = 12 * 60 * 60  # without use
SESSION_SECONDS = 30 * 24 * 60 * 60  # from the sign-in, however much it is used
SESSION_SAVE_EVERY_REQUEST = False
CSRF_TRUSTED_ORIGINS = [BASE_URL]
CSRF_FAILURE_VIEW = "portal.errors.csrf_failure"
SECURE_SSL_REDIRECT = False  # the proxy in front does it; the README shows how
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# One proxy stands in front, the only one that reaches this port, and it sets both of its headers itself:
# X-Forwarded-Proto, and the last entry of X-Forwarded-For (bert_training.client_address).
BEHIND_PROXY = env_flag("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # the redirect to https is the proxy's work

# --- API --------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    # The token comes first: its WWW-Authenticate header makes a missing sign-in a 401, not a 403.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "bert_training.api.authentication.TokenAuthentication",
        "bert_training.api.authentication.PortalSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["bert_training.api.permissions.IsPerson"],
    "DEFAULT_RENDERER_CLASSES": ["bert_training.api.parsing.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["bert_training.api.parsing.StrictJsonParser"],
    "DEFAULT_PAGINATION_CLASS": "bert_training.api.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": [
        "bert_training.api.filters.Filters",
        "bert_training.api.filters.Search",
        "bert_training.api.pagination.Ordering",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "bert_training.api.errors.handle_exception",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "BERT Training Portal",
    "DESCRIPTION": "Spreadsheets become text models; GPU PCs pull the jobs and keep the weights.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "JobStatusEnum": "bert_training.models.choices.status_choices",
        "DatasetStatusEnum": "bert_training.models.choices.dataset_status_choices",
        "ProofStatusEnum": "bert_training.models.choices.proof_status_choices",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "portal.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "daphne": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "botocore": {"level": "WARNING"},
        "boto3": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},  # run_worker: a line a request otherwise
    },
}
