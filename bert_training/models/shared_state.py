"""What all processes of the portal count together: calls of people and addresses, and Django's cache without Redis."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RateBucket(models.Model):
    """How much of a limit somebody has used: a bucket that calls empty and time fills (services.rate_limits)."""

    key = models.CharField(max_length=100, primary_key=True)  # the limit's name and whom it counts
    full_at = models.FloatField()  # when it will be full again, in seconds since 1970

    class Meta:
        db_table = "bert_rate_buckets"
        default_permissions = ()
        verbose_name = _("rate bucket")
        verbose_name_plural = _("rate buckets")

    def __str__(self) -> str:
        return self.key


class CacheEntry(models.Model):
    """The table of Django's database cache, in the form that its backend expects; it reads and writes it itself."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "bert_cache"
        default_permissions = ()
        verbose_name = _("cache entry")
        verbose_name_plural = _("cache entries")

    def __str__(self) -> str:
        return self.cache_key
