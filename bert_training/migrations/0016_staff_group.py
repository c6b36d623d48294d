"""Makes the group "staff": what staff who are no superusers need in the administration.

They give roles and teams to others, but no rights beyond their own: accounts of staff, groups and permissions stay
with superusers (bert_training.admin.people).
"""

from django.db import migrations

NAME = "staff"
PERMISSIONS = {
    ("bert_training", "dataset"): ("add", "change", "delete", "view"),
    ("bert_training", "run"): ("add", "change", "delete", "view"),
    ("bert_training", "job"): ("change", "view"),
    ("bert_training", "jobattempt"): ("view",),
    ("bert_training", "metric"): ("view",),
    ("bert_training", "log"): ("view",),
    ("bert_training", "worker"): ("add", "change", "view"),
    ("bert_training", "accesstoken"): ("add", "change", "view"),
    ("bert_training", "basemodel"): ("add", "change", "delete", "view"),
    ("bert_training", "gradescale"): ("add", "change", "delete", "view"),
    ("bert_training", "team"): ("add", "change", "delete", "view"),
    ("bert_training", "invitation"): ("add", "change", "view"),
    ("bert_training", "quota"): ("add", "change", "delete", "view"),
    ("bert_training", "auditevent"): ("view",),
    ("auth", "user"): ("change", "view"),
    ("auth", "group"): ("view",),
}


def add_group(apps, schema_editor):
    """Make the permissions, which Django would make only after the last migration, then the group that holds them."""
    content_types = apps.get_model("contenttypes", "ContentType").objects
    permissions = apps.get_model("auth", "Permission").objects
    group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=NAME)
    for (app, model), actions in PERMISSIONS.items():
        content_type, _ = content_types.get_or_create(app_label=app, model=model)
        for action in actions:
            permission, _ = permissions.get_or_create(
                content_type=content_type, codename=f"{action}_{model}", defaults={"name": f"Can {action} {model}"}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("bert_training", "0015_roles"),
    ]
    operations = [migrations.RunPython(add_group, migrations.RunPython.noop)]
