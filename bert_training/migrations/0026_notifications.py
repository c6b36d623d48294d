"""Adds notifications, e-mails and webhooks on their way, and the watch over what nobody reports by itself."""

import bert_training.models.choices
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


STAFF = "staff"
PERMISSIONS = {"webhook": ("add", "change", "delete", "view"), "dispatch": ("view",)}
WATCH = "watch over the house"
EVERY_MINUTES = 2


def give_to_staff(apps, schema_editor):
    """Make the permissions, which Django would make only after the last migration, and give them to the group."""
    content_types = apps.get_model("contenttypes", "ContentType").objects
    permissions = apps.get_model("auth", "Permission").objects
    group = apps.get_model("auth", "Group").objects.filter(name=STAFF).first()
    for model, actions in PERMISSIONS.items():
        content_type, _ = content_types.get_or_create(app_label="bert_training", model=model)
        for action in actions:
            permission, _ = permissions.get_or_create(
                content_type=content_type, codename=f"{action}_{model}", defaults={"name": f"Can {action} {model}"}
            )
            if group is not None:  # renamed or deleted since
                group.permissions.add(permission)


def watch(apps, schema_editor):
    schedules = apps.get_model("django_q", "Schedule").objects
    planned = {"func": "bert_training.background.watch_house", "schedule_type": "I", "minutes": EVERY_MINUTES}
    schedules.get_or_create(name=WATCH, defaults=planned)


def stop_watching(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name=WATCH).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ("bert_training", "0025_home_and_example"),
        ("django_q", "0018_task_success_index"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='NotificationChoice',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='notification_choice', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('hidden', models.JSONField(default=list)),
                ('mailed', models.JSONField(default=list)),
                ('language', models.CharField(max_length=10)),
            ],
            options={
                'verbose_name': 'choice of notifications',
                'verbose_name_plural': 'choices of notifications',
                'db_table': 'bert_notification_choices',
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='job',
            name='cancel_requested_by',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='Occurrence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=bert_training.models.choices.notice_choices, max_length=30, verbose_name='event')),
                ('key', models.CharField(max_length=100, unique=True)),
                ('number', models.BigIntegerField(null=True)),
                ('facts', models.JSONField(default=dict, verbose_name='facts')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='time')),
                ('announced_at', models.DateTimeField(null=True)),
                ('attempts', models.IntegerField(default=0)),
                ('dataset', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='bert_training.dataset', verbose_name='dataset')),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='bert_training.run', verbose_name='run')),
                ('worker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='bert_training.worker', verbose_name='worker')),
            ],
            options={
                'verbose_name': 'event',
                'verbose_name_plural': 'events',
                'db_table': 'bert_occurrences',
                'ordering': ('-id',),
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('read_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notifications', to=settings.AUTH_USER_MODEL)),
                ('occurrence', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notifications', to='bert_training.occurrence')),
            ],
            options={
                'verbose_name': 'notification',
                'verbose_name_plural': 'notifications',
                'db_table': 'bert_notifications',
                'ordering': ('-id',),
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('url', models.CharField(help_text='https://..., on a host that WEBHOOK_HOSTS lists.', max_length=500, verbose_name='address')),
                ('secret', models.TextField(editable=False)),
                ('kinds', models.JSONField(default=list, verbose_name='events')),
                ('with_picture', models.BooleanField(default=True, help_text='The picture of the training comes along, some 100 KB.', verbose_name='with the curves')),
                ('active', models.BooleanField(default=True, verbose_name='active')),
                ('failures', models.IntegerField(default=0, verbose_name='failures in a row')),
                ('switched_off_at', models.DateTimeField(blank=True, null=True, verbose_name='switched off')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='created by')),
                ('team', models.ForeignKey(blank=True, help_text="Only runs that are shared with this team; empty: everybody's.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='bert_training.team', verbose_name='team')),
            ],
            options={
                'verbose_name': 'webhook',
                'verbose_name_plural': 'webhooks',
                'db_table': 'bert_webhooks',
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='Dispatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=bert_training.models.choices.dispatch_state_choices, default='pending', max_length=20, verbose_name='state')),
                ('attempts', models.IntegerField(default=0, verbose_name='attempts')),
                ('next_at', models.DateTimeField(verbose_name='next attempt')),
                ('tries', models.JSONField(default=list, verbose_name='attempts')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='time')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person')),
                ('occurrence', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dispatches', to='bert_training.occurrence', verbose_name='event')),
                ('webhook', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='dispatches', to='bert_training.webhook', verbose_name='webhook')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'db_table': 'bert_dispatches',
                'ordering': ('-id',),
                'default_permissions': ('view',),
            },
        ),
        migrations.AddIndex(
            model_name='occurrence',
            index=models.Index(fields=['created_at'], name='ix_bert_occurrences_created'),
        ),
        migrations.AddIndex(
            model_name='occurrence',
            index=models.Index(condition=models.Q(('announced_at__isnull', True)), fields=['id'], name='ix_bert_occurrences_open'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(fields=['user', 'id'], name='ix_bert_notifications_user'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('read_at__isnull', True)), fields=['user'], name='ix_bert_notifications_new'),
        ),
        migrations.AddConstraint(
            model_name='notification',
            constraint=models.UniqueConstraint(fields=('occurrence', 'user'), name='uq_bert_notifications'),
        ),
        migrations.AddIndex(
            model_name='dispatch',
            index=models.Index(fields=['created_at'], name='ix_bert_dispatches_created'),
        ),
        migrations.AddIndex(
            model_name='dispatch',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['next_at'], name='ix_bert_dispatches_due'),
        ),
        migrations.AddConstraint(
            model_name='dispatch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('user__isnull', False), ('webhook__isnull', True)), models.Q(('user__isnull', True), ('webhook__isnull', False)), _connector='OR'), name='ck_bert_dispatches_one_target'),
        ),
        migrations.AddConstraint(
            model_name='dispatch',
            constraint=models.UniqueConstraint(condition=models.Q(('user__isnull', False)), fields=('occurrence', 'user'), name='uq_bert_dispatches_user'),
        ),
        migrations.AddConstraint(
            model_name='dispatch',
            constraint=models.UniqueConstraint(condition=models.Q(('webhook__isnull', False)), fields=('occurrence', 'webhook'), name='uq_bert_dispatches_webhook'),
        ),
        migrations.RunPython(give_to_staff, migrations.RunPython.noop),
        migrations.RunPython(watch, stop_watching),
    ]
