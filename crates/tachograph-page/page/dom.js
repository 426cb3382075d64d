// Makes elements without markup in strings, so that text from series and labels is never HTML.

// h("td", { class: "number", onclick }, "text", child, …)
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((it) => it !== null && it !== undefined));
  return element;
}

// Writes a text only if it has changed, so that screen readers read only changes. What was written is
// kept, because reading it back from the document is slow; its node too, because a new one costs a new style.
export function say(element, text) {
  if (element.said === text) return;
  element.said = text;
  if (element.saidIn) element.saidIn.data = text;
  else element.replaceChildren((element.saidIn = document.createTextNode(text)));
}

// Sets an attribute only if it has changed; null removes it.
export function attribute(element, name, value) {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}
