"""What the admin's dashboard counts of the last weeks is found without reading all runs; pages and admin say "computer".

The changed fields have other words only: the database does nothing for them.
"""

import django.db.models.deletion
from django.db import migrations, models

WORKER = "bert_training.worker"


class Migration(migrations.Migration):
    dependencies = [("bert_training", "0026_notifications")]

    operations = [
        migrations.AddIndex("run", models.Index(fields=["finished_at"], name="ix_bert_runs_finished")),
        migrations.AddIndex("jobattempt", models.Index(fields=["started_at"], name="ix_bert_job_attempts_started")),
        migrations.AlterModelOptions(
            "worker", {"ordering": ("name",), "verbose_name": "computer", "verbose_name_plural": "computers"}
        ),
        migrations.AlterField(
            "accesstoken",
            "worker",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tokens",
                to=WORKER,
                verbose_name="computer",
            ),
        ),
        migrations.AlterField(
            "auditevent", "worker_id", models.BigIntegerField(null=True, verbose_name="number of the computer")
        ),
        migrations.AlterField(
            "auditevent", "worker_name", models.CharField(blank=True, max_length=100, verbose_name="computer")
        ),
        migrations.AlterField(
            "erasurecopy",
            "worker",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=WORKER,
                verbose_name="computer",
            ),
        ),
        migrations.AlterField("erasurecopy", "worker_name", models.CharField(max_length=100, verbose_name="computer")),
        migrations.AlterField(
            "job",
            "worker",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="jobs",
                to=WORKER,
                verbose_name="computer",
            ),
        ),
        migrations.AlterField(
            "jobattempt",
            "worker",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to=WORKER,
                verbose_name="computer",
            ),
        ),
    ]
