"""Part of the portal's benchmark: how fast jobs are handed out."""

from tests.bench.frame import Figure

NOTES = ""


def measure() -> list[Figure]:
    """Measure claims."""
    return []
