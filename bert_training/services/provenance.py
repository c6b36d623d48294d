"""What somebody needs who wants to repeat or to check a run: digests, seed, program, machine."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from bert_training.models import Run


@dataclass(frozen=True)
class Origin:
    """One thing that a result depends on; text: "" where it is not known.  is_digest: to be compared, not read."""

    label: str
    text: str
    is_digest: bool = False


def provenance_of(run: Run) -> list[Origin]:
    """Return everything that is known, in the order in which it matters."""
    told = run.reproducibility
    revision = told.get("base_model_revision") or run.base_model_revision
    initial = Origin(_("Fingerprint of the model it begins from"), run.initial_fingerprint, is_digest=True)
    return [
        Origin(_("SHA-256 of the spreadsheet"), run.dataset.sha256, is_digest=True),
        Origin(_("SHA-256 of the table"), told.get("table_sha256", ""), is_digest=True),
        Origin(_("Digest of the split"), run.split_digest, is_digest=True),
        Origin(_("Fingerprint of the model"), run.model_fingerprint, is_digest=True),
        Origin(_("Base model"), run.base_model),
        Origin(_("Revision of the base model"), revision, is_digest=True),
        *([initial] if run.initial_fingerprint else []),
        Origin(_("Seed"), str(run.hyperparameters.get("seed", ""))),
        Origin(_("Version of the program"), told.get("code_commit", ""), is_digest=True),
        Origin(_("Fingerprint of the environment"), told.get("environment_fingerprint", ""), is_digest=True),
        Origin(_("Python"), told.get("python", "")),
        Origin(_("Device"), told.get("device", "")),
        Origin(_("Numeric precision"), told.get("precision", "")),
        Origin(_("Threads"), str(told.get("threads") or "")),
    ]
