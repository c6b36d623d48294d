"""The reference of the ingestion benchmark: log lines taken as the tutorials do it, served by the same server.

DJANGO_SETTINGS_MODULE names it: middleware and database are the portal's.
"""

from portal.settings import *  # noqa: F403 - the portal's settings but for the addresses

ROOT_URLCONF = "tests.bench.naive_urls"
