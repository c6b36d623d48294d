"""Who may import whom: the table of design.md section 3, the first row whose pattern fits a file counts.

What a row does not list is forbidden, which covers the design's column "never". A package may import itself.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Row:
    """files: pattern below the root. ours: modules of the project (each with what is below it). theirs: packages."""

    files: str
    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()

    def fits(self, name: str) -> bool:
        """Tell whether this row is about that file."""
        return fnmatchcase(name, self.files)


B = "bert_training."
TABLES = ("pandas", "numpy", "pyarrow")
NETWORKS = ("torch", "transformers", "numpy", "pandas")
LEARNING = (*NETWORKS, "accelerate", "peft", "safetensors", "sklearn", "seqeval", "sacrebleu", "huggingface_hub")
SPECS = (f"{B}tasks", f"{B}contract")
# What pages, API, admin and sockets share: they read rows, ask access, and change things through services only.
DOORS = (f"{B}services", f"{B}access", f"{B}models", f"{B}data.proof.shape", *SPECS)
FORMS = ("run_form", "preset_choices", "upload_form", "token_form", "hours_form")  # that pages and admin share

ROWS = (
    Row(f"{B[:-1]}/__init__.py"),
    Row("bert_training/apps.py", theirs=("django",)),
    Row("bert_training/contract/*", ours=(f"{B}contract",), theirs=("pydantic",)),
    Row(
        "bert_training/tasks/*/baseline.py",
        ours=(f"{B}ml", f"{B}data", f"{B}tasks", f"{B}contract"),
        theirs=(*TABLES, "scipy", "sklearn"),
    ),
    Row("bert_training/tasks/*/word_[a-z]*.py", theirs=("numpy", "scipy")),  # what baselines count words with
    Row(
        "bert_training/data/*",
        ours=(f"{B}data", f"{B}contract"),
        theirs=(*TABLES, "python_calamine", "openpyxl", "defusedxml"),
    ),
    Row("bert_training/tasks/*/network.py", ours=(f"{B}ml", f"{B}data", f"{B}tasks", f"{B}contract"), theirs=LEARNING),
    Row("bert_training/tasks/*", ours=(f"{B}tasks", f"{B}data", f"{B}contract"), theirs=("pydantic", *TABLES)),
    Row(
        "bert_training/ml/*",
        ours=(f"{B}ml", f"{B}data", f"{B}contract.enums"),
        theirs=(*LEARNING, "tokenizers", "psutil"),
    ),
    Row(
        "bert_training/worker/*",
        ours=(f"{B}worker", f"{B}ml", f"{B}data", *SPECS),
        theirs=("httpx2", "filelock", "psutil", "pynvml", "truststore", "certifi", "pydantic", "pandas"),
    ),
    Row("bert_training/models/*", ours=(f"{B}models", *SPECS), theirs=("django",)),
    Row("bert_training/access.py", ours=(f"{B}models", f"{B}contract"), theirs=("django",)),
    Row("bert_training/services/sealing.py", theirs=("django", "cryptography")),
    Row(
        "bert_training/services/picturing/*",
        ours=(f"{B}services", f"{B}models", f"{B}contract", f"{B}tasks", f"{B}charts.curves"),
        theirs=("django", "matplotlib"),
    ),
    Row("bert_training/services/sessions.py", theirs=("django", "allauth")),
    Row(
        "bert_training/services/second_factors.py",
        ours=(f"{B}services", f"{B}contract"),
        theirs=("django", "allauth"),
    ),
    Row("bert_training/services/reporting/pdf*.py", ours=(f"{B}services.reporting", f"{B}charts"), theirs=("fpdf",)),
    Row(
        "bert_training/services/*",
        ours=(f"{B}services", f"{B}models", f"{B}access", f"{B}data", f"{B}charts", f"{B}live.publish", *SPECS),
        theirs=("django", "django_q", "pydantic", "botocore"),  # botocore: what a full S3 store raises
    ),
    Row("bert_training/live/publish.py", ours=(f"{B}contract",), theirs=("django", "channels", "asgiref", "redis")),
    Row(
        "bert_training/live/*", ours=(f"{B}live", *DOORS), theirs=("django", "channels", "asgiref", "redis", "pydantic")
    ),
    Row(
        "bert_training/api/*",
        # portal.logs: the request's id
        ours=(f"{B}api", f"{B}client_address", f"{B}live.sse", f"{B}live.viewers", "portal.logs", *DOORS),
        theirs=("django", "rest_framework", "django_filters", "drf_spectacular", "channels", "asgiref", "pydantic"),
    ),
    Row(
        "bert_training/request_origin.py",
        ours=(f"{B}services", f"{B}access", f"{B}client_address", f"{B}models", f"{B}contract", "portal.logs"),
        theirs=("django",),
    ),
    Row(
        "bert_training/accounts/*",
        ours=(f"{B}accounts", f"{B}client_address", *DOORS),
        theirs=("django", "allauth", "jwt", "requests"),
    ),
    Row("bert_training/client_address.py", theirs=("django",)),
    Row(
        "bert_training/charts/*",
        ours=(f"{B}charts", f"{B}services.proving.figure_words", f"{B}services.csv_form"),
        theirs=("django",),
    ),
    Row("bert_training/streamed.py", theirs=("django", "channels")),
    Row("bert_training/column_fields.py", theirs=("django",)),
    Row(
        "bert_training/upload_form.py",
        ours=(f"{B}column_fields", f"{B}services.sources", f"{B}services.fix_words", f"{B}data", *SPECS),
        theirs=("django",),
    ),
    Row(
        "bert_training/run_form.py", ours=(f"{B}services.setting_words", *SPECS), theirs=("django", "pydantic")
    ),  # the form that pages and admin share
    Row("bert_training/token_form.py", ours=(f"{B}contract.enums",), theirs=("django",)),
    Row("bert_training/hours_form.py", ours=(f"{B}services.worker_hours",), theirs=("django",)),
    Row(
        "bert_training/preset_choices.py",
        ours=(f"{B}run_form", f"{B}services.setting_words", *SPECS),
        theirs=("django",),
    ),
    Row(
        "bert_training/pages/*",
        ours=(
            f"{B}pages",
            f"{B}accounts",
            f"{B}charts",
            f"{B}streamed",
            *(f"{B}{form}" for form in FORMS),
            f"{B}data.proof.shape",
            *DOORS,
        ),
        theirs=("django", "pydantic"),
    ),
    Row(
        "bert_training/admin/*",
        ours=(f"{B}admin", f"{B}accounts", f"{B}charts", f"{B}streamed", *(f"{B}{form}" for form in FORMS), *DOORS),
        theirs=("django", "django_q", "pydantic", "channels"),
    ),
    Row(
        "bert_training/background.py",
        ours=(f"{B}services", f"{B}models", f"{B}contract"),
        theirs=("django", "django_q"),
    ),
    Row("bert_training/management/commands/run_worker.py", ours=(f"{B}worker",), theirs=("django",)),
    Row("bert_training/management/commands/train_local.py", ours=(f"{B}worker",), theirs=("django",)),
    Row("bert_training/management/commands/demo.py", ours=(f"{B}demo",), theirs=("django",)),
    Row(
        "bert_training/management/commands/record_example.py",
        ours=(f"{B}demo", f"{B}services", f"{B}models"),
        theirs=("django",),
    ),
    Row("bert_training/management/*", ours=(f"{B}services", f"{B}models", f"{B}contract.enums"), theirs=("django",)),
    Row("bert_training/demo/*", ours=(f"{B}demo", *SPECS), theirs=("httpx2",)),
    # The portal wires and knows no word of training: addresses, sockets, the tick, and the contract's codes and limits.
    Row(
        "portal/urls.py",
        ours=("portal", f"{B}contract", f"{B}api.urls", f"{B}accounts.urls", f"{B}pages.urls"),
        theirs=("django",),
    ),
    Row("portal/[aw]sgi.py", ours=("portal", f"{B}live.routing", f"{B}services.leases"), theirs=("django", "channels")),
    Row("portal/server.py", ours=("portal", f"{B}contract"), theirs=("django", "daphne", "twisted", "autobahn")),
    Row("portal/connections.py", ours=("portal", f"{B}contract"), theirs=("django", "daphne", "twisted")),
    Row("portal/flow.py", ours=("portal",), theirs=("django", "daphne")),
    Row("portal/sockets.py", ours=("portal",), theirs=("daphne",)),
    Row("portal/handler.py", ours=("portal",), theirs=("django", "asgiref")),
    Row(
        "portal/middleware.py",
        ours=("portal", f"{B}contract", f"{B}services.transactions", f"{B}accounts.middleware"),
        theirs=("django", "redis"),  # what an absent Redis raises
    ),
    Row("portal/*", ours=("portal", f"{B}contract"), theirs=("django", "environ", "redis", "whitenoise")),
)

# Elsewhere imports stand at the top of their file. Here they wait, so that a start stays fast or Django stays out.
IMPORTS_INSIDE_FUNCTIONS = {
    "bert_training/tasks/__init__.py": "load_network: torch, on the worker only",
    "bert_training/management/commands/run_worker.py": "the worker, once its options are checked",
    "bert_training/worker/local/__main__.py": "torch, once the options are judged",
    "bert_training/pages/run_report.py": "fpdf2: 0.4 s that only a PDF needs",
    "bert_training/tasks/intake.py": "pyarrow: after the reader has let go of its memory",
    "bert_training/data/reading/spreadsheet.py": "pyarrow: for .parquet only",
    "bert_training/data/sandbox_child.py": "traceback: 5 ms that only a mistake of ours needs",
    "bert_training/services/picturing/training_history.py": "matplotlib: 0.5 s that only a picture needs",
    "portal/server.py": "daphne: Twisted installs its reactor when it is imported",
}

# The only places that catch everything and go on: each logs the traceback, or answers that something is not usable.
CATCH_ALL = {
    "bert_training/ml/proof/baselines.py": "a simple method that fails must not cost a network that was trained",
    "bert_training/worker/job_runner.py": "a job that fails must not end the worker",
    "bert_training/worker/background.py": "the loop of heartbeat and sender: one failure must not end it",
    "bert_training/background.py": "a background function notes its own failure, django-q2 would repeat it for ever",
    "bert_training/services/leases.py": "the tick: if it died, no lease would ever expire again",
    "bert_training/live/consumers.py": "a page whose frames end in silence would trust its open socket",
    "portal/health.py": "whatever a part raises, it is not usable",
}

NAMES_THAT_SAY_NOTHING = frozenset({"tasks.py", "utils.py", "util.py", "helpers.py", "common.py", "misc.py"})


def row_for(name: str) -> Row | None:
    """Return the row about a file."""
    return next((row for row in ROWS if row.fits(name)), None)
