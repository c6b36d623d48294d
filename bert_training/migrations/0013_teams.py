"""Makes teams a table of their own; what were groups until now are copied, with their numbers.

A worker bound to a group stays bound to the team of that number.
"""

import django.conf
import django.core.management.color
from django.db import migrations, models


def copy_groups(apps, schema_editor):
    """Make a team of every group, with the same people."""
    teams = apps.get_model("bert_training", "Team")
    for group in apps.get_model("auth", "Group").objects.all():
        team = teams.objects.create(pk=group.pk, name=group.name)
        team.members.set(group.user_set.all())
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(django.core.management.color.no_style(), [teams]):
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("bert_training", "0012_corrected_rows_of_datasets"),
        migrations.swappable_dependency(django.conf.settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Team',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=150, unique=True, verbose_name='name')),
                ('description', models.TextField(blank=True, max_length=1000, verbose_name='description')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('members', models.ManyToManyField(blank=True, db_table='bert_team_members', related_name='teams', to=django.conf.settings.AUTH_USER_MODEL, verbose_name='members')),
            ],
            options={
                'verbose_name': 'team',
                'verbose_name_plural': 'teams',
                'db_table': 'bert_teams',
                'ordering': ('name',),
                'permissions': (('read', "Read what is one's own or shared"), ('train', 'Upload spreadsheets and start runs'), ('operate', 'Order the queue and mind the workers')),
            },
        ),
        migrations.RunPython(copy_groups, migrations.RunPython.noop),
    ]
