"""Adds the audit, and has the database itself refuse to change or delete its rows.

TRUNCATE, by which tests empty PostgreSQL, fires no trigger of a row.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

import bert_training.models.audit_words

REFUSE_ON_POSTGRESQL = """
CREATE FUNCTION bert_audit_events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Audit events are never changed nor deleted.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER bert_audit_events_append_only BEFORE UPDATE OR DELETE ON bert_audit_events
FOR EACH ROW EXECUTE FUNCTION bert_audit_events_refuse();
"""
ALLOW_ON_POSTGRESQL = """
DROP TRIGGER bert_audit_events_append_only ON bert_audit_events;
DROP FUNCTION bert_audit_events_refuse();
"""
TRIGGERS_OF_SQLITE = {
    f"bert_audit_events_no_{verb.lower()}": (
        f"CREATE TRIGGER bert_audit_events_no_{verb.lower()} BEFORE {verb} ON bert_audit_events "
        "BEGIN SELECT RAISE(ABORT, 'Audit events are never changed nor deleted.'); END"
    )
    for verb in ("UPDATE", "DELETE")
}


def refuse(apps, schema_editor):
    """Make the triggers."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(REFUSE_ON_POSTGRESQL)
        return
    for statement in TRIGGERS_OF_SQLITE.values():
        schema_editor.execute(statement)


def allow(apps, schema_editor):
    """Take them away."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(ALLOW_ON_POSTGRESQL)
        return
    for name in TRIGGERS_OF_SQLITE:
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("bert_training", "0021_erasures")]

    operations = [
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='time')),
                ('kind', models.CharField(choices=bert_training.models.audit_words.audit_kind_choices, max_length=30, verbose_name='event')),
                ('actor_id', models.BigIntegerField(null=True, verbose_name='number of the person')),
                ('actor_name', models.CharField(blank=True, max_length=150, verbose_name='person')),
                ('worker_id', models.BigIntegerField(null=True, verbose_name='number of the worker')),
                ('worker_name', models.CharField(blank=True, max_length=100, verbose_name='worker')),
                ('token_prefix', models.CharField(blank=True, max_length=20, verbose_name='token')),
                ('target_kind', models.CharField(blank=True, max_length=40, verbose_name='kind of row')),
                ('target_id', models.BigIntegerField(null=True, verbose_name='number of the row')),
                ('facts', models.JSONField(default=dict, verbose_name='facts')),
                ('request_id', models.CharField(blank=True, max_length=64, verbose_name='request')),
                ('address', models.CharField(blank=True, max_length=45, verbose_name='address')),
            ],
            options={
                'verbose_name': 'audit event',
                'verbose_name_plural': 'audit events',
                'db_table': 'bert_audit_events',
                'ordering': ('-id',),
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['at'], name='ix_bert_audit_at'), models.Index(fields=['kind', 'id'], name='ix_bert_audit_kind'), models.Index(fields=['actor_id', 'id'], name='ix_bert_audit_actor'), models.Index(fields=['worker_id', 'id'], name='ix_bert_audit_worker'), models.Index(fields=['target_kind', 'target_id', 'id'], name='ix_bert_audit_target'), models.Index(fields=['request_id'], name='ix_bert_audit_request')],
            },
        ),
        migrations.RunPython(refuse, allow),
    ]
