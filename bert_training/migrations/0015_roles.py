"""Makes a group for each role, and gives every analyst the role that lets them do what they could do before.

Names of groups may be changed in the admin: what counts are their permissions.
"""

from django.db import migrations

PERMISSIONS = {
    "read": "Read what is one's own or shared",
    "train": "Upload spreadsheets and start runs",
    "operate": "Order the queue and mind the workers",
}
ROLES = {"viewer": ("read",), "trainer": ("read", "train"), "operator": ("operate",)}


def add_roles(apps, schema_editor):
    """Make the permissions, which Django would make only after the last migration, then groups that hold them."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="bert_training", model="team"
    )
    permission = apps.get_model("auth", "Permission").objects
    held = {
        codename: permission.get_or_create(content_type=content_type, codename=codename, defaults={"name": name})[0]
        for codename, name in PERMISSIONS.items()
    }
    groups = apps.get_model("auth", "Group").objects
    for name, codenames in ROLES.items():
        group, _ = groups.get_or_create(name=name)
        group.permissions.add(*[held[codename] for codename in codenames])
    people = apps.get_model("auth", "User").objects.filter(is_staff=False)
    groups.get(name="trainer").user_set.add(*people)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("bert_training", "0014_shares"),
    ]
    operations = [migrations.RunPython(add_roles, migrations.RunPython.noop)]
