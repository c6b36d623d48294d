"""The list of runs as somebody in teams sees it, against the list without a rule: `make bench BENCH=lists`."""

from tests.bench.portal import measure_parts

if __name__ == "__main__":
    measure_parts("lists", ["lists_of_teams"])
