// Where a path leads after the moves, and a text with its paths rewritten.

import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Files that speak of old paths, or of what was. */
const LEFT = /^(\.ci\/(moves\/|ledger\/(ledger\.txt|moved\.json))|CHANGELOG\.md$|package-lock\.json$)/;
const RELATIVE = /(?<![\w./@\\-])\.{1,2}\/(?:[\w.@-]+\/?)*/g;
const ROOTED = /(?<![\w./@\\-])server\/(?:[\w.@-]+\/?)*/g;

export const map = JSON.parse(readFileSync(new URL('map.json', import.meta.url), 'utf8'));

const byNewPath = new Map(Object.entries(map.files).map(([from, to]) => [to, from]));
const made = new Map(map.declarations.filter(({ about }) => about).map(({ from, to }) => [to, from]));

/** The path that a file had before the moves. A file that only declarations made has that of the file where the first of them was. */
export function oldPathOf(path) {
  const moved = made.get(path) ?? path;
  const folder =
    map.files[moved] === undefined && [...byNewPath.keys()].find((to) => to.endsWith('/') && moved.startsWith(to));
  return byNewPath.get(moved) ?? (folder ? byNewPath.get(folder) + moved.slice(folder.length) : moved);
}

/** The moves of a tree: `files` are its paths. */
export class Moves {
  #files;
  #same;
  #moved;
  #folders;
  /** What of `texts` finds no place. */
  problems = new Set();
  #divided = new Set();

  constructor(files) {
    this.#files = new Set(files);
    this.#moved = this.#expanded(map.files);
    this.#same = this.#expanded(map.same);
    this.#folders = this.#movedFolders([...this.#files]);
  }

  get moved() {
    return this.#moved;
  }

  get same() {
    return this.#same;
  }

  /** Files of the map that are not there. */
  get missing() {
    return Object.keys(map.files).filter((path) => !path.endsWith('/') && !this.#files.has(path));
  }

  /** Each file by itself, folders taken apart; what names a file goes before what names its folder. */
  #expanded(entries) {
    const folders = Object.entries(entries).filter(([from]) => from.endsWith('/'));
    const inFolders = folders.flatMap(([from, to]) =>
      [...this.#files].filter((path) => path.startsWith(from)).map((path) => [path, to + path.slice(from.length)]),
    );
    const single = Object.entries(entries).filter(([from]) => this.#files.has(from));
    return new Map([...inFolders, ...single]);
  }

  /** The path of a file after the moves. */
  to(path) {
    return this.#same.get(path) ?? this.#moved.get(path) ?? path;
  }

  /** Whether a file goes since another is the same. */
  isReplaced(path) {
    return this.#same.has(path);
  }

  /** A file's text after the moves, before declarations move. */
  textOf(path, text) {
    if (LEFT.test(path)) return text;
    const to = this.to(path);
    const paths = text
      .replaceAll(ROOTED, (found) => this.#rooted(found))
      .replaceAll(RELATIVE, (found) => this.#relative(path, to, found));
    return this.#withTexts(to, paths);
  }

  #withTexts(path, text) {
    let result = text;
    for (const { find, replace } of map.texts.filter(({ file }) => file === path)) {
      if (result.split(find).length !== 2) this.problems.add(`${path} does not have this once: ${find}`);
      result = result.replace(find, () => replace);
    }
    return result;
  }

  /** Folders that the text names though their files went to several places: `texts` has to say what is meant now. */
  dividedIn(path, text) {
    if (LEFT.test(path)) return [];
    const rooted = [...text.matchAll(ROOTED)].map(([found]) => split(found)[0]);
    const relative = [...text.matchAll(RELATIVE)].map(([found]) => posix.join(posix.dirname(path), split(found)[0]));
    return [...rooted, ...relative].map((name) => name.replace(/\/$/, '')).filter((name) => this.#divided.has(name));
  }

  #rooted(found) {
    const [path, rest] = split(found);
    return (this.#placeOf(path) ?? path) + rest;
  }

  #relative(path, to, found) {
    const [name, rest] = split(found);
    const old = posix.join(posix.dirname(path), name);
    const place = this.#placeOf(old);
    if (place === undefined) return found;
    if (this.#same.has(old) && /\.m?ts$/.test(path))
      return `@muster/sdk/${place.slice('sdk/typescript/src/'.length).replace(/\.ts$/, '')}${rest}`;
    const relative = posix.relative(posix.dirname(to), place);
    const written = relative.startsWith('.') ? relative : `./${relative}`;
    return (written === posix.normalize(name) || (place === old && to === path) ? name : written) + rest;
  }

  /** Where a file or a folder is after the moves; undefined for neither. A divided folder keeps its path. */
  #placeOf(path) {
    if (this.#files.has(path)) return this.to(path);
    // The extension is put in when the file is read.
    if (path.endsWith('.') && this.#files.has(`${path}ts`)) return this.to(`${path}ts`).slice(0, -2);
    const folder = path.replace(/\/$/, '');
    const place = this.#folders.get(folder);
    return place && (path.endsWith('/') ? `${place}/` : place);
  }

  #movedFolders(files) {
    const found = new Map();
    for (const file of files) {
      for (let folder = posix.dirname(file); folder !== '.'; folder = posix.dirname(folder)) {
        const tail = file.slice(folder.length);
        const to = this.to(file);
        const place = to.endsWith(tail) ? to.slice(0, -tail.length) : undefined;
        const places = found.get(folder) ?? new Set();
        found.set(folder, places.add(place));
      }
    }
    return new Map([...found].map(([folder, places]) => [folder, this.#placeOfAll(folder, [...places])]));
  }

  #placeOfAll(folder, places) {
    const [place] = places;
    if (places.length === 1 && place !== undefined) return place;
    if (![...this.#files].some((file) => this.to(file).startsWith(`${folder}/`))) this.#divided.add(folder);
    return folder;
  }
}

/** A path and the full stop of the sentence that ends with it. */
function split(found) {
  const [, path, rest] = /^(.*?)((?<=\w)\.)?$/.exec(found);
  return [path, rest ?? ''];
}
