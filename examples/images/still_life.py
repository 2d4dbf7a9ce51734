"""Renders still-life.png: fruit and a jug on a table, found by marching rays through distances.

python examples/images/still_life.py    # needs numpy and pillow; half a minute
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

Array = np.ndarray

WIDTH, HEIGHT, SAMPLES = 320, 240, 2
LIGHT = np.array([-0.55, 0.7, -0.45]) / np.linalg.norm([-0.55, 0.7, -0.45])
EYE, TARGET = np.array([0.1, 1.75, -5.6]), np.array([0.05, 0.72, 0.0])
TABLE, WALL, JUG, APPLE, STALK, ORANGE, PEAR, LEMON = range(8)
COLOURS = np.array(
    [
        [0.45, 0.27, 0.15],
        [0.46, 0.50, 0.47],
        [0.20, 0.34, 0.52],
        [0.70, 0.10, 0.09],
        [0.20, 0.12, 0.06],
        [0.93, 0.47, 0.07],
        [0.62, 0.66, 0.17],
        [0.95, 0.82, 0.20],
    ]
)
SHINE = np.array([0.15, 0.0, 0.6, 0.5, 0.0, 0.25, 0.25, 0.3])


def smooth_min(a: Array, b: Array, k: float) -> Array:
    """A union whose seam is rounded."""
    h = np.clip(0.5 + 0.5 * (b - a) / k, 0, 1)
    return b + (a - b) * h - k * h * (1 - h)


def ball(p: Array, centre: tuple[float, float, float], radius: float, stretch: tuple[float, ...] = (1, 1, 1)) -> Array:
    """A ball, or nearly an ellipsoid."""
    scale = np.array(stretch)
    return (np.linalg.norm((p - centre) / scale, axis=-1) - radius) * scale.min()


def tube(p: Array, a: tuple[float, float, float], b: tuple[float, float, float], radius: float) -> Array:
    """A rod with round ends."""
    start, along = np.array(a), np.subtract(b, a)
    t = np.clip((p - start) @ along / (along @ along), 0, 1)
    return np.linalg.norm(p - start - t[..., None] * along, axis=-1) - radius


def jug(p: Array) -> Array:
    """A belly, a neck and a lip turned about an axis, hollow, with a handle."""
    x, y, z = p[..., 0] + 0.75, p[..., 1], p[..., 2] - 0.75
    r = np.hypot(x, z)
    profile = 0.36 + 0.27 * np.exp(-(((y - 0.6) / 0.42) ** 2)) + 0.10 * np.exp(-(((y - 1.75) / 0.16) ** 2))
    body = np.maximum((r - profile) * 0.75, np.maximum(-y, y - 1.72))
    body = np.maximum(body, -np.maximum((r - profile + 0.06) * 0.75, 0.1 - y))
    ring = np.hypot(np.hypot((x + 0.50) * 1.15, (y - 1.15) * 0.85) - 0.36, z) - 0.065
    return smooth_min(body, np.maximum(ring, 0.42 - r), 0.06)


def apple(p: Array) -> Array:
    """A sphere with a dent above and a slight one below."""
    x, y, z = p[..., 0] - 0.25, p[..., 1] - 0.42, p[..., 2] + 0.30
    r = np.hypot(x, z)
    return (np.hypot(r - 0.13, y * 0.93) - 0.34 + 0.05 * y) * 0.85


def distances(p: Array) -> Array:
    """The distance to each thing, one a row."""
    pear = smooth_min(ball(p, (1.05, 0.42, 0.35), 0.42), ball(p, (1.12, 1.0, 0.38), 0.2), 0.35)
    stalks = np.minimum(
        tube(p, (0.25, 0.55, -0.30), (0.33, 0.92, -0.33), 0.025), tube(p, (1.12, 1.15, 0.38), (1.2, 1.38, 0.36), 0.025)
    )
    turned = np.stack([p[..., 0] * 0.8 + p[..., 2] * 0.6, p[..., 1], p[..., 2] * 0.8 - p[..., 0] * 0.6], axis=-1)
    lemon = smooth_min(
        ball(turned, (-0.95, 0.24, -0.16), 0.24, (1.25, 1, 1)), ball(turned, (-1.26, 0.24, -0.16), 0.07), 0.1
    )
    orange = ball(p, (0.95, 0.36, -0.62), 0.36)
    return np.stack([p[..., 1], 2.6 - p[..., 2], jug(p), apple(p), stalks, orange, pear, lemon])


def march(origin: Array, direction: Array, steps: int, far: float) -> tuple[Array, Array]:
    """How far each ray comes, and how narrowly it passed what it passed (for soft shadows)."""
    t, pass_by = np.full(direction.shape[:-1], 0.02), np.ones(direction.shape[:-1])
    for _ in range(steps):
        d = distances(origin + t[..., None] * direction).min(0)
        pass_by = np.minimum(pass_by, 9 * d / t)
        t = np.minimum(t + np.maximum(d * 0.8, 0.002) * (d > 0.0008), far)
    return t, np.clip(pass_by, 0, 1)


def normals(p: Array) -> Array:
    """The direction in which the distance grows fastest."""
    steps = 0.0008 * np.eye(3)
    n = np.stack([distances(p + s).min(0) - distances(p - s).min(0) for s in steps], axis=-1)
    return n / np.linalg.norm(n, axis=-1, keepdims=True)


def colours(p: Array, thing: Array) -> Array:
    """Of each point: the thing's, with wood grain, an apple's streaks, an orange's pores."""
    colour = COLOURS[thing]
    grain = np.sin(26 * p[..., 2] + 3 * np.sin(1.3 * p[..., 0]) + 0.6 * np.sin(9 * p[..., 0]))
    streaks = np.sin(
        17 * (turn := np.arctan2(p[..., 2] + 0.30, p[..., 0] - 0.25)) + 3 * np.sin(5 * turn) + 4 * p[..., 1]
    ) * np.clip(1.2 - p[..., 1], 0, 1)
    shade = np.select([thing == TABLE, thing == JUG], [0.13 * grain, 0.25 * (np.abs(p[..., 1] - 1.1) < 0.03)], 0.0)
    colour = colour * (1 + shade[..., None])
    return colour + np.where(thing == APPLE, np.clip(streaks, 0, 1) * 0.12, 0.0)[..., None] * np.array([0.9, 0.75, 0.1])


def render() -> Array:
    """The picture, as bytes."""
    rows, columns = np.mgrid[0 : HEIGHT * SAMPLES, 0 : WIDTH * SAMPLES] / SAMPLES
    forward = (TARGET - EYE) / np.linalg.norm(TARGET - EYE)
    right = np.cross([0, 1, 0], forward)
    right /= np.linalg.norm(right)
    up = np.cross(forward, right)
    u, v = (columns - WIDTH / 2) / HEIGHT, (HEIGHT / 2 - rows) / HEIGHT
    direction = 1.6 * forward + u[..., None] * right + v[..., None] * up
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)

    t, _ = march(EYE, direction, 110, 14.0)
    p = EYE + t[..., None] * direction
    thing, n = distances(p).argmin(0), normals(p)
    _, lit = march(p + 0.01 * n, np.broadcast_to(LIGHT, p.shape), 50, 6.0)
    near = np.clip(distances(p + 0.12 * n).min(0) / 0.12, 0, 1)  # corners that little sky is seen from
    half = LIGHT - direction
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    diffuse, glint = np.clip(n @ LIGHT, 0, 1) * lit, np.clip((n * half).sum(-1), 0, 1) ** 60 * lit
    ambient = (0.16 + 0.14 * n[..., 1]) * (0.35 + 0.65 * near)
    light = diffuse[..., None] * np.array([1.25, 1.12, 0.95]) + ambient[..., None] * np.array([0.8, 0.95, 1.2])
    picture = colours(p, thing) * light + (SHINE[thing] * glint)[..., None]
    picture = picture.reshape(HEIGHT, SAMPLES, WIDTH, SAMPLES, 3).mean((1, 3))
    return (np.clip(picture, 0, 1) ** (1 / 2.2) * 255).round().astype(np.uint8)


if __name__ == "__main__":
    Image.fromarray(render()).save(Path(__file__).with_name("still-life.png"), optimize=True)
