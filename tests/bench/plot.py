# SPDX-License-Identifier: Apache-2.0
"""Overhead against event rate as an SVG drawing, both axes logarithmic."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 470
LEFT, RIGHT, TOP, BOTTOM = 72, 24, 56, 62
LOWEST, HIGHEST = 0.01, 1000.0  # percent
FONT = 'font-family="DejaVu Sans, Verdana, sans-serif"'

# Color and shape: readable without one of them.
STYLES = {
    "full, no governor": ("#c0392b", "square", "full, no governor"),
    "lifecycle, no governor": ("#d68910", "diamond", "create and exit only, no governor"),
    "host, governed": ("#1f618d", "circle", "with governor (budget 1 %)"),
    "control": ("#7f8c8d", "cross", "nothing attached: the noise"),
}


class Drawing:
    def __init__(self, first, last):
        self.parts = []
        self.first, self.last = math.log10(first) - 0.15, math.log10(last) + 0.15

    def x(self, rate):
        share = (math.log10(rate) - self.first) / (self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, percent):
        """What is too small for the scale, or below nothing, lies on its lower edge."""
        low, high = math.log10(LOWEST), math.log10(HIGHEST)
        value = math.log10(min(max(percent, LOWEST), HIGHEST))
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def line(self, x1, y1, x2, y2, color, width=1.0, dash=""):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke="{color}" stroke-width="{width}"{dashes}/>')

    def text(self, x, y, words, anchor="middle", size=12, color="#222", turn=False):
        turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {FONT} '
                          f'font-size="{size}" fill="{color}"{turned}>{escape(words)}</text>')

    def mark(self, x, y, color, shape, hollow):
        fill = "#fff" if hollow else color
        look = f'fill="{fill}" stroke="{color}" stroke-width="1.6"'
        shapes = {
            "circle": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" {look}/>',
            "square": f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" {look}/>',
            "diamond": f'<path d="M{x:.1f} {y - 5.5:.1f} l5.5 5.5 -5.5 5.5 -5.5 -5.5z" {look}/>',
            "cross": f'<path d="M{x - 4:.1f} {y - 4:.1f} l8 8 m0 -8 l-8 8" {look}/>',
        }
        self.parts.append(shapes[shape])


def number(value):
    return f"{value:g}" if value < 1000 else f"{value / 1000:g}k"


def axes(drawing, rates, budget):
    for power in range(round(math.log10(LOWEST)), round(math.log10(HIGHEST)) + 1):
        y = drawing.y(10.0 ** power)
        drawing.line(LEFT, y, WIDTH - RIGHT, y, "#ddd")
        drawing.text(LEFT - 8, y + 4, f"{10.0 ** power:g} %", "end")
    for rate in rates:
        x = drawing.x(rate)
        drawing.line(x, TOP, x, HEIGHT - BOTTOM, "#eee")
        drawing.text(x, HEIGHT - BOTTOM + 18, number(rate))
    drawing.line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, "#444")
    drawing.line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "#444")
    y = drawing.y(budget)
    drawing.line(LEFT, y, WIDTH - RIGHT, y, "#1e8449", 1.8, "7 4")
    drawing.text(WIDTH - RIGHT - 4, y - 6, f"budget: {budget:g} %", "end", 12, "#1e8449")
    drawing.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "goroutines created per second", size=13)
    drawing.text(18, (TOP + HEIGHT - BOTTOM) / 2, "added to the target's CPU time", size=13,
                 turn=True)


def curve(drawing, points, style):
    color, shape, _ = style
    places = [(drawing.x(p["rate"]), drawing.y(p["own"][0])) for p in points]
    if shape != "cross":
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        drawing.parts.append(f'<polyline points="{way}" fill="none" stroke="{color}" '
                             f'stroke-width="2"/>')
    for (x, y), p in zip(places, points):
        drawing.line(x, drawing.y(p["own"][1]), x, drawing.y(p["own"][2]), color, 1.2)
        drawing.mark(x, y, color, shape, p["own"][0] <= LOWEST)


def legend(drawing, names):
    for i, name in enumerate(names):
        x, y = LEFT + 12 + i % 2 * 300, 20 + i // 2 * 20
        color, shape, words = STYLES[name]
        drawing.mark(x, y - 4, color, shape, False)
        drawing.text(x + 12, y, words, "start")


def overhead(path, curves, budget):
    """`curves`: {name: [{rate, own: [median, least, most] in percent}, …]}."""
    names = [name for name in STYLES if curves.get(name)]
    rates = sorted({p["rate"] for name in names for p in curves[name]})
    drawing = Drawing(rates[0], rates[-1])
    drawing.parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>')
    axes(drawing, rates, budget)
    for name in reversed(names):
        curve(drawing, curves[name], STYLES[name])
    legend(drawing, names)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                   f'width="{WIDTH}" height="{HEIGHT}">\n<title>Overhead of gleakd by event '
                   f'rate</title>\n' + "\n".join(drawing.parts) + "\n</svg>\n")
