"""Tells Django what this application is called."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BertTrainingConfig(AppConfig):
    name = "bert_training"
    verbose_name = _("BERT training")
