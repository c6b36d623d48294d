"""Adds what the first page remembers of each person, and the mark of the portal's own example."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ("bert_training", "0024_pauses_and_hours_of_workers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='HomeVisit',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL, verbose_name='person')),
                ('opened_at', models.DateTimeField()),
                ('since', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'visit',
                'verbose_name_plural': 'visits',
                'db_table': 'bert_home_visits',
            },
        ),
        migrations.CreateModel(
            name='PutAside',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=30)),
                ('number', models.BigIntegerField()),
                ('put_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'reminder put aside',
                'verbose_name_plural': 'reminders put aside',
                'db_table': 'bert_put_aside',
            },
        ),
        migrations.AddField(
            model_name='dataset',
            name='is_example',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='example'),
        ),
        migrations.AddField(
            model_name='run',
            name='is_example',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='example'),
        ),
        migrations.AddField(
            model_name='worker',
            name='is_example',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='example'),
        ),
        migrations.AddConstraint(
            model_name='dataset',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True), ('is_example', True)), fields=('is_example',), name='uq_bert_datasets_example'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.UniqueConstraint(condition=models.Q(('is_example', True)), fields=('is_example',), name='uq_bert_runs_example'),
        ),
        migrations.AddConstraint(
            model_name='worker',
            constraint=models.UniqueConstraint(condition=models.Q(('is_example', True)), fields=('is_example',), name='uq_bert_workers_example'),
        ),
        migrations.AddField(
            model_name='putaside',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='putaside',
            constraint=models.UniqueConstraint(fields=('user', 'kind', 'number'), name='uq_bert_put_aside'),
        ),
    ]
