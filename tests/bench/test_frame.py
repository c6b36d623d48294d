"""The frame of the benchmarks: who is measured when, what a goal means, and that results replace older ones."""

import json
from pathlib import Path

import pytest

from tests.bench.frame import Figure, by_turns, put_section, report


def test_ours_and_the_reference_are_measured_by_turns_after_a_round_that_does_not_count() -> None:
    calls: list[str] = []

    def measured(name: str) -> float:
        calls.append(name)
        return float(len(calls))

    ours, theirs = by_turns(lambda: measured("ours"), lambda: measured("reference"), rounds=2)
    assert calls == ["ours", "reference", "reference", "ours", "ours", "reference"]
    assert (ours, theirs) == ([4.0, 5.0], [3.0, 6.0])


@pytest.mark.parametrize(("goal", "is_reached"), [(2.0, True), (1.9, False), (None, None)])
def test_a_goal_is_judged_by_the_median_and_without_a_goal_nothing_has_failed(
    goal: float | None, is_reached: bool | None
) -> None:
    assert Figure("start", "s", ours=[1.0, 2.0, 9.0], goal=goal).is_reached is is_reached


@pytest.mark.parametrize(("least", "is_reached"), [(2.0, True), (2.1, False)])
def test_a_goal_may_be_the_least_or_a_multiple_of_the_reference(least: float, is_reached: bool) -> None:
    assert Figure("rate", "/s", ours=[2.0], goal=least, goal_is="at least").is_reached is is_reached
    assert Figure("rate", "/s", ours=[6.0], reference=[3.0], goal=least, goal_is="times").is_reached is is_reached


@pytest.mark.parametrize(("most", "is_reached"), [(2.0, True), (1.9, False)])
def test_a_goal_may_be_the_most_times_the_reference(most: float, is_reached: bool) -> None:
    figure = Figure("memory", "MB", ours=[6.0], reference=[3.0], goal=most, goal_is="times at most")
    assert figure.is_reached is is_reached


def test_a_report_keeps_the_medians_and_the_ratio_for_programs(tmp_path: Path) -> None:
    figures = [Figure("start", "s", [1.0, 2.0, 9.0], [4.0], reference_name="other", goal=3.0), Figure("size", "B", [7])]
    report("trial", "On nothing.", figures, folder=tmp_path)
    assert json.loads((tmp_path / "var/bench/trial.json").read_text()) == [
        {
            "figure": "start",
            "unit": "s",
            "ours": 2.0,
            "reference": 4.0,
            "reference_name": "other",
            "ratio": 0.5,
            "goal": 3.0,
            "goal_is": "at most",
            "reached": True,
        },
        {
            "figure": "size",
            "unit": "B",
            "ours": 7,
            "reference": None,
            "reference_name": "",
            "ratio": None,
            "goal": None,
            "goal_is": "at most",
            "reached": None,
        },
    ]


def test_a_report_prints_what_it_writes_into_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report("trial", "On nothing.", [Figure("start", "s", [1.0, 2.0, 9.0], goal=1.5)], folder=tmp_path)
    printed, page = capsys.readouterr().out, (tmp_path / "docs/benchmarks.md").read_text()
    assert printed in page
    assert "2 (1 to 9, n=3)" in printed
    assert "at most 1.5: MISSED" in printed
    assert "load average" in printed


def test_a_report_takes_the_place_of_its_older_one_and_leaves_the_others(tmp_path: Path) -> None:
    for name, value in (("first", 111.0), ("second", 222.0), ("first", 333.0)):
        report(name, "", [Figure("start", "s", [value])], folder=tmp_path)
    page = (tmp_path / "docs/benchmarks.md").read_text()
    assert [value in page for value in ("111", "222", "333")] == [False, True, True]
    assert page.index("## first") < page.index("## second")


def test_a_section_put_twice_changes_nothing_more() -> None:
    once = put_section("# Page\n\n## a\n\nold\n\n## b\n\nkept\n", "a", "new")
    assert once == "# Page\n\n## a\n\nnew\n\n## b\n\nkept\n"
    assert put_section(once, "a", "new") == once
