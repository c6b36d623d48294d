"""The pages in Chromium, against the real server: `make bench BENCH=pages`."""

import sys

from tests.bench.portal import measure_parts

PARTS = ("pages_run",)

if __name__ == "__main__":
    measure_parts("pages", sys.argv[1:] or PARTS, is_kept=not sys.argv[1:])
