import { forgetOldest } from '../../kernel/bounded.ts';
import type { RepositoryPath } from '../../oci/repository.ts';
import type { Clock } from '../../kernel/clock.ts';
import { listHeaderOf } from '../header.ts';
import type { Authorization, Transport, WireAnswer } from '../http.ts';
import { UpstreamError } from '../upstream-error.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicAuthorization, type Credential, credentialId } from './credential.ts';
import type { CredentialSource } from './credentials.ts';
import { checkRealm, type RealmRules } from './realm.ts';
import { fetchToken } from './token.ts';
import { makeTokenCache, type TokenKey } from './token-cache.ts';

/** Finds out how the upstream wants us to log in, and does so. */
export interface Authorizer {
  /** What the upstream wanted for this repository the last time; undefined: nothing known. */
  prepare(path: RepositoryPath, signal: AbortSignal): Promise<Authorization | undefined>;
  /**
   * After a 401 or 403: another authorization than the refused one, if there is any to be had.
   * The refused one is forgotten.
   */
  renew(
    answer: WireAnswer,
    refused: Authorization | undefined,
    path: RepositoryPath,
    signal: AbortSignal,
  ): Promise<Authorization | undefined>;
}

export interface AuthorizerRules extends RealmRules {
  /** Of a repository; `pull` unless told. */
  readonly rights?: 'pull' | 'pull,push';
}

export interface AuthorizerDependencies {
  readonly transport: Transport;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
}

/** What the upstream demanded for a repository. */
type Demand =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer';
      readonly realm: URL;
      readonly service: string | undefined;
      readonly scope: string;
    };

const maxDemands = 1000;

export function makeAuthorizer(
  rules: AuthorizerRules,
  { transport, credentials, clock }: AuthorizerDependencies,
): Authorizer {
  const { origin } = rules;
  if (credentials.origin !== origin) throw new Error('credentials of another upstream');
  const tokens = makeTokenCache(clock);
  const demands = new Map<RepositoryPath, Demand>();

  const keyOf = (demand: Demand & { scheme: 'bearer' }, credential: Credential | undefined) =>
    ({
      origin,
      realm: demand.realm.href,
      service: demand.service,
      scope: demand.scope,
      credentialId: credentialId(credential),
    }) satisfies TokenKey;
  const meet = async (demand: Demand, signal: AbortSignal): Promise<Authorization | undefined> => {
    const credential = await credentials.current();
    if (demand.scheme === 'basic') {
      return credential === undefined ? undefined : basicAuthorization(credential, origin);
    }
    const text = await tokens.get(
      keyOf(demand, credential),
      (own) => fetchToken({ ...demand, credential }, transport, clock, own),
      signal,
    );
    return { origin, value: `Bearer ${text}` };
  };
  const forget = async (demand: Demand, refused: Authorization): Promise<void> => {
    const [scheme, text = ''] = refused.value.split(' ');
    if (demand.scheme === 'bearer' && scheme === 'Bearer') {
      tokens.drop(keyOf(demand, await credentials.current()), text);
    }
    credentials.forget();
  };

  return {
    async prepare(path, signal) {
      const demand = demands.get(path);
      return demand === undefined ? undefined : meet(demand, signal);
    },
    async renew(answer, refused, path, signal) {
      const held = demands.get(path);
      if (refused !== undefined && held !== undefined) await forget(held, refused);
      const demand = answer.status === 401 ? readDemand(answer, path, rules) : held;
      if (demand === undefined || (answer.status === 403 && refused === undefined))
        return undefined;
      remember(demands, path, demand);
      const renewed = await meet(demand, signal);
      return renewed?.value === refused?.value ? undefined : renewed;
    },
  };
}

function remember(
  demands: Map<RepositoryPath, Demand>,
  path: RepositoryPath,
  demand: Demand,
): void {
  demands.delete(path);
  demands.set(path, demand);
  forgetOldest(demands, maxDemands);
}

function readDemand(
  answer: WireAnswer,
  path: RepositoryPath,
  rules: AuthorizerRules,
): Demand | undefined {
  const header = listHeaderOf(answer, 'www-authenticate');
  if (header === undefined) return undefined;
  const challenges = parseChallenges(header);
  if (challenges === undefined) {
    throw new UpstreamError('UPSTREAM_MISBEHAVED', 'its WWW-Authenticate can not be read');
  }
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer !== undefined) return readBearer(bearer, path, rules);
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined;
}

function readBearer(
  { parameters }: Challenge,
  path: RepositoryPath,
  rules: AuthorizerRules,
): Demand {
  const realm = parameters.get('realm');
  if (realm === undefined) {
    throw new UpstreamError('UPSTREAM_MISBEHAVED', 'its challenge names no token realm');
  }
  const { rights = 'pull' } = rules;
  const [, stated = path] = scopes[rights].exec(parameters.get('scope') ?? '') ?? [];
  return {
    scheme: 'bearer',
    realm: checkRealm(realm, rules),
    service: parameters.get('service'),
    // A registry may know the repository by another name. Never more rights than are needed.
    scope: `repository:${stated}:${rights}`,
  };
}

const scopes = {
  pull: /^repository:([A-Za-z0-9._/:-]{1,255}):pull$/,
  'pull,push': /^repository:([A-Za-z0-9._/:-]{1,255}):(?:pull|push|pull,push|push,pull)$/,
} as const;
