// The colours of charts, and the switch between light and dark.

// The palette of Okabe and Ito, in the order of the lines. Each colour has a dash pattern, so that
// lines also differ without colour, and two shades if one would be too faint in one of the themes.
const LINES = {
  light: ["#0072b2", "#b35900", "#007a5a", "#a8477f", "#4a4a4a", "#8a6d00"],
  dark: ["#56b4e9", "#e69f00", "#2dc08d", "#e08fbd", "#d0d0d0", "#f0e442"],
};
export const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3], [1, 2], [10, 4]];

let colours = null;

// The colours of the current theme, read once from the style sheet.
export function theme() {
  if (colours) return colours;
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  const isDark = read("--is-dark") === "1";
  colours = {
    isDark,
    text: read("--text"),
    quiet: read("--quiet"),
    line: read("--line"),
    ground: read("--ground"),
    accent: read("--accent"),
    bad: read("--bad"),
    lines: isDark ? LINES.dark : LINES.light,
    ramp: ramp(isDark),
  };
  return colours;
}

// 256 colours of evenly rising lightness, from violet over green to yellow, as packed RGBA. A light
// theme has them in reverse order, so that low counts are close to the background in both.
function ramp(isDark) {
  const packed = new Uint32Array(256);
  for (let i = 0; i < 256; i += 1) {
    const share = isDark ? i / 255 : 1 - i / 255;
    const [red, green, blue] = oklch(0.28 + 0.64 * share, 0.11 + 0.06 * Math.sin(Math.PI * share), 300 - 195 * share);
    packed[i] = (255 << 24) | (blue << 16) | (green << 8) | red;
  }
  return packed;
}

// From lightness, chroma and hue in Björn Ottosson's OKLab to bytes of sRGB.
function oklch(lightness, chroma, hue) {
  const angle = (hue * Math.PI) / 180;
  const [a, b] = [chroma * Math.cos(angle), chroma * Math.sin(angle)];
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return linear.map((value) => {
    const held = Math.min(1, Math.max(0, value));
    const curved = held <= 0.0031308 ? 12.92 * held : 1.055 * held ** (1 / 2.4) - 0.055;
    return Math.round(255 * curved);
  });
}

const KEPT = "tachograph-theme";

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

export function startTheme(onChange) {
  const apply = (chosen) => {
    document.documentElement.dataset.theme = chosen ?? "";
    colours = null;
  };
  apply(kept());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    colours = null;
    onChange();
  });
  return () => {
    const next = theme().isDark ? "light" : "dark";
    try {
      localStorage.setItem(KEPT, next);
    } catch {
      // Private windows may store nothing: the choice then holds until the page is closed.
    }
    apply(next);
    onChange();
  };
}
