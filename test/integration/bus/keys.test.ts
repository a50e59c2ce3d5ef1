/** Keys, JWTs and ids, compared with the official packages. */
import { randomBytes, randomUUID } from 'node:crypto';
import { decode, encodeUser, type User } from '@nats-io/jwt';
import { createAccount, fromPublic, fromSeed } from '@nats-io/nkeys';
import { expect, test } from 'vitest';
import { decodeHint, encodeHint } from '../../../server/bus/hint-codec.ts';
import { createKey, keyFromSeed } from '../../../server/bus/keys.ts';
import { issueSessionJwt } from '../../../server/bus/session-jwt.ts';
import { sessionSubject } from '../../../server/bus/subjects.ts';
import { uuidFromBytes, uuidToBytes } from '../../../server/domain/base/uuid.ts';
import type { Hint } from '../../../server/engine/base/messages.ts';

test.each(['operator', 'account', 'user'] as const)('a %s key equals that of @nats-io/nkeys', (role) => {
  const ours = createKey(role);
  const theirs = fromSeed(ours.getSeed());
  const text = randomBytes(64);
  expect(theirs.getPublicKey()).toBe(ours.getPublicKey());
  expect(Buffer.from(theirs.getPrivateKey())).toEqual(Buffer.from(ours.getPrivateKey()));
  expect(Buffer.from(theirs.sign(text))).toEqual(Buffer.from(ours.sign(text)));
  expect(fromPublic(ours.getPublicKey()).verify(text, ours.sign(text))).toBe(true);
  expect(ours.verify(text, theirs.sign(text))).toBe(true);
  expect(ours.verify(randomBytes(64), theirs.sign(text))).toBe(false);
});

test('a seed of @nats-io/nkeys is accepted, and anything else refused without being repeated', () => {
  const theirs = createAccount();
  const seed = Buffer.from(theirs.getSeed()).toString();
  expect(keyFromSeed(`${seed}\n`, 'account').getPublicKey()).toBe(theirs.getPublicKey());
  const changed = seed.slice(0, 20) + (seed[20] === 'A' ? 'B' : 'A') + seed.slice(21);
  for (const wrong of [changed, seed.slice(0, 20), theirs.getPublicKey(), '', 'seed!']) {
    expect(() => keyFromSeed(wrong, 'account')).toThrow(/NATS/);
    expect(() => keyFromSeed(wrong, 'account')).not.toThrow(new RegExp(wrong.slice(0, 12) || '^$'));
  }
  expect(() => keyFromSeed(seed, 'operator')).toThrow('not the seed of a NATS operator key');
});

test('a session JWT has the same claims as one of @nats-io/jwt', async () => {
  const account = createKey('account');
  const signingKey = createKey('account');
  const accountId = account.getPublicKey();
  const sessionId = randomUUID();
  const ours = issueSessionJwt({ accountId, signingKey }, sessionId, 1_700_000_000_400);
  const claims = decode<User>(ours.jwt);
  const user = fromSeed(Buffer.from(ours.seed));
  const rights = {
    pub: { deny: ['>'] },
    sub: { allow: [sessionSubject(sessionId)] },
    subs: 2,
    payload: 1_024,
    allowed_connection_types: ['STANDARD' as const],
  };
  const theirs = decode<User>(
    await encodeUser(`session ${sessionId}`, user, accountId, rights, { signer: signingKey, exp: 1_700_003_600 }),
  );
  expect(claims.nats).toEqual(theirs.nats);
  expect(claims).toMatchObject({ iss: theirs.iss, sub: theirs.sub, exp: theirs.exp, name: theirs.name });
  expect(claims.iat).toBe(1_700_000_000);
  expect(ours.expireTimeMs).toBe(1_700_003_600_000);
  expect(issueSessionJwt({ accountId, signingKey }, sessionId, 0).seed).not.toBe(ours.seed);
});

test('a session id can not widen its subject', () => {
  const id = randomUUID();
  for (const wrong of ['*', '>', `${id}.>`, '', id.toUpperCase(), `${id}\n`]) {
    expect(() => sessionSubject(wrong)).toThrow(RangeError);
  }
  expect(sessionSubject(id)).toBe(`muster.v1.session.${id}`);
});

test('a UUID survives the conversion to bytes and back', () => {
  for (let round = 0; round < 1_000; round++) {
    const id = randomUUID();
    expect(Buffer.from(uuidToBytes(id)).toString('hex')).toBe(id.replaceAll('-', ''));
    expect(uuidFromBytes(uuidToBytes(id))).toBe(id);
  }
  expect(uuidFromBytes(uuidToBytes('ABCDEF00-0000-4000-8000-00000000000F'))).toBe(
    'abcdef00-0000-4000-8000-00000000000f',
  );
  for (const wrong of ['', randomUUID().slice(1), `${randomUUID()}0`, 'g'.repeat(36), 'é'.repeat(36)]) {
    expect(() => uuidToBytes(wrong)).toThrow(RangeError);
  }
});

test('hints survive the conversion to bytes and back, a thousand items per message', () => {
  const replicaId = randomUUID();
  const lanes = [
    { laneId: 2 ** 31 - 1, rank: 1_764_000_000_123_456 },
    { laneId: 7, rank: -12 },
  ];
  const ready: Hint = { kind: 'ready', lanes };
  expect(encodeHint(replicaId, ready).map(decodeHint)).toEqual([{ replicaId, hint: ready }]);
  const jobIds = Array.from({ length: 2_500 }, () => randomUUID());
  const messages = encodeHint(replicaId, { kind: 'ended', jobIds });
  expect(messages.map((message) => message.length)).toEqual([16_017, 16_017, 8_017]);
  const hints = messages.map((message) => decodeHint(message)?.hint);
  expect(hints.flatMap((hint) => (hint?.kind === 'ended' ? hint.jobIds : []))).toEqual(jobIds);
  expect(encodeHint(replicaId, { kind: 'ended', jobIds: [] })).toEqual([]);
  const logged: Hint = { kind: 'logged', jobIds: jobIds.slice(0, 2) };
  expect(encodeHint(replicaId, logged).map(decodeHint)).toEqual([{ replicaId, hint: logged }]);
});

test('invalid hints are ignored', () => {
  const [good = new Uint8Array()] = encodeHint(randomUUID(), { kind: 'ended', jobIds: [randomUUID()] });
  const unknownKind = Uint8Array.from(good);
  unknownKind[0] = 9;
  for (const bytes of [new Uint8Array(), good.subarray(0, 17), good.subarray(1), unknownKind, new Uint8Array(20_000)]) {
    expect(decodeHint(bytes)).toBeUndefined();
  }
});

test('lanes with impossible numbers are left out, and a hint of nothing else is ignored', () => {
  const replicaId = randomUUID();
  const good = { laneId: 7, rank: 5 };
  const odd = [
    { laneId: 7, rank: Number.NaN },
    { laneId: 7, rank: -Infinity },
    { laneId: 7, rank: 1e300 },
    { laneId: Number.NaN, rank: 5 },
    { laneId: 7, rank: 0.5 },
    { laneId: 0.5, rank: 5 },
    { laneId: 0, rank: 5 },
    { laneId: 2 ** 31, rank: 5 },
  ];
  const decoded = (lanes: typeof odd) => encodeHint(replicaId, { kind: 'ready', lanes }).map(decodeHint);
  expect(decoded([...odd, good])).toEqual([{ replicaId, hint: { kind: 'ready', lanes: [good] } }]);
  expect(decoded(odd)).toEqual([undefined]);
});
