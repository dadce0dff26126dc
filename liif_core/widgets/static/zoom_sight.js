// Whether an element can be seen, and when its size changes.

// fit(): it may have another size; visible(whether). Returns a function that ends it.
export function watchSight(root, { fit, visible }) {
  let inSight = false;
  const tell = () => visible(inSight && !document.hidden);
  const resized = new ResizeObserver(fit);
  const seen = new IntersectionObserver(([entry]) => {
    inSight = entry.isIntersecting;
    fit();
    tell();
  });
  resized.observe(root);
  seen.observe(root);
  document.addEventListener("visibilitychange", tell);
  return () => {
    document.removeEventListener("visibilitychange", tell);
    resized.disconnect();
    seen.disconnect();
  };
}
