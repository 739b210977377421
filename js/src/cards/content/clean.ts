import DOMPurify, { type Config, type DOMPurify as Purifier } from "dompurify";

const XHTML = "http://www.w3.org/1999/xhtml";

const words = (list: string) => new Set(list.trim().split(/\s+/));

/** What may stay: what a text is made of. Of other elements only the words in them do, if any. */
const TAGS = words(`
  a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn div dl dt
  em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li mark ol p pre q rp rt ruby s samp
  section small span strike strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr
`);
const ATTRIBUTES = words(
  "align alt colspan datetime dir height href lang rowspan scope src start style title valign width",
);

const IMAGE = /^data:image\/(?:png|jpeg|webp|gif);base64,[a-z0-9+/=\s]*$/i;

const PROPERTIES = words(`
    background-color border border-bottom border-collapse border-color border-left border-radius border-right
    border-spacing border-style border-top border-width color direction font-size font-style font-variant font-weight
    height letter-spacing line-height margin margin-bottom margin-left margin-right margin-top max-width min-width
    padding padding-bottom padding-left padding-right padding-top text-align text-decoration text-indent
    text-transform vertical-align white-space width word-spacing
  `);
/** Numbers, names and colours; no quotes, no escapes, no comments, and of functions those of colours. */
const VALUE = /^(?:(?:rgba?|hsla?)\([0-9.,%\s/]+\)|[a-z0-9#.%+\s-])+$/i;

const CONFIG: Config & { RETURN_DOM_FRAGMENT: true } = {
  ALLOWED_TAGS: [...TAGS],
  ALLOWED_ATTR: [...ATTRIBUTES],
  ALLOWED_NAMESPACES: [XHTML],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

let purifier: Purifier | null = null;

export interface Cleaning {
  /** Links to other pages stay, and open in a tab of their own; else where one led is told by its title. */
  links?: boolean;
}

/** Markup without anything that runs, loads, or leads away by itself; null where this browser cannot tell. */
export function cleaned(markup: string, { links = false }: Cleaning = {}): DocumentFragment | null {
  purifier ??= withHooks(DOMPurify(window));
  // it would hand the markup back as it is
  if (!purifier.isSupported) return null;
  const fragment: DocumentFragment | null = purifier.sanitize(markup, CONFIG); // null for a page of frames
  if (!fragment || ![...fragment.querySelectorAll("*")].every(isListed)) return null;
  if (links) for (const link of fragment.querySelectorAll("a[title]")) openOutside(link);
  return fragment;
}

/** Makes an inert link, whose title says where it led, one again where that is another page. */
function openOutside(link: Element): void {
  const target = link.getAttribute("title") ?? "";
  if (!/^(?:https?:\/\/|mailto:)[^\s]+$/i.test(target)) return;
  link.setAttribute("href", target);
  link.setAttribute("target", "_blank");
  link.setAttribute("rel", "noopener noreferrer");
}

/** Whether an element is one that may stay: a second look, in case this page's DOM misled the first. */
function isListed({ namespaceURI, localName, attributes }: Element): boolean {
  const known = namespaceURI === XHTML && TAGS.has(localName);
  return known && [...attributes].every(({ name }) => ATTRIBUTES.has(name) && name !== "href");
}

function withHooks(own: Purifier): Purifier {
  own.addHook("uponSanitizeAttribute", (element, attribute) => {
    if (attribute.attrName === "src") {
      attribute.keepAttr = element.localName === "img" && IMAGE.test(attribute.attrValue);
    } else if (attribute.attrName === "style") {
      attribute.attrValue = plainStyle(attribute.attrValue);
      attribute.keepAttr = attribute.attrValue !== "";
    }
  });
  own.addHook("afterSanitizeAttributes", (element) => {
    const target = element.getAttribute("href");
    element.removeAttribute("href");
    if (target !== null) element.setAttribute("title", target);
    if (element.localName === "img" && !element.hasAttribute("alt")) element.setAttribute("alt", "");
  });
  return own;
}

/** The declarations of a style that only change how text looks. */
export function plainStyle(style: string): string {
  const kept: string[] = [];
  for (const declaration of style.split(";")) {
    const at = declaration.indexOf(":");
    const name = declaration.slice(0, at).trim().toLowerCase();
    const value = declaration.slice(at + 1).trim();
    if (at > 0 && PROPERTIES.has(name) && VALUE.test(value)) kept.push(`${name}: ${value}`);
  }
  return kept.join("; ");
}
