"""Lists: of many runs as staff look through them, and as somebody in teams sees them: `make bench BENCH=lists`."""

import sys

from tests.bench.portal import measure_parts

PARTS = ("lists_of_teams", "lists_of_runs")

if __name__ == "__main__":
    measure_parts("lists", sys.argv[1:] or PARTS, is_kept=not sys.argv[1:])
