"""What every route of the portal asks, verb by verb. A route without a row here fails the test of the matrix."""

from collections.abc import Callable
from typing import Any

from tests.access.callers import WORKERS, World
from tests.access.rules import (
    ANY_ROLE,
    EVERYBODY,
    HOLDER,
    MANAGE,
    OPERATOR,
    OWN,
    OWNER_OR_STAFF,
    PEOPLE_ONLY,
    READER,
    SETTLE,
    STAFF_ONLY,
    TRAINER,
    USE,
    VIEW,
    VIEW_OR_HOLDER,
    WORKER,
    Rule,
)

TABLE: dict[str, dict[str, Rule]] = {
    "health-live": {"GET": EVERYBODY},
    "health-ready": {"GET": EVERYBODY},
    # --- API: data
    "api:dataset-validate": {"POST": TRAINER},
    "api:dataset-upload": {"POST": TRAINER},
    "api:datasets": {"GET": PEOPLE_ONLY},
    "api:dataset": {"GET": VIEW, "PATCH": MANAGE, "DELETE": MANAGE},
    "api:dataset-download": {"GET": VIEW_OR_HOLDER},
    "api:dataset-profile": {"GET": VIEW},
    "api:dataset-manifest": {"GET": VIEW, "POST": MANAGE, "DELETE": MANAGE},
    "api:dataset-repair": {"POST": USE},
    "api:dataset-shares": {"GET": VIEW, "PUT": MANAGE},
    "api:dataset-problems": {"GET": VIEW},
    "api:dataset-workbook": {"GET": VIEW},
    # --- API: runs
    "api:runs": {"GET": PEOPLE_ONLY, "POST": TRAINER},
    "api:run": {"GET": VIEW, "PATCH": MANAGE, "DELETE": MANAGE},
    "api:run-metrics": {"GET": VIEW},
    "api:run-logs": {"GET": VIEW},
    "api:run-manifest": {"GET": VIEW},
    "api:run-proof": {"GET": VIEW},
    "api:run-label-errors": {"GET": VIEW},
    "api:run-label-errors-workbook": {"GET": VIEW},
    "api:run-predictions": {"GET": VIEW},
    "api:run-reproduce": {"POST": USE},
    "api:run-reproduction": {"GET": VIEW},
    "api:run-cancel": {"POST": MANAGE},
    "api:run-finish": {"POST": MANAGE},
    "api:run-repeats": {"GET": VIEW, "POST": MANAGE},
    "api:run-repeats-cancel": {"POST": MANAGE},
    "api:run-shares": {"GET": VIEW, "PUT": MANAGE},
    "api:teams": {"GET": PEOPLE_ONLY},
    "api:quotas": {"GET": PEOPLE_ONLY},
    "api:erasures": {"GET": PEOPLE_ONLY},
    # --- API: workers
    "api:job-claim": {"POST": WORKER},
    "api:job-manifest": {"GET": HOLDER},
    "api:job-progress": {"POST": HOLDER},
    "api:job-complete": {"POST": HOLDER},
    "api:job-predictions": {"POST": HOLDER},
    "api:metrics": {"POST": HOLDER},
    "api:log": {"POST": HOLDER},
    "api:log-batch": {"POST": HOLDER},
    "api:worker-register": {"POST": STAFF_ONLY},
    "api:workers": {"GET": OPERATOR},
    "api:worker-heartbeat": {"POST": WORKER},
    "api:queue-status": {"GET": ANY_ROLE},
    "api:base-models": {"GET": ANY_ROLE},
    "api:tasks": {"GET": ANY_ROLE},
    "api:schema": {"GET": PEOPLE_ONLY},
    "api:docs": {"GET": PEOPLE_ONLY},
}

# --- pages; what a form is sent with stands in BODIES
TABLE |= {
    "pages:home": {"GET": PEOPLE_ONLY},
    "pages:language": {"POST": EVERYBODY},
    "pages:datasets": {"GET": READER},
    "pages:dataset-upload": {"GET": TRAINER, "POST": TRAINER},
    "pages:dataset-sample": {"GET": PEOPLE_ONLY},
    "pages:dataset": {"GET": VIEW},
    "pages:dataset-download": {"GET": VIEW},
    "pages:dataset-problems": {"GET": VIEW},
    "pages:dataset-workbook": {"GET": VIEW},
    "pages:dataset-delete": {"GET": MANAGE, "POST": MANAGE},
    "pages:dataset-profile": {"GET": MANAGE, "POST": MANAGE},
    "pages:dataset-chart-svg": {"GET": VIEW},
    "pages:dataset-chart-csv": {"GET": VIEW},
    "pages:dataset-manifest": {"GET": VIEW, "POST": MANAGE},
    "pages:dataset-share": {"POST": MANAGE},
    "pages:dataset-repair": {"GET": USE, "POST": USE},
    "pages:runs": {"GET": READER},
    "pages:run-new": {"GET": TRAINER, "POST": TRAINER},
    "pages:run": {"GET": VIEW},
    "pages:run-cancel": {"GET": MANAGE, "POST": MANAGE},
    "pages:run-finish": {"GET": MANAGE, "POST": MANAGE},
    "pages:run-reproduce": {"GET": USE, "POST": USE},
    "pages:run-repeats": {"GET": MANAGE, "POST": MANAGE},
    "pages:run-repeats-cancel": {"GET": MANAGE, "POST": MANAGE},
    "pages:run-model-card": {"GET": VIEW},
    "pages:run-label-errors": {"GET": VIEW},
    "pages:run-label-errors-workbook": {"GET": VIEW},
    "pages:run-manifest": {"GET": VIEW},
    "pages:run-metrics": {"GET": VIEW},
    "pages:run-share": {"POST": MANAGE},
    "pages:queue": {"GET": ANY_ROLE},
    "pages:queue-move": {"POST": OPERATOR},
    "pages:queue-priority": {"GET": OPERATOR, "POST": OPERATOR},
    "pages:workers": {"GET": ANY_ROLE},
    "pages:worker-switch": {"GET": OPERATOR, "POST": OPERATOR},
    "pages:erasures": {"GET": PEOPLE_ONLY},
    "pages:erasure": {"GET": OWNER_OR_STAFF},
    "pages:erasure-settle": {"POST": SETTLE},
    # --- accounts
    "pages:account": {"GET": PEOPLE_ONLY},
    "account_change_password": {"GET": PEOPLE_ONLY, "POST": PEOPLE_ONLY},
    "account_reauthenticate": {"GET": PEOPLE_ONLY, "POST": PEOPLE_ONLY},
    "mfa_activate_totp": {"GET": PEOPLE_ONLY, "POST": PEOPLE_ONLY},
    "mfa_generate_recovery_codes": {"GET": PEOPLE_ONLY, "POST": PEOPLE_ONLY},
    "mfa_index": {"GET": PEOPLE_ONLY, "POST": PEOPLE_ONLY},
    "mfa_reauthenticate": {"GET": PEOPLE_ONLY, "POST": PEOPLE_ONLY},
    "usersessions_list": {"GET": PEOPLE_ONLY, "POST": PEOPLE_ONLY},
    "pages:tokens": {"GET": PEOPLE_ONLY},
    "pages:token-new": {"GET": PEOPLE_ONLY, "POST": PEOPLE_ONLY},
    "pages:token-rotate": {"GET": OWN, "POST": OWN},
    "pages:token-revoke": {"GET": OWN, "POST": OWN},
}

# What a caller must send to be judged by who they are, where an empty body is refused for everybody.
# Tested by themselves: who signs in, is invited or has lost a password is nobody yet.
ELSEWHERE = {
    "pages:sign-in",
    "pages:sign-out",
    "pages:invitation",
    "account_login",
    "account_logout",
    "mfa_authenticate",
    "oidc-start",
    "oidc-callback",
    "password-reset",
    "password-reset-ask",
    "mfa_deactivate_totp",  # of who has none there is nothing to remove
    "api:unknown",
}

# What an address must be asked with.
QUERIES = {("api:dataset-download", caller): "?form=table" for caller in WORKERS}

ATTEMPT = {"attempt": 1}
LINE = {"ts": "2026-01-01T00:00:00Z", "level": "INFO", "message": "x"}
BODIES: dict[tuple[str, str], Callable[[World], dict[str, Any]]] = {
    ("pages:queue-move", "POST"): lambda world: {"move": "first"},
    ("api:run-repeats", "POST"): lambda world: {"kind": "seed", "count": 2},
    ("api:job-claim", "POST"): lambda world: {"instance": "machine-1:1", "tasks": [world.dataset.task]},
    ("api:job-progress", "POST"): lambda world: {
        **ATTEMPT,
        "phase": "training",
        "epoch": 1,
        "step": 1,
        "total_steps": 2,
    },
    ("api:job-complete", "POST"): lambda world: {**ATTEMPT, "outcome": "released", "log_seq": 0, "metric_seq": 0},
    ("api:job-predictions", "POST"): lambda world: {**ATTEMPT, "first_seq": 1, "rows": []},
    ("api:metrics", "POST"): lambda world: {**ATTEMPT, "job_id": world.job_id, "first_seq": 1, "points": []},
    ("api:log", "POST"): lambda world: {**ATTEMPT, "job_id": world.job_id, "seq": 1, **LINE},
    ("api:log-batch", "POST"): lambda world: {**ATTEMPT, "job_id": world.job_id, "first_seq": 1, "lines": [LINE]},
}
