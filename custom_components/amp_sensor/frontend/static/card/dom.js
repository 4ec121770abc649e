/** Elements, made and changed with as little as it takes. */

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

export const html = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** Write a text where it is not there yet: whatever stays the same costs nothing. */
export function write(element, text) {
  if (element.written === text) return;
  element.written = text;
  element.textContent = text;
}

/** Set attributes that are not so yet; null takes one away. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
  }
}

export function style(element, name, value) {
  if (element.style.getPropertyValue(name) !== value) element.style.setProperty(name, value);
}

const SHAPES = {
  house: ["M12 3.2 2.6 11.4H5V20h5.2v-5.6h3.6V20H19v-8.6h2.4z"],
  car: [
    "M6.1 5.2A2 2 0 0 1 8 3.9h8a2 2 0 0 1 1.9 1.3l1.7 4.6A2.6 2.6 0 0 1 21 12.2V18a1 1 0 0 1-1 1h-1a1 1 0 0 1-1-1v-1H6v1a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-5.8a2.6 2.6 0 0 1 1.4-2.4zm.6 4.2h10.6l-1.2-3.5H7.9zM6.6 14.8a1.3 1.3 0 1 0 0-2.6 1.3 1.3 0 0 0 0 2.6m10.8 0a1.3 1.3 0 1 0 0-2.6 1.3 1.3 0 0 0 0 2.6",
  ],
  grid: ["M12 2 8.6 6.6H4.2v1.8h3.9L7.7 11H3.4v1.8h4L5.8 22h2.1l.5-2.6L12 16.6l3.6 2.8.5 2.6h2.1l-1.6-9.2h4V11h-4.3l-.4-2.6h3.9V6.6h-4.4zm0 3 1.2 1.6h-2.4zM9.9 8.4h4.2l.4 2.6h-5zm-.6 4.4h5.4l.2 1.1L12 16l-2.9-2.1zm-.2 3.4 1.5 1.1-1.8 1.4zm5.8 0 .3 2.5-1.8-1.4z"],
  over: ["M12 2.5 1.4 21h21.2zm-1.1 6.7h2.2v6h-2.2zm0 7.6h2.2V19h-2.2z"],
  silent: ["M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20m0 2a8 8 0 0 1 4.9 1.7L5.7 16.9A8 8 0 0 1 12 4m0 16a8 8 0 0 1-4.9-1.7L18.3 7.1A8 8 0 0 1 12 20"],
  lowered: ["M4 6h16l-8 13z"],
  raised: ["M4 18h16L12 5z"],
  paused: ["M6 5h4.2v14H6zm7.8 0H18v14h-4.2z"],
  started: ["M7 4.5v15L20 12z"],
  chevron: ["m8.3 5.2 6.8 6.8-6.8 6.8 1.6 1.6 8.4-8.4-8.4-8.4z"],
};

export const icon = (name, attributes = {}) =>
  svg(
    "svg",
    { viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon", ...attributes },
    SHAPES[name].map((d) => svg("path", { d, "fill-rule": "evenodd" })),
  );
