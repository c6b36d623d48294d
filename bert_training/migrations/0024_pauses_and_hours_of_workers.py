"""When a worker may claim, since when it is paused, whether it only simulates; its last attempts found by an index."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bert_training", "0023_run_marks"),
    ]

    operations = [
        migrations.AddField(
            model_name="worker",
            name="hours",
            field=models.JSONField(blank=True, db_default=[], default=list, verbose_name="hours"),
        ),
        migrations.AddField(
            model_name="worker",
            name="paused_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="paused since"),
        ),
        migrations.AddField(
            model_name="worker",
            name="simulates",
            field=models.BooleanField(db_default=False, default=False, verbose_name="simulates"),
        ),
        migrations.AddIndex(
            model_name="jobattempt",
            index=models.Index(fields=["worker", "-id"], name="ix_bert_job_attempts_worker"),
        ),
        migrations.AddConstraint(
            model_name="worker",
            constraint=models.CheckConstraint(condition=models.Q(("paused_at__isnull", True), ("draining", True), _connector="OR"), name="ck_bert_workers_paused"),
        ),
    ]
