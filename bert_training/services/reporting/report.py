"""Writes the report of a finished run as blocks: what was done, with which data, how good it is, where it fails."""

from collections.abc import Sequence

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode
from bert_training.models import Run, RunProof
from bert_training.models.choices import SPLIT_LABELS
from bert_training.services.division_words import division_sentences, division_warning
from bert_training.services.divisions import split_facts
from bert_training.services.errors import ServiceError
from bert_training.services.provenance import provenance_of
from bert_training.services.proving.figure_words import UNKNOWN, count_text, distance_text, share_text
from bert_training.services.proving.proof_summary import Summary, losses_of, summarize, usable
from bert_training.services.reporting.blocks import Block, Bullets, Facts, Grid, Paragraph, Report, Section
from bert_training.services.reporting.result import classes_section, failures_section, history_section, result_section
from bert_training.services.setting_words import words_by_name
from bert_training.tasks import TASKS

SHORT_DIGEST = 12


def write_report(run: Run, examples: Sequence[Section] = ()) -> Report:
    """Return the report in the reader's language. examples: sections with texts, for who may see them and asked.

    Raises ServiceError not_found for a run without a proof. About eight queries.
    """
    proof = usable(RunProof.objects.filter(run=run).first())
    if proof is None or run.task not in TASKS:
        message = _("A report is written once the figures of a completed run are proved.")
        raise ServiceError(ErrorCode.NOT_FOUND, message, http_status=404)
    summary, spec = summarize(run, proof, split=split_facts(run)), TASKS[run.task]
    history = history_section(losses_of(run))
    return Report(
        title=run.name,
        subtitle=_("Report of run %(id)s") % {"id": run.pk},
        footer=_("Run %(id)s · model %(fingerprint)s")
        % {"id": run.pk, "fingerprint": run.model_fingerprint[:SHORT_DIGEST]},
        language=get_language() or "",
        sections=[
            result_section(summary, spec),
            _done_section(run),
            _data_section(run, summary),
            classes_section(proof),
            failures_section(summary),
            *examples,
            *([history] if history else []),
            _limits_section(summary),
            _proof_section(run),
        ],
    )


def _done_section(run: Run) -> Section:
    entries = [
        (_("Task"), str(run.get_task_display())),
        (_("Base model"), run.base_model),
        (_("Owner"), run.owner.get_username()),
        (_("Created"), _moment(run.created_at)),
        (_("Finished"), _moment(run.finished_at)),
    ]
    words = _("A network was trained on labelled examples, chosen on the validation rows and judged on the test rows.")
    return Section(_("What was done"), [Paragraph(words), Facts(entries)])


def _moment(moment: object) -> str:
    return str(date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")) if moment else UNKNOWN  # type: ignore[arg-type]


def _data_section(run: Run, summary: Summary) -> Section:
    facts = split_facts(run)
    blocks: list[Block] = [
        Facts([(_("Dataset"), run.dataset.name), (_("Rows"), count_text(run.dataset.rows or 0))]),
    ]
    if facts:
        total = sum(facts["rows"].values()) or 1
        rows = [
            [str(label), count_text(facts["rows"][split]), share_text(facts["rows"][split] / total)]
            for split, label in SPLIT_LABELS.items()
            if split in facts["rows"]
        ]
        blocks += [Grid([_("Split"), _("Rows"), _("Share")], rows), Bullets(division_sentences(facts))]
        if warning := division_warning(facts):
            blocks.append(Paragraph(warning, is_strong=True))
    units = _("%(units)s independent test texts: copies, near-copies and rows of one group count once.")
    blocks.append(Paragraph(units % {"units": count_text(summary.proof["units"])}))
    return Section(_("With which data"), blocks)


def _limits_section(summary: Summary) -> Section:
    """Say what the figures do not say."""
    items = [
        _("The figures hold for texts of the same kind and from the same source as the test rows."),
        _("An interval covers the chance of the draw of test rows, not a change of the texts in the future."),
        _("Labels in the spreadsheet were taken as right, whatever the model thinks of them."),
    ]
    found = summary.proof["calibration"]
    if found is not None and found["after"] is not None:
        words = _("Stated probabilities are off by %(error)s points on average: they are no promise for one text.")
        items.append(words % {"error": distance_text(found["after"])})
    doubts = summary.proof["label_errors"]
    if doubts is not None and doubts["counts"]:
        words = _("Doubted labels that nobody has looked at: %(count)s.")
        items.append(words % {"count": count_text(sum(doubts["counts"].values()))})
    items.append(_("Where a decision concerns a person, a person should take it."))
    return Section(_("Limits"), [Bullets(items)])


def _proof_section(run: Run) -> Section:
    origins = [origin for origin in provenance_of(run) if origin.text]
    digests = [(origin.label, origin.text) for origin in origins if origin.is_digest]
    others = [(origin.label, origin.text) for origin in origins if not origin.is_digest]
    words = _("With these facts the same training can be repeated and compared.")
    words_of_settings = words_by_name(run, TASKS[run.task]).values()
    settings = [(each.label, f"{each.text} {each.unit}".rstrip()) for each in words_of_settings if each.text]
    blocks: list[Block] = [Paragraph(words), Facts(digests, is_digest=True), Facts(others), Facts(settings)]
    return Section(_("How to prove it"), blocks)
