"""Curves over two axes: where their points stand, what belongs to which, and what a file of them holds."""

from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from bert_training.charts.curves import LEFT, PLOT_HEIGHT, TOP, Axis, Curve, Mark, axis_around, draw_curves, draw_dots
from bert_training.charts.shapes import WIDTH

SVG = "{http://www.w3.org/2000/svg}"
SHARES, STEPS = Axis("share right"), Axis("steps", high=200.0, text=lambda value: f"{value:.0f}")


def test_a_curve_goes_from_corner_to_corner_of_its_axes() -> None:
    chart = draw_curves(
        "right", "Right", [Curve("network", [(0, 0.0), (100, 0.5), (200, 1.0)])], across=STEPS, up=SHARES
    )
    places = [tuple(map(float, place.split(","))) for place in chart.strokes[0].points.split()]
    assert places == [(LEFT, TOP + PLOT_HEIGHT), ((LEFT + WIDTH - 16) / 2, TOP + PLOT_HEIGHT / 2), (WIDTH - 16, TOP)]


def test_an_interval_is_drawn_around_its_curve_and_every_curve_is_named() -> None:
    measured = Curve("network", [(0, 0.2), (200, 0.6)], interval=[(0.1, 0.3), (0.4, 0.8)], titles=["20%", "60%"])
    chart = draw_curves(
        "both",
        "Both",
        [measured, Curve("chance", [(0, 0.5), (200, 0.5)], 2, is_reference=True)],
        across=STEPS,
        up=SHARES,
    )
    heights = [float(place.split(",")[1]) for place in chart.bands[0].points.split()]
    assert heights == [round(TOP + PLOT_HEIGHT * (1 - share), 1) for share in (0.1, 0.4, 0.8, 0.3)]
    assert [dot.title for dot in chart.dots] == ["20%", "60%"]
    assert [words.text for words in chart.words[-2:]] == ["network", "chance"]


def test_a_picture_has_the_same_shapes_in_every_language() -> None:
    pictures = []
    for language in ("en", "pt-br"):
        with translation.override(language):
            chart = draw_dots("runs", "Runs", [Mark(12.5, 0.333, "<b>run</b>")], across=STEPS, up=SHARES)
            text = render_to_string("charts/chart.svg", {"chart": chart, "is_file": True})
        picture = ElementTree.fromstring(text)  # noqa: S314 - our own
        pictures.append([shape.attrib for shape in picture.iter(f"{SVG}circle")])
    assert pictures[0] == pictures[1] != []
    assert chart.dots[0].title == "<b>run</b>"


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0.45, 0.92], [0.4, 0.6, 0.8, 1.0]),
        ([0.0, 600.0], [0, 200, 400, 600]),
        ([0.00001, 0.0001], [0, 0.000025, 0.00005, 0.000075, 0.0001]),
        ([3.0], [3, 4]),
        ([0.0], [0, 0.25]),
    ],
)
def test_an_axis_around_values_is_marked_at_round_numbers(values: list[float], ticks: list[float]) -> None:
    axis = axis_around("x", values, str)
    assert axis.ticks() == pytest.approx(ticks)
    assert all(0 <= axis.place(value) <= 1 for value in values)


@pytest.mark.parametrize(
    "values", [(1.7e308, -1.7e308), (0.0, 1.7e308), (5e-324, 0.0), (-1e308, -1e308), (0.5, 0.5 + 1.2e-16)]
)
def test_figures_at_the_end_of_all_numbers_are_drawn(values: tuple[float, float]) -> None:
    up = axis_around("loss", values, str)
    points = [(float(step), value) for step, value in enumerate(values)]
    dots = draw_dots("d", "D", [Mark(x, y, "a run") for x, y in points], across=STEPS, up=up).dots
    plain = Axis("loss", min(values), max(values), str)
    (stroke,) = draw_curves("c", "C", [Curve("run", points)], across=STEPS, up=plain).strokes
    heights = [*(dot.y for dot in dots), *(float(place.split(",")[1]) for place in stroke.points.split())]
    assert all(TOP <= height <= TOP + PLOT_HEIGHT for height in heights)
