// The words and prices that events are made of: all made once, so that making an event costs a few
// look-ups and no new string, in JavaScript and in Java alike.
import { draw, mix32 } from './mixing.ts';

/** So many different texts of each kind: a draw of 10 bits picks one. */
const POOL_SIZE = 1_024;
/** Channels that are not hot. */
export const CHANNELS = 10_000;

/** Names of the four channels that get half of all bids, in the order of their numbers. */
export const HOT_CHANNELS: readonly string[] = ['Google', 'Facebook', 'Baidu', 'Apple'];
export const STATES: readonly string[] = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];
export const CITIES: readonly string[] = [
  ...['Phoenix', 'Los Angeles', 'San Francisco', 'Boise', 'Portland'],
  ...['Bend', 'Redmond', 'Seattle', 'Kent', 'Cheyenne'],
];
const FIRST_NAMES = 'Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter'.split(',');
const LAST_NAMES = 'Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris'.split(',');

/** 11 first names by 9 last names: name `first * 9 + last`. */
export const NAMES: readonly string[] = flat(
  FIRST_NAMES.flatMap((first) => LAST_NAMES.map((last) => `${first} ${last}`)),
);
export const EMAILS = pool(1, (i) => `${letters(i, 1, 7)}@${letters(i, 2, 5)}.com`);
export const CREDIT_CARDS = pool(2, (i) =>
  [1, 2, 3, 4].map((k) => String((draw(i, k) >>> 1) % 10_000).padStart(4, '0')).join(' '),
);
export const ITEM_NAMES = pool(3, (i) => letters(i, 1, 20));
export const DESCRIPTIONS = pool(4, (i) => letters(i, 1, 100));
/** Fill events up to their average size, 20 % more or less: 100, 200 and 500 bytes. */
export const BID_EXTRAS = pool(5, (i) => filler(i, 54, 82));
export const PERSON_EXTRAS = pool(6, (i) => filler(i, 92, 138));
export const AUCTION_EXTRAS = pool(7, (i) => filler(i, 266, 398));

export const HOT_URLS: readonly string[] = flat(HOT_CHANNELS.map((_, i) => urlOf(mix32(~i))));
export const CHANNEL_NAMES: readonly string[] = flat(
  Array.from({ length: CHANNELS }, (_, i) => `channel-${i}`),
);
/** Nine in ten name their channel. */
export const CHANNEL_URLS: readonly string[] = flat(
  Array.from({ length: CHANNELS }, (_, i) => {
    const url = urlOf(mix32(i));
    return (draw(i, 9) >>> 1) % 10 > 0 ? `${url}&channel_id=${i}` : url;
  }),
);

/**
 * Prices from 100 to 100 000 000, even on a logarithmic scale: a draw of 16 bits picks one. Made by
 * multiplication alone, because `exp` may differ in its last bit between machines.
 */
export const PRICES: Float64Array = pricesOf();

function pricesOf(): Float64Array {
  const step = 1.0002108301829544; // 10 ** (6 / 65_536)
  const prices = new Float64Array(65_536);
  let price = 100.01054095358921; // 100 * 10 ** (3 / 65_536)
  for (let i = 0; i < prices.length; i++) {
    prices[i] = Math.floor(price + 0.5);
    price *= step;
  }
  return prices;
}

function urlOf(hash: number): string {
  const [a, b, c] = [1, 2, 3].map((k) => letters(hash, k, 5));
  return `https://www.nexmark.com/${a}/${b}/${c}/item.htm?query=1`;
}

function pool(salt: number, textOf: (hash: number) => string): readonly string[] {
  return flat(Array.from({ length: POOL_SIZE }, (_, i) => textOf(draw(i, salt))));
}

function filler(hash: number, shortest: number, longest: number): string {
  return letters(hash, 1, shortest + ((draw(hash, 2) >>> 1) % (longest - shortest + 1)));
}

/** `length` small letters. */
function letters(hash: number, salt: number, length: number): string {
  const start = draw(hash, salt);
  const codes: number[] = [];
  for (let i = 0; i < length; i++) codes.push(97 + ((draw(start, i + 1) >>> 1) % 26));
  return String.fromCharCode(...codes);
}

/** Texts without the inner structure of a concatenation, which would make them slower to use. */
function flat(texts: readonly string[]): readonly string[] {
  return JSON.parse(JSON.stringify(texts));
}
