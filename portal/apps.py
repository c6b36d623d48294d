"""Replaces Django's admin site by the portal's own (look and dashboard)."""

from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    default_site = "bert_training.admin.site.PortalAdminSite"
