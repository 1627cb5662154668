// Places of checkpoints are paths or URLs. A URL may end with parameters for its driver:
//
//   s3://bucket/prefix?region=x   +   orders   =   s3://bucket/prefix/orders?region=x

/** The scheme of a URL, in small letters; null: it is a path (a drive letter is no scheme). */
export function schemeOf(place: string): string | null {
  return /^([a-z][a-z0-9+.-]+):/i.exec(place)?.[1]?.toLowerCase() ?? null;
}

/** A place without slashes at its end, and the parameters that follow it: empty or `?...`. */
export function splitPlace(place: string): { readonly path: string; readonly query: string } {
  const at = schemeOf(place) === null ? -1 : place.indexOf('?');
  const path = at < 0 ? place : place.slice(0, at);
  return { path: path.replace(/\/+$/, ''), query: at < 0 ? '' : place.slice(at) };
}

/**
 * The place of that name in another one.
 *
 * @param name as it is; in a URL it is encoded where it must be
 */
export function placeBelow(place: string, name: string): string {
  const { path, query } = splitPlace(place);
  const isUrl = schemeOf(place) !== null;
  return `${path}/${isUrl ? name.split('/').map(encodeURIComponent).join('/') : name}${query}`;
}
