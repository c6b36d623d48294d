"""Leaves out points of a curve that a picture has no room for, and keeps its peaks."""

from collections.abc import Sequence

Point = tuple[float, float]
MOST_POINTS = 800  # of a picture 640 units wide


def thin(points: Sequence[Point], *, most: int = MOST_POINTS) -> list[Point]:
    """Return at most about `most` points in their order: of each stretch the lowest and the highest, and both ends."""
    if len(points) <= most:
        return list(points)
    stretch = -(-2 * len(points) // most)
    kept = {0, len(points) - 1}
    for start in range(0, len(points), stretch):
        places = range(start, min(start + stretch, len(points)))
        kept |= {min(places, key=lambda place: points[place][1]), max(places, key=lambda place: points[place][1])}
    return [points[place] for place in sorted(kept)]
