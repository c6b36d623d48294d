from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bert_training', '0011_starting_grades'),
    ]

    operations = [
        migrations.AddField(
            model_name='datasetprofile',
            name='corrected',
            field=models.BinaryField(null=True),
        ),
    ]
