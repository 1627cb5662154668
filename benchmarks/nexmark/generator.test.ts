// The generator gives the mix and the hot keys that Nexmark describes, and its Java twin, which
// feeds the peers, gives the same events to the last character. Method: one running hash over every
// field of every event, on both sides.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { addEvent, type Bid, type Event } from './event.ts';
import { NexmarkGenerator } from './generator.ts';

const TWIN = join(import.meta.dirname, '../peers/flink/src/main/java/bench');
const TWIN_CLASSES = ['Mixing', 'Vocabulary', 'Person', 'Auction', 'Bid', 'Event', 'Generator'];

function allOf(generator: NexmarkGenerator): Event[] {
  const events: Event[] = [];
  generator.fill(events, 0, generator.count);
  return events;
}

test('the generator gives 1 person, 3 auctions and 46 bids of 50 events, with ids in a row', () => {
  const events = allOf(new NexmarkGenerator({ events: 50_000 }));
  const persons = events.filter((event) => event.kind === 'person');
  const auctions = events.filter((event) => event.kind === 'auction');
  assert.deepEqual(
    persons.map(({ id }) => id),
    Array.from({ length: 1_000 }, (_, i) => 1_000 + i),
  );
  assert.deepEqual(
    auctions.map(({ id }) => id),
    Array.from({ length: 3_000 }, (_, i) => 1_000 + i),
  );
  assert.equal(events.length - persons.length - auctions.length, 46_000);
});

test('half of the bids are for the hot auction, three in four by the hot bidder', () => {
  const bids = allOf(new NexmarkGenerator({ events: 500_000 })).filter(
    (event): event is Bid => event.kind === 'bid',
  );
  const share = (is: (bid: Bid) => boolean): number => bids.filter(is).length / bids.length;
  const near = (figure: number, aim: number): void =>
    assert.ok(Math.abs(figure - aim) < 0.01, `${figure} is not about ${aim}`);
  near(
    share(({ auction }) => (auction - 1_000) % 100 === 0),
    0.5 + 0.5 / 100,
  );
  near(
    share(({ bidder }) => (bidder - 1_000) % 100 === 1),
    0.75 + 0.25 / 100,
  );
  near(
    share(({ channel }) => !channel.startsWith('channel-')),
    0.5,
  );
  near(
    share(({ price }) => price < 10_000),
    1 / 3,
  );
});

test('event time goes on at the rate; generators share ids, not time', () => {
  const one = new NexmarkGenerator({ events: 1_000, eventsPerSecond: 1_000 });
  assert.equal(one.watermarkMs(999) - one.watermarkMs(0), 999);
  const two = [0, 1].map((index) => {
    return new NexmarkGenerator({ events: 1_001, eventsPerSecond: 1_000, generators: 2, index });
  });
  assert.deepEqual(
    two.map(({ count }) => count),
    [500, 501],
  );
  for (const generator of two) {
    assert.equal(generator.watermarkMs(400) - generator.watermarkMs(0), 800);
  }
  const ids = two.flatMap(allOf).flatMap((event) => (event.kind === 'person' ? [event.id] : []));
  assert.deepEqual(
    ids,
    Array.from({ length: 21 }, (_, i) => 1_000 + i),
  );
});

test('an out-of-order generator gives the same events, moved inside of their groups', () => {
  const inOrder = allOf(new NexmarkGenerator({ events: 1_000 }));
  const moved = allOf(new NexmarkGenerator({ events: 1_000, outOfOrderGroupSize: 10 }));
  for (let group = 0; group < 1_000; group += 10) {
    const texts = (events: Event[]): string[] =>
      events.slice(group, group + 10).map((event) => JSON.stringify(event));
    assert.notDeepEqual(texts(moved), texts(inOrder));
    assert.deepEqual(texts(moved).sort(), texts(inOrder).sort());
  }
});

// Arguments of the twin: events, seed, events per second, generators, index, group size, first.
const CASES: readonly (readonly number[])[] = [
  [1_000_000, 1, 100_000, 1, 0, 1, 0],
  [100_001, 77, 10_000_000, 3, 2, 1, 0],
  [100_000, -5, 12_345.5, 2, 1, 7, 0],
  [2 ** 33 + 20_000, 3, 100_000, 1, 0, 1, 2 ** 33], // event numbers above 32 bits
];

test('the generator and its Java twin give the same hash', (context) => {
  if (spawnSync('javac', ['-version']).status !== 0) {
    context.skip('no javac here');
    return;
  }
  const classes = mkdtempSync(join(tmpdir(), 'millrace-twin-'));
  try {
    const sources = [...TWIN_CLASSES, 'EventHash'].map((name) => join(TWIN, `${name}.java`));
    const built = spawnSync('javac', ['-d', classes, ...sources], { encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    for (const arguments_ of CASES) {
      const [events, seed, eventsPerSecond, generators, index, group, first] = arguments_;
      const generator = new NexmarkGenerator({
        events: events!,
        ...{ seed, eventsPerSecond, generators, index, outOfOrderGroupSize: group },
      });
      let hash = 0;
      for (let n = first!; n < generator.count; n++) hash = addEvent(hash, generator.at(n));
      const twin = spawnSync('java', [
        '-cp',
        classes,
        'bench.EventHash',
        ...arguments_.map(String),
      ]);
      assert.equal(Number(twin.stdout), hash, `${arguments_} ${twin.stderr}`);
    }
  } finally {
    rmSync(classes, { recursive: true });
  }
});
