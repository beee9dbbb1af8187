"""Draws the floors of the package from its imports: ``python doc/floors.py`` writes ``doc/_static/floors.svg``."""

import runpy
from pathlib import Path

DOC = Path(__file__).parent
CODE = runpy.run_path(str(DOC.parent / "tests" / "test_architecture.py"))

TILES = "kernels/src"
ROOMS = {**{room: floor for room, (floor, _) in CODE["ROOMS"].items()}, TILES: 0}
FLOORS = ["register tiles", "the machine", "bits", "folding", "deciding, training", "estimators", "public names"]

LEFT, WIDTH, COLUMN, LINE, GAP = 140, 1020, 160, 16, 50  # pixels


def files_of(room):
    """Names of the files in a room, a folder."""
    paths = sorted((CODE["PACKAGE"] / room).glob("*.c" if room == TILES else "*.py*"))
    return [path.name for path in paths if path.suffix in (".c", ".py", ".pyx") and path.name != "__init__.py"]


def imports():
    """Rooms that each room imports, without those that another of them imports anyway."""
    below = {room: set() for room in ROOMS}
    for module, imported in CODE["imports_of_rooms"]():
        below[CODE["room_of"](module)].add(CODE["room_of"](imported))
    below["kernels"] = {TILES}  # by cdef extern

    def all_below(room):
        return below[room].union(*map(all_below, below[room]))

    return {room: ones.difference(*map(all_below, ones)) for room, ones in below.items()}


def boxes():
    """Left, top, width and height of each room's box, and the whole height; a floor's rooms stand side by side."""
    out, top = {}, GAP // 2
    for floor in reversed(range(len(FLOORS))):
        rooms = [room for room, at in ROOMS.items() if at == floor]
        width = WIDTH // len(rooms)
        lines = max(-(-len(files_of(room)) // max(1, width // COLUMN)) for room in rooms)
        for place, room in enumerate(rooms):
            out[room] = LEFT + place * width, top, width - 14, (lines + 1) * LINE + 12
        top += (lines + 1) * LINE + 12 + GAP
    return out, top - GAP // 2


def drawing():
    """The SVG: a row of boxes for each floor, an arrow for each import between rooms."""
    placed, height = boxes()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH}" height="{height}" font-family="sans-serif" '
        'font-size="12">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#678"/></marker></defs>',
        f'<rect width="{LEFT + WIDTH}" height="{height}" fill="white"/>',
    ]
    for room, others in imports().items():
        left, top, width, tall = placed[room]
        for number, other in enumerate(sorted(others), 1):
            at, below, wide, _ = placed[other]
            x, y = left + width * number / (len(others) + 1), top + tall
            end = (at + wide / 2, below) if below > top else (at + wide * (at < left), below + tall / 2)
            if below == top:  # side by side
                x, y = left + width * (at > left), top + tall / 2
            parts.append(
                f'<line x1="{x:.0f}" y1="{y:.0f}" x2="{end[0]:.0f}" y2="{end[1]:.0f}" stroke="#678" '
                'marker-end="url(#tip)"/>'
            )
    for floor, name in enumerate(FLOORS):
        top = next(placed[room][1] for room, at in ROOMS.items() if at == floor)
        parts.append(f'<text x="8" y="{top + 18}"><tspan font-weight="bold">{floor}</tspan> {name}</text>')
    for room, (left, top, width, tall) in placed.items():
        parts.append(
            f'<rect x="{left}" y="{top}" width="{width}" height="{tall}" rx="5" fill="#eef4fa" stroke="#89a"/>'
            f'<text x="{left + 8}" y="{top + 18}" font-weight="bold">{room}</text>'
        )
        columns = max(1, width // COLUMN)
        for place, name in enumerate(files_of(room)):
            row, column = divmod(place, columns)
            x, y = left + 8 + column * COLUMN, top + 18 + (row + 1) * LINE
            parts.append(f'<text x="{x}" y="{y}" fill="#345">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    (DOC / "_static" / "floors.svg").write_text(drawing())
