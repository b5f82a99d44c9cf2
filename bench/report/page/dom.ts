/**
 * Makes elements. Texts become text nodes and attributes are set one by one, so nothing of a report
 * is ever parsed as HTML. No framework: the page is drawn once for each language.
 */

export type Child = Node | string | number | null | undefined | false
type Attributes = Readonly<Record<string, string | number | boolean | EventListener | undefined>>

const SVG = 'http://www.w3.org/2000/svg'

/**
 * An HTML element; `onclick` and the like take listeners, `true` sets an attribute without a value.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), attributes, children)
}

/** The same for SVG. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS(SVG, tag), attributes, children)
}

function filled<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children)
    if (child !== null && child !== undefined && child !== false)
      element.append(typeof child === 'number' ? String(child) : child)
  return element
}

/** A heading with its section around it; `id` is what the navigation leads to. */
export function section(id: string, title: string, ...children: Child[]): HTMLElement {
  const heading = h('h2', { id: `${id}-title` }, title)
  return h('section', { id, 'aria-labelledby': `${id}-title` }, heading, ...children)
}

/** A colour of the style sheet as it is now, light, dark or on paper. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}
