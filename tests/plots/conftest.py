"""What every figure is held to at both widths of a journal."""

import pytest
from matplotlib.transforms import Bbox

from bayesurv.plots.style import WIDTH, root


def shown(axis, tick):
    low, high = sorted(axis.get_view_interval())
    room = 1e-9 * (high - low)
    return low - room <= tick.get_loc() <= high + room


@pytest.fixture
def on_the_page():
    """Whether a figure is as wide as it should be, and has no text cut off or over another."""

    def check(ax, columns):
        figure = root(ax)
        figure.draw_without_rendering()
        found = [*figure.legends, *figure.texts]
        for each in figure.axes:
            axes = (each.xaxis, each.yaxis)
            found += [*each.texts, each.title, each._left_title, *(a.label for a in axes)]
            found += [tick.label1 for a in axes for tick in a.get_major_ticks() if shown(a, tick)]
            found += [each.get_legend()] if each.get_legend() else []
        boxes = [one.get_window_extent() for one in found if one.get_visible()]
        boxes = [box for box in boxes if box.width > 0 and box.height > 0]
        page = Bbox.from_extents(figure.bbox.padded(2).extents)
        inside = all(page.contains(*box.min) and page.contains(*box.max) for box in boxes)
        apart = not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
        assert inside, "something is cut off"
        assert apart, "something lies over another"
        return figure.get_figwidth() == WIDTH[columns]

    return check
