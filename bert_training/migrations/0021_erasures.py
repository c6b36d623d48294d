"""Adds deletions, and the computers that had a copy of what was deleted."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import bert_training.models.choices


class Migration(migrations.Migration):
    dependencies = [
        ("bert_training", "0020_quotas_and_limits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=bert_training.models.choices.erasure_kind_choices, max_length=20, verbose_name='what')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('dataset_number', models.BigIntegerField(verbose_name='number of the dataset')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('table_sha256', models.CharField(blank=True, max_length=64, verbose_name='SHA-256 of the table')),
                ('run_numbers', models.JSONField(default=list, verbose_name='numbers of the runs')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='deleted')),
                ('stored', models.JSONField(default=list, verbose_name='left in the store')),
                ('deleted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='deleted by')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
            ],
            options={
                'verbose_name': 'deletion',
                'verbose_name_plural': 'deletions',
                'db_table': 'bert_erasures',
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='ErasureCopy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('worker_name', models.CharField(max_length=100, verbose_name='worker')),
                ('machine', models.CharField(blank=True, max_length=200)),
                ('confirmed_at', models.DateTimeField(null=True, verbose_name='confirmed')),
                ('settled_at', models.DateTimeField(null=True, verbose_name='settled by hand')),
                ('settled_reason', models.CharField(blank=True, max_length=500, verbose_name='reason')),
                ('erasure', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='copies', to='bert_training.erasure', verbose_name='deletion')),
                ('settled_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='settled by')),
                ('worker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='bert_training.worker', verbose_name='worker')),
            ],
            options={
                'verbose_name': 'copy on a computer',
                'verbose_name_plural': 'copies on computers',
                'db_table': 'bert_erasure_copies',
                'ordering': ('worker_name', 'id'),
            },
        ),
        migrations.AddIndex(
            model_name='erasure',
            index=models.Index(fields=['dataset_number'], name='ix_bert_erasures_dataset'),
        ),
        migrations.AddIndex(
            model_name='erasurecopy',
            index=models.Index(condition=models.Q(('confirmed_at__isnull', True), ('settled_at__isnull', True)), fields=['worker', 'id'], name='ix_bert_erasure_copies_open'),
        ),
        migrations.AddConstraint(
            model_name='erasurecopy',
            constraint=models.UniqueConstraint(fields=('erasure', 'worker', 'machine'), name='uq_bert_erasure_copies_machine'),
        ),
        migrations.AddConstraint(
            model_name='erasurecopy',
            constraint=models.CheckConstraint(condition=models.Q(('settled_at__isnull', True), models.Q(('settled_reason', ''), _negated=True), _connector='OR'), name='ck_bert_erasure_copies_reason'),
        ),
    ]
