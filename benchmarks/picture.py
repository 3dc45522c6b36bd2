"""Curves drawn as SVG: copies a second by the number of hosts."""

from collections.abc import Mapping, Sequence

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 360, 64, 150, 24, 48
COLOURS = ("#1d70b8", "#d4351c", "#00703c")
_STYLE = "font: 13px sans-serif; fill: #0b0c0c"


def curves(across: Sequence[int], lines: Mapping[str, Sequence[float]]) -> str:
    """The lines over the numbers of hosts, each named at its end; the scale of neither is bent."""
    most = max(max(values) for values in lines.values())
    step = _round(most / 5)
    top = step * (int(most / step) + 1)

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / across[-1]

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>Copies a second by the number of hosts</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for number in range(int(top / step) + 1):
        at = y(number * step)
        parts.append(f'<line x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}" stroke="#d0d4d8"/>')
        parts.append(_text(LEFT - 8, at + 4, f"{number * step:g}", "end"))
    parts += [_text(x(value), HEIGHT - BOTTOM + 18, str(value), "middle") for value in across]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "hosts", "middle"))
    parts.append(_text(8, 14, "copies a second", "start"))
    for (name, values), colour in zip(lines.items(), COLOURS, strict=False):
        points = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in zip(across, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts.append(_text(x(across[-1]) + 8, y(values[-1]) + 4, name, "start"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _round(value: float) -> float:
    """A step that people count in: 1, 2 or 5 with noughts."""
    size = 1.0
    while size * 10 <= value:
        size *= 10
    return next((size * factor for factor in (1, 2, 5) if size * factor >= value), size * 10)


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="{_STYLE}">{words}</text>'
