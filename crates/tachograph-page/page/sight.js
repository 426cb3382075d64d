// Draws what is in sight; everything else is drawn once it is scrolled to.

const watched = new Map();

const observer = new IntersectionObserver(
  (entries) => entries.forEach(({ target, isIntersecting }) => watched.get(target)?.see(isIntersecting)),
  // A little early, so that nothing is blank while it is scrolled into sight.
  { rootMargin: "100px" },
);

// Paper shows everything.
addEventListener("beforeprint", () => watched.forEach((it) => it.see(true)));

export class Sight {
  constructor(element) {
    this.element = element;
    this.isSeen = false;
    this.waiting = null;
    watched.set(element, this);
    observer.observe(element);
  }

  // Calls `draw` now if the element is in sight. Otherwise the newest `draw` is called once it is.
  show(draw) {
    this.waiting = draw;
    if (this.isSeen) this.draw();
  }

  see(isSeen) {
    this.isSeen = isSeen;
    if (isSeen) this.draw();
  }

  draw() {
    const draw = this.waiting;
    this.waiting = null;
    draw?.();
  }

  free() {
    watched.delete(this.element);
    observer.unobserve(this.element);
  }
}
