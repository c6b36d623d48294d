"""Quotas of people and teams, and what all processes count together: rate buckets and the cache without Redis."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("bert_training", "0019_token_scopes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CacheEntry',
            fields=[
                ('cache_key', models.CharField(max_length=255, primary_key=True, serialize=False)),
                ('value', models.TextField()),
                ('expires', models.DateTimeField(db_index=True)),
            ],
            options={
                'verbose_name': 'cache entry',
                'verbose_name_plural': 'cache entries',
                'db_table': 'bert_cache',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='RateBucket',
            fields=[
                ('key', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('full_at', models.FloatField()),
            ],
            options={
                'verbose_name': 'rate bucket',
                'verbose_name_plural': 'rate buckets',
                'db_table': 'bert_rate_buckets',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='DeletedGpuTime',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateTimeField()),
                ('seconds', models.FloatField()),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'GPU time of deleted runs',
                'verbose_name_plural': 'GPU time of deleted runs',
                'db_table': 'bert_deleted_gpu_time',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Quota',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('datasets', models.PositiveBigIntegerField(blank=True, null=True, verbose_name='datasets')),
                ('storage_bytes', models.PositiveBigIntegerField(blank=True, help_text='Files as they were sent, and the tables made of them.', null=True, verbose_name='bytes stored')),
                ('queued_runs', models.PositiveBigIntegerField(blank=True, null=True, verbose_name='runs in the queue')),
                ('gpu_minutes', models.PositiveBigIntegerField(blank=True, help_text='From the first of the month; simulations are not counted.', null=True, verbose_name='GPU minutes a month')),
                ('team', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='quota', to='bert_training.team', verbose_name='team')),
                ('user', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='quota', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'quota',
                'verbose_name_plural': 'quotas',
                'db_table': 'bert_quotas',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('team__isnull', True), ('user__isnull', False)), models.Q(('team__isnull', False), ('user__isnull', True)), _connector='OR'), name='ck_bert_quotas_one_holder', violation_error_message='Choose a user or a team, not both.')],
            },
        ),
    ]
