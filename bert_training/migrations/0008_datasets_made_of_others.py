import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bert_training', '0007_manifests_of_datasets'),
    ]

    operations = [
        migrations.AddField(
            model_name='dataset',
            name='derived_from',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='bert_training.dataset', verbose_name='made from'),
        ),
    ]
