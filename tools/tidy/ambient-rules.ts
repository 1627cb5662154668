import { isPackageSource, type SourceFile } from './repository.ts';
import { importsOf } from './layer-rules.ts';

/** Hosts, drivers, connectors that speak to the world, the command: the rim (design, section 8). */
const allowedPlaces: readonly RegExp[] = [
  /^packages\/core\/src\/embedded\//,
  /^packages\/core\/src\/storage\/(?:node-file-system|conformance)\.ts$/,
  /^packages\/connectors\/src\/(?:[^/]+\/)*(?:node-)?(?:socket|tcp)[^/]*(?:\/|\.ts$)/,
  // Streams of zlib, driven through their synchronous handle.
  /^packages\/connectors\/src\/file-source\/decompressor\.ts$/,
  /^packages\/storage-[a-z0-9]+\//,
  /^packages\/millrace\//,
  /^packages\/testing\/src\/environment\/event-loop\.ts$/,
  /^packages\/testing\/src\/(?:process|real-process|kill)[^/]*(?:\/|\.ts$)/,
];

// By member, because `process` is also what functions of users are called here.
const processMembers = [
  'env|pid|exit|exitCode|on|once|off|hrtime|memoryUsage|nextTick|argv|cwd|stdout|stderr|stdin',
  'versions?|platform|uptime|cpuUsage|kill|emitWarning',
].join('|');

const bannedCalls: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b|\bnew Date\(\s*\)|(?<![\w$.])Date\(\s*\)/g, 'reads the wall clock'],
  [/(?<![\w$.])performance\.\w+/g, 'reads a clock'],
  [/(?<![\w$.])(?:setTimeout|setInterval|setImmediate)\b/g, 'starts a timer'],
  [/\bMath\.random\b/g, 'takes chance'],
  [/\bcrypto\.(?:random\w+|getRandomValues|subtle)\b/g, 'takes chance'],
  [/(?:\bawait|\breturn|[=(,]|\bglobalThis\.)\s*fetch\s*\(/g, 'reaches the network'],
  [/\bAtomics\.waitAsync\b/g, 'waits outside the scheduler'],
  [/\b(?:WeakRef|FinalizationRegistry)\b/g, 'depends on the garbage collector'],
  [new RegExp(`(?<![\\w$.])process\\.(?:${processMembers})\\b`, 'g'), 'reaches the process'],
  [
    /\.(?:get|set)(?:Hours|Minutes|Seconds|Milliseconds|Date|Day|Month|FullYear)\(/g,
    'uses the local time zone',
  ],
  [
    /\.getTimezoneOffset\(|\.toLocale(?:Date|Time)?String\(|\bIntl\.DateTimeFormat\b/g,
    'uses the local time zone or language',
  ],
  [/\bMessageChannel\b|\bnew Worker\(/g, 'starts a thread or a port'],
];

const harmlessModules: ReadonlySet<string> = new Set([
  'node:assert',
  'node:assert/strict',
  'node:buffer',
  'node:path',
  'node:path/posix',
  'node:string_decoder',
  'node:url',
  'node:util',
]);

/** @returns whether a file may touch clock, chance, disk, network and threads by itself */
export function mayTouchTheWorld(path: string): boolean {
  return allowedPlaces.some((place) => place.test(path));
}

/** @returns one line per ambient call or module below the rim */
export function ambientOffenders(files: readonly SourceFile[]): string[] {
  const offenders: string[] = [];
  for (const file of files) {
    if (!isPackageSource(file) || mayTouchTheWorld(file.path)) continue;
    for (const [pattern, why] of bannedCalls) {
      for (const match of file.code.matchAll(pattern)) {
        const line = file.code.slice(0, match.index).split('\n').length;
        offenders.push(`${file.path}:${line}: ${match[0].trim()} ${why}`);
      }
    }
    for (const { specifier, line } of importsOf(file)) {
      if (!specifier.startsWith('node:') || harmlessModules.has(specifier)) continue;
      const names = importedNames(file, specifier);
      if (specifier === 'node:zlib' && names.every(isSynchronousZlib)) continue;
      if (
        specifier === 'node:crypto' &&
        names.every((name) => /^(?:createHash|hash)$/.test(name))
      ) {
        continue;
      }
      offenders.push(`${file.path}:${line}: imports { ${names.join(', ')} } of ${specifier}`);
    }
  }
  return offenders;
}

function isSynchronousZlib(name: string): boolean {
  return /Sync$/.test(name) || name === 'crc32' || name === 'constants';
}

/** Names taken from a module; a namespace or default import counts by the members it reads. */
function importedNames(file: SourceFile, specifier: string): string[] {
  const names: string[] = [];
  const quoted = specifier.replace('/', '\\/');
  const pattern = new RegExp(`import\\s+([^;'"]*?)\\s+from\\s*['"]${quoted}['"]`, 'g');
  for (const [, clause = ''] of file.text.matchAll(pattern)) {
    const braces = /\{([^}]*)\}/.exec(clause)?.[1];
    for (const part of (braces ?? '').split(',')) {
      const name = part
        .replace(/^\s*type\s+/, '')
        .split(/\s+as\s+/)[0]!
        .trim();
      if (name !== '') names.push(name);
    }
    const whole = /^(?:\*\s+as\s+)?([\w$]+)/.exec(clause)?.[1];
    if (whole === undefined || whole === 'type') continue;
    for (const [, member] of file.code.matchAll(new RegExp(`\\b${whole}\\.(\\w+)`, 'g'))) {
      names.push(member!);
    }
  }
  return names.length === 0 ? ['?'] : names;
}
