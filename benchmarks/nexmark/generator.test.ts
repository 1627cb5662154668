// The generator gives the mix and the hot keys that Nexmark describes, and always the same events.
// Method: shares over many events; one running hash over every field of every event, compared with
// figures that its Java twin has to reach as well (test/servers/nexmark-twin.test.ts).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addEvent, type Bid, type Event } from './event.ts';
import { NexmarkGenerator } from './generator.ts';
import { KNOWN_STREAMS, type KnownStream } from './known-streams.ts';

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

test('the same arguments give the same events for ever, and on every machine', () => {
  for (const { hash, ...wanted } of KNOWN_STREAMS) assert.equal(hashOf(wanted), hash);
});

function hashOf(stream: Omit<KnownStream, 'hash'>): number {
  const generator = new NexmarkGenerator(stream);
  let hash = 0;
  for (let n = stream.first; n < generator.count; n++) hash = addEvent(hash, generator.at(n));
  return hash;
}
