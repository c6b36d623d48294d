"""What the keys of facts are called: those of the audit, of a check's summary, of a computer's hardware."""

from django.utils.translation import gettext_lazy as _

from bert_training.models.choices import Label

FACT_WORDS: dict[str, Label] = {
    # --- audit
    "bytes": _("size (bytes)"),
    "by_hand": _("by hand"),
    "calls": _("calls"),
    "dataset": _("dataset"),
    "days": _("days"),
    "did": _("done"),
    "fields": _("fields"),
    "filters": _("filters"),
    "first_run": _("first run"),
    "form": _("form"),
    "holder": _("person"),
    "holder_worker": _("computer"),
    "left_out": _("left out"),
    "level": _("level"),
    "limit": _("limit"),
    "move": _("move"),
    "of": _("of"),
    "outcome": _("outcome"),
    "overlap_hours": _("hours of overlap"),
    "priority": _("priority"),
    "priority_after": _("priority after"),
    "priority_before": _("priority before"),
    "reason": _("reason"),
    "repeat_of": _("repeats"),
    "repeats": _("repeats"),
    "replaced_by": _("replaced by"),
    "scope": _("scope"),
    "sessions": _("sessions"),
    "simulate": _("simulation"),
    "staff": _("staff"),
    "status": _("status"),
    "step": _("step"),
    "task": _("task"),
    "team": _("team"),
    "token": _("token"),
    "user": _("user"),
    "verb": _("action"),
    "route": _("address"),
    "what": _("what"),
    # --- summary of a check
    "labels": _("labels"),
    "lengths": _("lengths"),
    "max": _("longest"),
    "mean": _("mean"),
    "median": _("median"),
    "min": _("shortest"),
    "p95": _("95 of 100 are no longer than"),
    "rows": _("rows"),
    "unit": _("unit"),
    "words": _("words"),
    "characters": _("characters"),
    # --- hardware
    "cpu": _("processor"),
    "cores": _("cores"),
    "disk_free": _("free on the disk"),
    "gpu": _("GPU"),
    "memory_bytes": _("memory"),
    "memory_total": _("memory"),
    "memory_used": _("memory in use"),
    "name": _("name"),
    "system": _("system"),
    "utilization": _("load"),
    # --- reproducibility
    "base_model_revision": _("revision of the base model"),
    "code_commit": _("version of the program"),
    "device": _("device"),
    "environment_fingerprint": _("fingerprint of the packages"),
    "packages": _("packages"),
    "precision": _("precision"),
    "python": _("Python"),
    "seed": _("seed"),
    "split_digest": _("digest of the split"),
    "threads": _("threads"),
}
# Words of closed lists that stand as facts' values.
VALUE_WORDS: dict[str, Label] = {
    "added": _("added"),
    "changed": _("changed"),
    "deleted": _("deleted"),
    "words": _("words"),
    "characters": _("characters"),
}
ENDINGS: dict[str, Label] = {
    "_added": _("%(name)s: added"),
    "_removed": _("%(name)s: removed"),
    "_before": _("%(name)s: before"),
    "_after": _("%(name)s: after"),
    "_count": _("%(name)s: number"),
}


def fact_word(name: str) -> str:
    """Return what a fact is called; one that nobody named yet keeps its key, without underscores."""
    if name in FACT_WORDS:
        return str(FACT_WORDS[name])
    for ending, words in ENDINGS.items():
        if name.endswith(ending):
            return str(words) % {"name": fact_word(name.removesuffix(ending))}
    return name.replace("_", " ")
