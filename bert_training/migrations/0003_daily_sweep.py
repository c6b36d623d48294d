"""Has django-q2 remove files without a row once a day."""

from django.db import migrations

NAME = "sweep of files"


def add(apps, schema_editor):
    schedules = apps.get_model("django_q", "Schedule").objects
    schedules.get_or_create(name=NAME, defaults={"func": "bert_training.background.sweep_files", "schedule_type": "D"})


def remove(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [("bert_training", "0002_base_models"), ("django_q", "0018_task_success_index")]
    operations = [migrations.RunPython(add, remove)]
