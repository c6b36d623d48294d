"""Gives tokens of people a scope, and says which token replaced another. Tokens that stand keep what they could do."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import bert_training.models.choices


def keep_what_they_could(apps, schema_editor):
    apps.get_model("bert_training", "AccessToken").objects.filter(user__isnull=False).update(scope="manage")


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("bert_training", "0018_invitations"),
    ]

    operations = [
        migrations.AddField(
            model_name="accesstoken",
            name="replaced_by",
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="replaces", to="bert_training.accesstoken", verbose_name="replaced by"),
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="scope",
            field=models.CharField(blank=True, choices=bert_training.models.choices.token_scope_choices, max_length=20, verbose_name="scope"),
        ),
        migrations.RunPython(keep_what_they_could, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="accesstoken",
            constraint=models.CheckConstraint(condition=models.Q(models.Q(("scope", ""), ("user__isnull", True)), models.Q(("scope__in", ["read", "run", "manage"]), ("user__isnull", False)), _connector="OR"), name="ck_bert_access_tokens_scope"),
        ),
    ]
