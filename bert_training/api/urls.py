"""The addresses of the API, relative to /bert-training/api/; none ends in a slash."""

from django.urls import path, re_path

from bert_training.api.views import (
    datasets,
    documentation,
    jobs,
    manifests,
    models,
    profiles,
    queue,
    repeats,
    runs,
    telemetry,
    workbooks,
    workers,
)

app_name = "api"

urlpatterns = [
    path("datasets/validate", datasets.ValidateDataset.as_view(), name="dataset-validate"),
    path("datasets/upload", datasets.UploadDataset.as_view(), name="dataset-upload"),
    path("datasets", datasets.Datasets.as_view(), name="datasets"),
    path("datasets/<int:pk>", datasets.DatasetDetail.as_view(), name="dataset"),
    path("datasets/<int:pk>/download", datasets.DownloadDataset.as_view(), name="dataset-download"),
    path("datasets/<int:pk>/profile", profiles.ShowProfile.as_view(), name="dataset-profile"),
    path("datasets/<int:pk>/manifest", manifests.ManifestOfDataset.as_view(), name="dataset-manifest"),
    path("datasets/<int:pk>/repair", datasets.RepairDataset.as_view(), name="dataset-repair"),
    path("datasets/<int:pk>/problems", workbooks.DatasetProblems.as_view(), name="dataset-problems"),
    path("datasets/<int:pk>/workbook", workbooks.DatasetWorkbook.as_view(), name="dataset-workbook"),
    path("runs", runs.Runs.as_view(), name="runs"),
    path("runs/<int:pk>", runs.RunDetail.as_view(), name="run"),
    path("runs/<int:pk>/metrics", telemetry.RunMetrics.as_view(), name="run-metrics"),
    path("runs/<int:pk>/logs", telemetry.RunLogs.as_view(), name="run-logs"),
    path("runs/<int:pk>/manifest", manifests.RunManifest.as_view(), name="run-manifest"),
    path("runs/<int:pk>/reproduce", runs.ReproduceRun.as_view(), name="run-reproduce"),
    path("runs/<int:pk>/cancel", runs.CancelRun.as_view(), name="run-cancel"),
    path("runs/<int:pk>/finish", runs.FinishRun.as_view(), name="run-finish"),
    path("runs/<int:pk>/repeats", repeats.RunRepeats.as_view(), name="run-repeats"),
    path("runs/<int:pk>/repeats/cancel", repeats.CancelRepeats.as_view(), name="run-repeats-cancel"),
    path("jobs/claim", jobs.ClaimJob.as_view(), name="job-claim"),
    path("jobs/<int:pk>/manifest", jobs.JobManifest.as_view(), name="job-manifest"),
    path("jobs/<int:pk>/progress", jobs.JobProgress.as_view(), name="job-progress"),
    path("jobs/<int:pk>/complete", jobs.CompleteJob.as_view(), name="job-complete"),
    path("metrics", telemetry.PostMetrics.as_view(), name="metrics"),
    path("logs", telemetry.PostLog.as_view(), name="log"),
    path("logs/batch", telemetry.PostLogBatch.as_view(), name="log-batch"),
    path("workers/register", workers.RegisterWorker.as_view(), name="worker-register"),
    path("workers", workers.Workers.as_view(), name="workers"),
    path("workers/heartbeat", workers.Heartbeat.as_view(), name="worker-heartbeat"),
    path("queue/status", queue.QueueStatus.as_view(), name="queue-status"),
    path("base-models", models.BaseModels.as_view(), name="base-models"),
    path("tasks", models.Tasks.as_view(), name="tasks"),
    path("schema", documentation.Schema.as_view(), name="schema"),
    path("docs", documentation.Documentation.as_view(), name="docs"),
    re_path(r"^(?P<path>.*)$", documentation.UnknownAddress.as_view(), name="unknown"),
]
