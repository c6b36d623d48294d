"""Addresses of the pages, without a trailing slash."""

from collections.abc import Callable

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from bert_training.accounts import invitation_views
from bert_training.accounts.views import SignIn, SignOut
from bert_training.charts.saving import ChartForm
from bert_training.contract.enums import WorkbookKind
from bert_training.pages import (
    account,
    dataset_profile,
    dataset_repair,
    datasets,
    doubted_labels,
    erasures,
    help,
    home,
    notifications,
    queue,
    run_actions,
    run_compare,
    run_curves,
    run_detail,
    run_downloads,
    run_marks,
    run_new,
    run_proof_charts,
    run_repeats,
    run_report,
    run_rows,
    run_scatter,
    run_slices,
    runs,
    sharing,
    split_classes,
    splits,
    tokens,
    upload,
    workbooks,
    worker_connect,
    worker_switches,
    workers,
)


def chart_paths(below: str, view: Callable[..., HttpResponseBase], *, name: str) -> list[URLPattern]:
    """Return where each chart of a page is saved from: as a picture and as figures."""
    return [
        path(f"{below}/<slug:name>.{form.value}", view, {"form": form}, name=f"{name}-{form.value}")
        for form in ChartForm
    ]


app_name = "pages"
urlpatterns = [
    path("", home.overview, name="home"),
    path("aside", home.set_aside, name="home-aside"),
    path("sign-in", SignIn.as_view(), name="sign-in"),
    path("sign-out", SignOut.as_view(), name="sign-out"),
    path("account", account.overview, name="account"),
    path("invitation/<str:secret>", invitation_views.accept, name="invitation"),
    path("language", require_POST(set_language), name="language"),
    path("datasets", datasets.list_datasets, name="datasets"),
    path("datasets/new", upload.upload_dataset, name="dataset-upload"),
    path("datasets/sample/<str:task>", upload.download_sample, name="dataset-sample"),
    path("datasets/<int:pk>", datasets.show_dataset, name="dataset"),
    path("datasets/<int:pk>/download", datasets.download_dataset, name="dataset-download"),
    path(
        "datasets/<int:pk>/problems",
        workbooks.download_workbook,
        {"kind": WorkbookKind.PROBLEMS},
        name="dataset-problems",
    ),
    path(
        "datasets/<int:pk>/workbook",
        workbooks.download_workbook,
        {"kind": WorkbookKind.FINDINGS},
        name="dataset-workbook",
    ),
    path("datasets/<int:pk>/delete", datasets.delete, name="dataset-delete"),
    path("datasets/<int:pk>/shares", sharing.share_dataset, name="dataset-share"),
    path("datasets/<int:pk>/profile", dataset_profile.restart, name="dataset-profile"),
    *chart_paths("datasets/<int:pk>/charts", dataset_profile.download_chart, name="dataset-chart"),
    path("datasets/<int:pk>/split", split_classes.show_dataset_split, name="dataset-split"),
    *chart_paths("datasets/<int:pk>/split", split_classes.save_dataset_chart, name="dataset-split-chart"),
    path("datasets/<int:pk>/manifest", splits.edit_manifest, name="dataset-manifest"),
    path("datasets/<int:pk>/repair", dataset_repair.repair, name="dataset-repair"),
    path("erasures", erasures.list_erasures, name="erasures"),
    path("erasures/<int:pk>", erasures.show_erasure, name="erasure"),
    path("erasures/<int:pk>/copies/<int:copy>", erasures.settle_copy, name="erasure-settle"),
    path("runs", runs.list_runs, name="runs"),
    path("runs/list.csv", runs.download_runs, name="runs-csv"),
    path("runs/archive", run_marks.archive, {"is_archived": True}, name="runs-archive"),
    path("runs/unarchive", run_marks.archive, {"is_archived": False}, name="runs-unarchive"),
    path("runs/new", run_new.new_run, name="run-new"),
    path("runs/compare", run_compare.compare_runs, name="runs-compare"),
    path("runs/compare.csv", run_compare.download_comparison, name="runs-compare-csv"),
    *chart_paths("runs/compare/charts", run_compare.download_chart, name="runs-compare-chart"),
    path("runs/scatter", run_scatter.show_scatter, name="runs-scatter"),
    *chart_paths("runs/scatter/charts", run_scatter.download_scatter, name="runs-scatter-chart"),
    path("runs/<int:pk>", run_detail.show_run, name="run"),
    path("runs/<int:pk>/marks", run_marks.mark, name="run-marks"),
    path("runs/<int:pk>/cancel", run_actions.cancel, name="run-cancel"),
    path("runs/<int:pk>/finish", run_actions.finish, name="run-finish"),
    path("runs/<int:pk>/reproduce", run_actions.reproduce, name="run-reproduce"),
    path("runs/<int:pk>/shares", sharing.share_run, name="run-share"),
    path("runs/<int:pk>/repeats", run_repeats.repeat, name="run-repeats"),
    path("runs/<int:pk>/repeats/cancel", run_actions.cancel_all_repeats, name="run-repeats-cancel"),
    path("runs/<int:pk>/model-card", run_downloads.download_model_card, name="run-model-card"),
    path("runs/<int:pk>/label-errors", doubted_labels.list_doubted_labels, name="run-label-errors"),
    path(
        "runs/<int:pk>/label-errors/workbook", doubted_labels.download_doubted_labels, name="run-label-errors-workbook"
    ),
    path("runs/<int:pk>/rows", run_rows.list_rows, name="run-rows"),
    path("runs/<int:pk>/rows.csv", run_rows.download_rows, name="run-rows-csv"),
    path("runs/<int:pk>/split", split_classes.show_run_split, name="run-split"),
    *chart_paths("runs/<int:pk>/split", split_classes.save_run_chart, name="run-split-chart"),
    path("runs/<int:pk>/manifest", run_downloads.download_manifest, name="run-manifest"),
    *[
        path(f"runs/<int:pk>/report.{form}", run_report.download_report, {"form": form}, name=f"run-report-{form}")
        for form in run_report.FORMS
    ],
    *chart_paths("runs/<int:pk>/curves", run_curves.download_curve, name="run-curve"),
    path("runs/<int:pk>/slices", run_slices.show_slices, name="run-slices"),
    *(
        path(f"runs/<int:pk>/slices.{form.value}", run_slices.download_chart, {"form": form}, name=f"run-slices-{form}")
        for form in ChartForm
    ),
    *chart_paths("runs/<int:pk>/result", run_proof_charts.download_chart, name="run-result-chart"),
    path("runs/<int:pk>/predictions.csv", run_downloads.download_predictions, name="run-predictions"),
    path("runs/<int:pk>/log", run_downloads.download_log, name="run-log"),
    path("runs/<int:pk>/metrics", run_downloads.download_metrics, name="run-metrics"),
    path("runs/<int:pk>/training_history.png", run_downloads.download_training_history, name="run-training-history"),
    path("notifications", notifications.list_notifications, name="notifications"),
    path("notifications/read", notifications.read_all, name="notifications-read"),
    path("notifications/<int:pk>/open", notifications.open_notification, name="notification-open"),
    path("account/notifications", notifications.choose_notifications, name="notification-choices"),
    path("help", help.list_topics, name="help"),
    path("help/<slug:topic>", help.show_topic, name="help-topic"),
    *chart_paths("help/charts", help.download_chart, name="help-chart"),
    path("queue", queue.show_queue, name="queue"),
    path("queue/<int:pk>/move", queue.move, name="queue-move"),
    path("queue/<int:pk>/priority", queue.change_priority, name="queue-priority"),
    path("workers", workers.list_workers, name="workers"),
    path("workers/connect", worker_connect.connect, name="worker-connect"),
    path("workers/connect/program.zip", worker_connect.download_program, name="worker-program"),
    path("workers/<int:pk>/connection", worker_connect.show_connection, name="worker-connection"),
    path("workers/<int:pk>", workers.show_worker, name="worker"),
    path("workers/<int:pk>/hours", worker_switches.edit_hours, name="worker-hours"),
    path("workers/<int:pk>/<slug:to>", worker_switches.switch, name="worker-switch"),
    path("account/tokens", tokens.list_tokens, name="tokens"),
    path("account/tokens/new", tokens.make_token, name="token-new"),
    path("account/tokens/<int:pk>/rotate", tokens.rotate_token, name="token-rotate"),
    path("account/tokens/<int:pk>/revoke", tokens.revoke, name="token-revoke"),
]
