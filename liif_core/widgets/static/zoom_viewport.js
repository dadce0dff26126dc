// Where a screen stands over a photo. liif_core/explorer/viewport.py does the same arithmetic; here
// it lets the picture follow the hand before the kernel has answered. Pairs are [y, x].
export const MOST = 64; // screen pixels per photo pixel

const AXES = [0, 1];

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// photo and screen in pixels, centre in [-1, 1]; magnification 0 shows the whole photo.
export function viewport(photo, screen, centre, magnification) {
  const least = Math.min(...AXES.map((axis) => screen[axis] / photo[axis]));
  const most = Math.max(MOST, least);
  const scale = clamp(magnification, least, most);
  const small = (axis) => photo[axis] * scale < screen[axis] + 0.5;
  const middle = AXES.map((axis) => {
    if (small(axis)) return 0;
    const reach = 1 - screen[axis] / scale / photo[axis];
    return clamp(centre[axis], -reach, reach);
  });
  const spans = AXES.map((axis) => {
    const [size, pixels] = [photo[axis], screen[axis]];
    if (small(axis)) {
      const count = Math.max(1, Math.floor(size * scale + 0.5));
      return { first: Math.floor((pixels - count) / 2), count, start: 0, end: size };
    }
    const at = ((middle[axis] + 1) / 2) * size;
    const half = pixels / scale / 2;
    return { first: 0, count: pixels, start: Math.max(0, at - half), end: Math.min(size, at + half) };
  });
  return { photo, screen, centre: middle, magnification: scale, least, most, spans };
}

// Where a place on the screen lies, in photo pixels; and back.
export function placeAt(view, at) {
  return view.spans.map(
    ({ first, count, start, end }, axis) => start + ((at[axis] - first) * (end - start)) / count,
  );
}

export function screenAt(view, place) {
  return view.spans.map(
    ({ first, count, start, end }, axis) => first + ((place[axis] - start) * count) / (end - start),
  );
}

// The coordinate in [-1, 1] of the centre of a screen pixel, or null beside the photo.
export function coordAt(view, pixel) {
  const inside = view.spans.every(
    ({ first, count }, axis) => pixel[axis] >= first && pixel[axis] < first + count,
  );
  if (!inside) return null;
  const place = placeAt(view, [pixel[0] + 0.5, pixel[1] + 0.5]);
  return place.map((value, axis) => clamp((value * 2) / view.photo[axis] - 1, -1, 1));
}

export function cellOf(view) {
  return view.spans.map(
    ({ count, start, end }, axis) => (2 * (end - start)) / count / view.photo[axis],
  );
}

// `at` keeps showing the same place of the photo.
export function zoomed(view, factor, at) {
  const { photo, screen } = view;
  const closer = viewport(photo, screen, view.centre, view.magnification * factor);
  const centre = placeAt(view, at).map((place, axis) => {
    const middle = place - (at[axis] - screen[axis] / 2) / closer.magnification;
    return (middle * 2) / photo[axis] - 1;
  });
  return viewport(photo, screen, centre, closer.magnification);
}

export function panned(view, by) {
  const { photo, screen, magnification } = view;
  const centre = view.centre.map(
    (value, axis) => value + (2 * by[axis]) / magnification / photo[axis],
  );
  return viewport(photo, screen, centre, magnification);
}
