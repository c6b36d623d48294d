"""Figures with their intervals below each other, and shaded fields: where each piece stands."""

from bert_training.charts.curves import Axis
from bert_training.charts.estimates import LEFT, RIGHT, Estimate, draw_estimates
from bert_training.charts.matrix import Field, draw_matrix
from bert_training.charts.shapes import COMPACT, TILE_OPACITY, Table

ACROSS = COMPACT - LEFT - RIGHT


def test_a_bar_ends_at_its_figure_and_the_whisker_at_its_interval() -> None:
    both = [Estimate("network", 0.5, "50%", 0.25, 0.75), Estimate("chance", 0.0, "0%", series=2)]
    chart = draw_estimates("headline", "F1", both, axis=Axis(""))
    ends = [float(place.split(",")[0]) for place in chart.bands[0].points.split()]
    assert (min(ends), max(ends)) == (LEFT, LEFT + ACROSS / 2)
    reached = [float(place.split(",")[0]) for place in chart.strokes[0].points.split()]
    assert (min(reached), max(reached)) == (LEFT + ACROSS / 4, LEFT + ACROSS * 3 / 4)
    assert len(chart.strokes) == 1  # without an interval there is no whisker
    assert chart.description == "network: 50%; chance: 0%"
    assert chart.is_compact


def test_a_figure_beyond_the_axis_stays_in_the_picture() -> None:
    chart = draw_estimates("x", "X", [Estimate("a", -0.2, "-0.2", -0.5, 1.4)], axis=Axis(""))
    places = [float(place.split(",")[0]) for place in chart.strokes[0].points.split()]
    assert (min(places), max(places)) == (LEFT, COMPACT - RIGHT)


def test_fields_are_as_dark_as_their_share_and_in_the_colour_of_right_or_wrong() -> None:
    rows = [("alfa", [Field("9", 0.9, "9 right", True), Field("1", 0.1, "1 wrong", False)])]
    chart = draw_matrix("matrix", "Matrix", rows, ["alfa", "beta"], table=Table([], []))
    assert [(tile.series, float(tile.opacity)) for tile in chart.tiles] == [
        (1, round(0.9 * TILE_OPACITY, 2)),
        (2, round(0.1 * TILE_OPACITY, 2)),
    ]
    assert chart.description == "1 = alfa, 2 = beta"
