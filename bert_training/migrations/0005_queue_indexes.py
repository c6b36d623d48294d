"""Indexes for the turn of a new job: without them each new run reads the whole queue and every job that ever ran."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bert_training", "0004_phases_of_attempts")]
    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["-turn"], condition=models.Q(status="queued"), name="ix_bert_jobs_turn"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["-started_at"], condition=models.Q(attempt__gt=0), name="ix_bert_jobs_started"),
        ),
    ]
