"""Lets datasets and runs be shared with a team."""

import django.db.models.deletion
from django.db import migrations, models

import bert_training.models.choices


class Migration(migrations.Migration):
    dependencies = [("bert_training", "0013_teams")]

    operations = [
        migrations.AlterField(
            model_name='worker',
            name='team',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='workers', to='bert_training.team', verbose_name='team'),
        ),
        migrations.CreateModel(
            name='RunShare',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.CharField(choices=bert_training.models.choices.share_level_choices, max_length=20, verbose_name='level')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shares', to='bert_training.run', verbose_name='run')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='bert_training.team', verbose_name='team')),
            ],
            options={
                'verbose_name': 'shared run',
                'verbose_name_plural': 'shared runs',
                'db_table': 'bert_run_shares',
                'constraints': [models.UniqueConstraint(fields=('team', 'run'), name='uq_bert_run_shares')],
            },
        ),
        migrations.CreateModel(
            name='DatasetShare',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.CharField(choices=bert_training.models.choices.share_level_choices, max_length=20, verbose_name='level')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shares', to='bert_training.dataset', verbose_name='dataset')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='bert_training.team', verbose_name='team')),
            ],
            options={
                'verbose_name': 'shared dataset',
                'verbose_name_plural': 'shared datasets',
                'db_table': 'bert_dataset_shares',
                'constraints': [models.UniqueConstraint(fields=('team', 'dataset'), name='uq_bert_dataset_shares')],
            },
        ),
    ]
