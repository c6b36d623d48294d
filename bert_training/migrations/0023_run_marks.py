"""Gives runs what lists show and sort by, tags, notes and an archive; fills in what older runs can tell.

Verdicts need the rules of the program: they are judged in the background, by what judges them when a scale changes.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.fields.json import KeyTransform


LOSSES = ("loss", "log_loss")  # the figures of which less is better
USUAL = {"text-classification": "f1_macro", "token-classification": "f1"}
ROWS_AT_ONCE = 1000
FILLED = ["duration_seconds", "headline_metric", "headline_value", "headline_rank"]


def fill(apps, schema_editor):
    """Write figure and duration of the runs that have ended."""
    runs = apps.get_model("bert_training", "Run").objects
    ended = runs.filter(finished_at__isnull=False, started_at__isnull=False).annotate(
        figures=KeyTransform("metrics", "result"), deciding=KeyTransform("best_metric", "hyperparameters")
    )
    known = ended.only("task", "started_at", "finished_at")
    batch = []
    for run in known.iterator(chunk_size=ROWS_AT_ONCE):
        run.duration_seconds = max(0, round((run.finished_at - run.started_at).total_seconds()))
        run.headline_metric = run.deciding or USUAL.get(run.task, "")
        run.headline_value = (run.figures or {}).get(run.headline_metric)
        if run.headline_value is None:
            run.headline_metric = ""
        else:
            run.headline_rank = -run.headline_value if run.headline_metric in LOSSES else run.headline_value
        batch.append(run)
        if len(batch) == ROWS_AT_ONCE:
            runs.bulk_update(batch, FILLED)
            batch = []
    runs.bulk_update(batch, FILLED)


def keep_rows_narrow(apps, schema_editor):
    """Have PostgreSQL keep settings and results beside the table of runs: a list reads past thousands of them.

    The largest go first, until a row has 512 bytes: names and notes, which are searched, stay.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE bert_runs SET (toast_tuple_target = 512)")


def keep_rows_as_before(apps, schema_editor):
    """Undo that; rows that are there stay as they are."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE bert_runs RESET (toast_tuple_target)")


def judge(apps, schema_editor):
    """Have the verdicts of older runs judged once the portal works again."""
    if apps.get_model("bert_training", "RunProof").objects.exists():
        schedules = apps.get_model("django_q", "Schedule").objects
        schedules.create(name="verdicts of older runs", func="bert_training.background.judge_runs", schedule_type="O")


class Migration(migrations.Migration):
    dependencies = [("bert_training", "0022_audit_events"), ("django_q", "0018_task_success_index")]

    operations = [
        migrations.CreateModel(
            name='RunTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40, verbose_name='tag')),
            ],
            options={
                'verbose_name': 'tag of a run',
                'verbose_name_plural': 'tags of runs',
                'db_table': 'bert_run_tags',
                'ordering': ('name',),
            },
        ),
        migrations.AddField(
            model_name='run',
            name='archived_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='archived'),
        ),
        migrations.AddField(
            model_name='run',
            name='duration_seconds',
            field=models.IntegerField(db_default=0, default=0, verbose_name='duration (s)'),
        ),
        migrations.AddField(
            model_name='run',
            name='headline_metric',
            field=models.CharField(blank=True, db_default='', default='', max_length=100, verbose_name='deciding figure'),
        ),
        migrations.AddField(
            model_name='run',
            name='headline_rank',
            field=models.FloatField(db_default=-1000000000.0, default=-1000000000.0, editable=False),
        ),
        migrations.AddField(
            model_name='run',
            name='headline_value',
            field=models.FloatField(blank=True, null=True, verbose_name='value of the deciding figure'),
        ),
        migrations.AddField(
            model_name='run',
            name='notes',
            field=models.TextField(blank=True, db_default='', default='', max_length=2000, verbose_name='notes'),
        ),
        migrations.AddField(
            model_name='run',
            name='verdict',
            field=models.CharField(blank=True, db_default='', default='', max_length=20, verbose_name='verdict'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['name', 'id'], name='ix_bert_runs_name'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['headline_rank', 'id'], name='ix_bert_runs_headline'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['duration_seconds', 'id'], name='ix_bert_runs_duration'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['created_at'], name='ix_bert_runs_created'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('archived_at__isnull', False)), fields=['id'], name='ix_bert_runs_archive'),
        ),
        migrations.AddField(
            model_name='runtag',
            name='run',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='bert_training.run', verbose_name='run'),
        ),
        migrations.AddIndex(
            model_name='runtag',
            index=models.Index(fields=['name', 'run'], name='ix_bert_run_tags_name'),
        ),
        migrations.AddConstraint(
            model_name='runtag',
            constraint=models.UniqueConstraint(fields=('run', 'name'), name='uq_bert_run_tags'),
        ),
        migrations.RunPython(keep_rows_narrow, keep_rows_as_before),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(judge, migrations.RunPython.noop),
    ]
