// Light or dark: the system's choice, or the reader's, which this browser remembers.
(() => {
  const kept = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // a browser that lets pages remember nothing
    }
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = (theme) => {
    document.documentElement.dataset.theme = theme;
    document.body.dataset.jpThemeLight = String(theme === "light"); // what the widgets go by
  };
  const follow = () => show(kept() ?? (dark.matches ? "dark" : "light"));
  follow();
  dark.addEventListener("change", follow);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      show(theme);
      try {
        localStorage.setItem("theme", theme);
      } catch {
        // It holds for this page alone.
      }
    });
  });
})();
